#include "node/replay/replay.hpp"

#include "core/alert/alert_book.hpp"
#include "core/alert/json_writer.hpp"
#include "node/router/attribution.hpp"
#include "node/sources/capture_file.hpp"
#include "node/sources/packet_pipeline.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <unordered_map>

namespace iris {

namespace {

constexpr std::size_t alert_limit = 10'000;

Result<std::string> read_text(const std::string& path) {
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return Error{Errc::io, "cannot read " + path};
  return text.str();
}

/// One run over captures: what the router, collectors and scorers of a node do, in one thread and in capture
/// time.
class Replayer {
public:
  Replayer(const ReplayOptions& options, ReplayStats& stats,
           const std::function<void(const std::string&)>& note)
      : options_{options}, stats_{stats}, note_{note}, book_{policy()} {}

  Result<void> prepare() {
    auto& inventory = attribution_.inventory();
    for (const auto& text : options_.local) {
      auto network = parse_cidr(text);
      if (!network) return Error{Errc::invalid, "--local " + text + " is no network such as 203.0.113.0/24"};
      inventory.add_local(*network);
    }
    if (!options_.inventory.empty()) {
      auto text = read_text(options_.inventory);
      if (!text) return text.error();
      auto entries = parse_inventory(*text, options_.inventory);
      if (!entries) return entries.error();
      inventory.set_names(*entries);
    }
    return {};
  }

  Result<void> judge(const std::string& path) {
    auto file = CaptureFile::open(path);
    if (!file) return file.error();
    PacketPipeline pipeline{{}};
    CapturedFrame frame;
    Timestamp next = 0;
    while ((*file)->next(frame)) {
      pipeline.packet((*file)->link(), frame.bytes, frame.wire_length, frame.at);
      // Often enough for names to be known before the flows to them, seldom enough to cost nothing.
      if (pipeline.harvest().empty() || (frame.at < next && frame.at > next - second)) continue;
      next = frame.at + 10 * millisecond;
      take(pipeline.harvest());
    }
    pipeline.flush();
    take(pipeline.harvest());
    if (!(*file)->trouble().empty()) note_((*file)->trouble());
    auto stats = pipeline.stats();
    stats_.packets += stats.frames;
    stats_.bytes += stats.bytes;
    stats_.flows += stats.flows.flows;
    return {};
  }

  std::vector<Alert> alerts() {
    std::vector<Alert> sorted;
    for (auto& [id, alert] : alerts_)
      sorted.push_back(std::move(alert));
    std::sort(sorted.begin(), sorted.end(), [](const Alert& left, const Alert& right) {
      return std::tie(left.finding.first, left.id) < std::tie(right.finding.first, right.id);
    });
    if (alerts_lost_ != 0)
      note_(std::to_string(alerts_lost_) + " alerts beyond the first " + std::to_string(alert_limit) +
            " are not shown");
    stats_.alerts = sorted.size();
    return sorted;
  }

private:
  static AlertPolicy policy() {
    AlertPolicy policy;
    policy.tenant = "replay";
    policy.site = "replay";
    policy.gateway = "replay";
    policy.late_after = 1'000'000'000 * second; // what is replayed is never late
    return policy;
  }

  Party party_at(const IpAddress& address, std::uint8_t protocol) {
    if (address == IpAddress{}) return {};
    auto party = party_of(*attribution_.entity_at(address));
    party.address = address;
    party.protocol = protocol;
    return party;
  }

  void take(PacketHarvest& harvest) {
    for (const auto& seen : harvest.answers)
      attribution_.name_address(seen.answer);
    for (const auto& alarm : harvest.alarms)
      raise(finding_of(alarm, party_at(alarm.src, alarm.protocol), party_at(alarm.dst, alarm.protocol)));
    observations_.clear();
    for (const auto& flow : harvest.flows)
      attribution_.flow(flow, InterfaceRole::lan, observations_);
    stats_.observations += observations_.size();
    harvest.clear();
  }

  void raise(Finding finding) {
    auto now = finding.last;
    auto alert = book_.apply(std::move(finding), now);
    if (alerts_.size() >= alert_limit && !alerts_.contains(alert.id)) {
      ++alerts_lost_;
      return;
    }
    alerts_.insert_or_assign(alert.id, std::move(alert));
  }

  const ReplayOptions& options_;
  ReplayStats& stats_;
  const std::function<void(const std::string&)>& note_;
  Attribution attribution_;
  AlertBook book_;
  std::vector<Observation> observations_;
  std::unordered_map<std::string, Alert> alerts_;
  std::uint64_t alerts_lost_ = 0;
};

} // namespace

Result<std::vector<Alert>> replay(const ReplayOptions& options, ReplayStats& stats,
                                  const std::function<void(const std::string&)>& note) {
  auto begun = std::chrono::steady_clock::now();
  Replayer replayer{options, stats, note};
  if (auto ready = replayer.prepare(); !ready) return ready.error();
  for (const auto& path : options.captures)
    if (auto done = replayer.judge(path); !done) return done.error();
  auto alerts = replayer.alerts();
  stats.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  stats.peak_rss_kib = std::uint64_t(usage.ru_maxrss);
  return alerts;
}

std::string to_json(const ReplayStats& stats) {
  JsonWriter json;
  json.object().field("packets", stats.packets).field("flows", stats.flows).field("bytes", stats.bytes);
  json.field("observations", stats.observations)
      .field("alerts", stats.alerts)
      .field("seconds", stats.seconds);
  json.field("packets_per_second", stats.seconds > 0 ? double(stats.packets) / stats.seconds : 0.0);
  json.field("peak_rss_kib", stats.peak_rss_kib).end_object();
  return json.take();
}

} // namespace iris
