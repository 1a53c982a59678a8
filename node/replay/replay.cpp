#include "node/replay/replay.hpp"

#include "core/alert/alert_book.hpp"
#include "core/alert/json_writer.hpp"
#include "core/intel/indicator_set.hpp"
#include "node/replay/replay_pairs.hpp"
#include "node/router/attribution.hpp"
#include "node/sources/capture_file.hpp"
#include "node/sources/packet_pipeline.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unordered_map>

namespace iris {

namespace {

constexpr std::size_t alert_limit = 10'000;
/// What is learned from counts as so many days, since a capture is seldom longer than hours.
constexpr int learning_days = 16;

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
    if (!options_.intel.empty()) {
      auto text = read_text(options_.intel);
      if (!text) return text.error();
      auto indicators = std::make_shared<IndicatorSet>();
      auto report = indicators->add_list(std::filesystem::path{options_.intel}.filename().string(), *text);
      if (!report) return report.error();
      for (const auto& line : report->errors)
        note_(line);
      if (report->errors_total > report->errors.size())
        note_(std::to_string(report->errors_total) + " lines of " + options_.intel +
              " in all are no address or network");
      indicators->build(1);
      pairs_.set_indicators(std::move(indicators));
    }
    return {};
  }

  /// Learns from the captures that were declared normal.
  Result<void> learn() {
    if (!(options_.learn_until >= 0 && options_.learn_until <= ReplayOptions::learn_limit))
      return Error{Errc::invalid, "--learn-until is no number of seconds up to " +
                                      std::to_string(std::int64_t(ReplayOptions::learn_limit))};
    Duration span = Duration(options_.learn_until * double(second));
    for (const auto& path : options_.learn) {
      auto length = span_of(path);
      if (!length) return length.error();
      span += *length;
    }
    if (span <= 0) return {};
    TimeScale scale;
    scale.day = options_.day > 0 ? options_.day : std::max<Duration>(span / learning_days, second);
    scale.window = std::clamp<Duration>(scale.hour(), 100 * millisecond, scale.window);
    pairs_.set_scale(scale);
    learning_ = true;
    for (const auto& path : options_.learn)
      if (auto done = run(path, false); !done) return done;
    if (options_.learn_until <= 0) stop_learning();
    return {};
  }

  Result<void> judge() {
    for (const auto& path : options_.captures)
      if (auto done = run(path, options_.learn_until > 0); !done) return done;
    if (!learning_) return {};
    return Error{Errc::invalid, "nothing was judged, since --learn-until reaches beyond the end of what was "
                                "captured (" +
                                    std::to_string((last_ - learn_from_) / second) + " s): give less"};
  }

  /// @param learn_first what is before the end of --learn-until is learned from.
  Result<void> run(const std::string& path, bool learn_first) {
    auto file = CaptureFile::open(path);
    if (!file) return file.error();
    PipelineOptions how;
    how.label_applications = options_.label_applications;
    PacketPipeline pipeline{how};
    CapturedFrame frame;
    Timestamp next = 0;
    while ((*file)->next(frame)) {
      pipeline.packet((*file)->link(), frame.bytes, frame.wire_length, frame.at);
      last_ = frame.at;
      if (learning_ && learn_first) {
        if (learn_from_ == 0) learn_from_ = frame.at;
        if (frame.at >= learn_from_ + Duration(options_.learn_until * double(second))) {
          take(pipeline, frame.at);
          pairs_.end(frame.at, findings_);
          stop_learning();
        }
      }
      // As often as a live source hands on what it saw.
      if (frame.at < next && frame.at > next - second) continue;
      next = frame.at + 100 * millisecond;
      take(pipeline, frame.at);
    }
    pipeline.flush();
    take(pipeline, last_);
    pairs_.end(last_, findings_);
    raise_all();
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
    if (pairs_.without_pair() != 0)
      note_(std::to_string(pairs_.without_pair()) +
            " observations of services and devices beyond the first " + std::to_string(ReplayPairs::limit) +
            " were not judged");
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

  Party party_at(const IpAddress& address, const IpAddress& other, std::uint8_t protocol) {
    if (address == IpAddress{}) return {};
    auto party = party_of(*attribution_.entity_at(address, other));
    party.address = address;
    party.protocol = protocol;
    return party;
  }

  static Result<Duration> span_of(const std::string& path) {
    auto file = CaptureFile::open(path);
    if (!file) return file.error();
    CapturedFrame frame;
    Timestamp first = 0, last = 0;
    while ((*file)->next(frame)) {
      if (first == 0) first = frame.at;
      last = std::max(last, frame.at);
    }
    return last - first;
  }

  void stop_learning() {
    pairs_.train();
    learning_ = false;
    if (pairs_.profiles_learned() == 0)
      note_("nothing was learned: no service or device was seen in what is normal");
  }

  void take(PacketPipeline& pipeline, Timestamp now) {
    if (!pipeline.harvest().empty()) {
      pipeline.take(harvest_);
      observations_.clear();
      for (const auto& seen : harvest_.answers)
        attribution_.lookup(seen, InterfaceRole::bridge, observations_);
      if (!learning_)
        for (const auto& alarm : harvest_.alarms)
          raise(finding_of(alarm, party_at(alarm.src, alarm.dst, alarm.protocol),
                           party_at(alarm.dst, alarm.src, alarm.protocol)));
      // A capture is one place to listen at, so that no flow in it is another place's copy.
      for (const auto& flow : harvest_.flows)
        attribution_.flow(flow, InterfaceRole::bridge, observations_);
      for (const auto& command : harvest_.commands)
        attribution_.command(command, InterfaceRole::bridge, observations_);
      stats_.observations += observations_.size();
      if (learning_)
        pairs_.learn(observations_);
      else
        pairs_.judge(observations_, findings_);
    }
    pairs_.pass(now, findings_);
    raise_all();
  }

  void raise_all() {
    for (auto& finding : findings_)
      raise(std::move(finding));
    findings_.clear();
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
  ReplayPairs pairs_;
  bool learning_ = false;
  Timestamp last_ = 0, learn_from_ = 0; ///< of --learn-until
  PacketHarvest harvest_;
  std::vector<Observation> observations_;
  std::vector<Finding> findings_;
  std::unordered_map<std::string, Alert> alerts_;
  std::uint64_t alerts_lost_ = 0;
};

} // namespace

Result<std::vector<Alert>> replay(const ReplayOptions& options, ReplayStats& stats,
                                  const std::function<void(const std::string&)>& note) {
  auto begun = std::chrono::steady_clock::now();
  Replayer replayer{options, stats, note};
  if (auto ready = replayer.prepare(); !ready) return ready.error();
  if (auto learned = replayer.learn(); !learned) return learned.error();
  if (auto judged = replayer.judge(); !judged) return judged.error();
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
