#include "node/replay/replay.hpp"

#include "core/alert/json_writer.hpp"
#include "core/intel/indicator_set.hpp"
#include "node/recording/recording_file.hpp"
#include "node/replay/replay_alerts.hpp"
#include "node/replay/replay_clock.hpp"
#include "node/replay/replay_packets.hpp"
#include "node/replay/replay_pairs.hpp"
#include "node/router/loss_ledger.hpp"
#include "node/router/routing.hpp"
#include "node/sources/capture_file.hpp"
#include "node/sources/packet_pipeline.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace iris {

namespace {

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
      : options_{options}, stats_{stats}, note_{note}, packets_{options.write_pcap} {}

  Result<void> prepare() {
    for (const auto& text : options_.local) {
      auto network = parse_cidr(text);
      if (!network) return Error{Errc::invalid, "--local " + text + " is no network such as 203.0.113.0/24"};
      local_.push_back(*network);
    }
    if (!options_.inventory.empty()) {
      auto text = read_text(options_.inventory);
      if (!text) return text.error();
      auto entries = parse_inventory(*text, options_.inventory);
      if (!entries) return entries.error();
      names_ = std::move(*entries);
    }
    begin_routing("replay", {});
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
    learned_here_ = true;
    routing_->set_scale(scale_ = scale);
    for (const auto& path : options_.learn)
      if (auto done = run(path, false); !done) return done;
    if (options_.learn_until <= 0) stop_learning();
    return {};
  }

  Result<void> judge() {
    for (const auto& path : options_.captures)
      if (auto done = run(path, options_.learn_until > 0); !done) return done;
    if (auto done = packets_.finish(); !done) return done;
    if (!learning_) return {};
    return Error{Errc::invalid, "nothing was judged, since --learn-until reaches beyond the end of what was "
                                "captured (" +
                                    std::to_string((last_ - learn_from_) / second) + " s): give less"};
  }

  /// @param learn_first what is before the end of --learn-until is learned from.
  Result<void> run(const std::string& path, bool learn_first) {
    if (is_recording(path)) return run_recording(path, learn_first);
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
      if (learn_first && learned_enough(frame.at)) {
        take(pipeline, frame.at);
        pairs_.end(frame.at, findings_);
        stop_learning();
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
    auto sorted = alerts_.take(note_);
    if (pairs_.without_pair() != 0)
      note_(std::to_string(pairs_.without_pair()) +
            " observations of services and devices beyond the first " + std::to_string(ReplayPairs::limit) +
            " were not judged");
    stats_.alerts = sorted.size();
    return sorted;
  }

private:
  /// Nobody is known yet but whom the operator named.
  void begin_routing(const std::string& gateway, const std::vector<Cidr>& local) {
    routing_.emplace();
    routing_->set_gateway(gateway);
    routing_->set_scale(scale_);
    for (const auto& list : {local_, local})
      for (const auto& network : list)
        routing_->add_local(network);
    routing_->attribution().inventory().set_names(names_);
  }

  /// What is before the end of --learn-until is learned from.
  bool learned_enough(Timestamp at) {
    if (!learning_) return false;
    if (learn_from_ == 0) learn_from_ = at;
    return at >= learn_from_ + Duration(options_.learn_until * double(second));
  }

  Result<void> run_recording(const std::string& path, bool learn_first) {
    auto reader = RecordingReader::open(path);
    if (!reader) return reader.error();
    const bool write_packets = !learning_ || learn_first;
    ReplayClock clock;
    losses_.emplace();
    pairs_.set_live_pace();
    while (auto frame = (*reader)->next()) {
      ++stats_.frames;
      if (std::holds_alternative<RecordedPackets>(
              frame->what)) { // they are there to look at: flows are judged
        stats_.packets += std::get<RecordedPackets>(frame->what).heads.size();
        stats_.bytes += std::get<RecordedPackets>(frame->what).bytes.size();
        if (write_packets)
          if (auto done = packets_.write(std::get<RecordedPackets>(frame->what), frame->shift); !done)
            return done;
        continue;
      }
      clock.advance(frame->at, [&](Timestamp at) { tick(at); });
      last_ = clock.now();
      pairs_.pass(last_, findings_);
      raise_all();
      shift_ = frame->shift;
      if (learn_first && learned_enough(last_)) {
        pairs_.end(last_, findings_);
        stop_learning();
      }
      std::visit([&](const auto& what) { take(what); }, frame->what);
      pass_on(last_);
    }
    pairs_.end(last_, findings_);
    raise_all();
    shift_ = 0;
    losses_.reset();
    if (auto trouble = (*reader)->trouble(); !trouble.empty()) note_(trouble);
    if (lost_.batches + lost_.packets != 0)
      note_(path + ": " + std::to_string(lost_.batches) + " batches and " + std::to_string(lost_.packets) +
            " packets were lost when it was recorded");
    lost_ = {};
    return {};
  }

  void tick(Timestamp at) {
    pairs_.pass(at, findings_);
    routing_->release(at, out_);
    pass_on(at);
  }

  void take(const RecordedTick&) {}
  void take(const RecordedEnd&) {}
  void take(const RecordedPackets&) {}
  void take(const RecordedLoss& lost) {
    lost_.batches += lost.batches;
    lost_.packets += lost.packets;
  }
  void take(const RecordedStart& start) {
    pairs_.end(last_, findings_); // another life of the program
    if (!learned_here_) pairs_.set_gateway(start.gateway);
    begin_routing(start.gateway, start.local);
    losses_.emplace();
  }
  void take(const ProcessBatch& batch) { routing_->take(batch, last_, out_); }
  void take(const ContainerBatch& batch) { routing_->take(batch, last_, out_); }
  void take(const FlowBatch& batch) {
    stats_.flows += batch.flows.size();
    routing_->take(batch, out_);
  }
  void take(const UsageBatch& batch) { routing_->take(batch, out_); }
  void take(const DeviceList& list) { routing_->take(list); }
  void take(const HostAddresses& addresses) { routing_->take(addresses); }
  void take(const HealthBatch& batch) {
    for (const auto& report : batch.reports)
      losses_->note(report, batch.at);
    routing_->take(batch, out_);
  }
  void take(const BaselinePtr& baseline) {
    if (!learned_here_) pairs_.set_baseline(baseline);
  }
  void take(const std::shared_ptr<const IndicatorSet>& indicators) {
    if (options_.intel.empty()) pairs_.set_indicators(indicators);
  }
  void take(const TimeScale& scale) {
    if (learned_here_) return;
    scale_ = scale;
    pairs_.set_scale(scale);
    routing_->set_scale(scale);
  }

  static Result<Duration> span_of_recording(const std::string& path) {
    auto reader = RecordingReader::open(path);
    if (!reader) return reader.error();
    Timestamp first = 0, last = 0;
    while (const auto frame = (*reader)->next()) {
      if (first == 0) first = frame->at;
      last = std::max(last, frame->at);
    }
    return last - first;
  }

  static Result<Duration> span_of(const std::string& path) {
    if (is_recording(path)) return span_of_recording(path);
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
      // A capture is one place to listen at, so that no flow in it is another place's copy.
      FlowBatch batch;
      std::swap(batch.flows, harvest_.flows);
      std::swap(batch.alarms, harvest_.alarms);
      std::swap(batch.answers, harvest_.answers);
      std::swap(batch.commands, harvest_.commands);
      std::swap(batch.devices, harvest_.devices);
      routing_->take(batch, out_);
      pass_on(now);
      std::swap(batch.flows, harvest_.flows); // its memory is used again
    }
    pairs_.pass(now, findings_);
    raise_all();
  }

  /// Judges, or learns from, what came of a batch.
  void pass_on(Timestamp now) {
    if (!learning_)
      for (auto& finding : out_.findings)
        raise(std::move(finding));
    stats_.observations += out_.observations.size();
    if (learning_)
      pairs_.learn(out_.observations, now);
    else
      pairs_.judge(out_.observations, now, findings_);
    out_.observations.clear();
    out_.findings.clear();
    raise_all();
  }

  void raise_all() {
    for (auto& finding : findings_)
      raise(std::move(finding));
    findings_.clear();
  }

  void raise(Finding finding) {
    if (losses_) finding.loss = losses_->around(finding.last);
    shift_times(finding, shift_);
    if (options_.finding) options_.finding(finding);
    alerts_.raise(std::move(finding));
  }

  const ReplayOptions& options_;
  ReplayStats& stats_;
  const std::function<void(const std::string&)>& note_;
  std::vector<Cidr> local_;
  std::vector<InventoryEntry> names_;
  std::optional<Routing> routing_;
  Routing::Out out_;
  TimeScale scale_;
  ReplayAlerts alerts_;
  ReplayPackets packets_;
  ReplayPairs pairs_;
  std::optional<LossLedger> losses_; ///< of a recording
  Duration shift_ = 0;               ///< as the recording says, see RecordedFrame
  bool learning_ = false, learned_here_ = false;
  Timestamp last_ = 0, learn_from_ = 0; ///< of --learn-until
  PacketHarvest harvest_;
  std::vector<Finding> findings_;
  RecordedLoss lost_;
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
  if (stats.frames != 0) json.field("frames", stats.frames);
  json.field("observations", stats.observations)
      .field("alerts", stats.alerts)
      .field("seconds", stats.seconds);
  json.field("packets_per_second", stats.seconds > 0 ? double(stats.packets) / stats.seconds : 0.0);
  json.field("peak_rss_kib", stats.peak_rss_kib).end_object();
  return json.take();
}

} // namespace iris
