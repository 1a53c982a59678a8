#include "core/detect/service_judge.hpp"

#include "core/alert/alert_book.hpp"
#include "core/detect/bounded_table.hpp"
#include "core/detect/detectors.hpp"
#include "core/detect/severity.hpp"

#include <algorithm>
#include <unordered_set>

namespace iris {
namespace {

constexpr std::size_t peers_of_key_limit = 256;
/// So many peers of one kind of novelty are alerts of their own; the rest goes into one.
constexpr std::size_t named_peers = 4;

struct Cause {
  bool pending = false;
  Timestamp told = 0; ///< when it was last reported
  Finding finding;    ///< what happened since
};

} // namespace

struct ServiceJudge::State {
  EntityPtr entity;
  std::string gateway;
  TimeScale scale;
  JudgePolicy policy;
  BaselinePtr baseline;
  std::shared_ptr<const IndicatorSet> indicators;
  BehaviourCache cache;
  WindowNumbers numbers;
  BoundedTable<std::string, Cause> causes;
  std::unordered_set<std::uint64_t> known; ///< ids of behaviours that are not novel under this baseline
  BoundedTable<std::uint64_t, std::vector<std::string>> peers_of_key{peers_of_key_limit};
  Finding digest; ///< novelties of one startup
  std::uint64_t digest_count = 0;
  Timestamp window_from, digest_last = 0, out_of_memory_at = 0;
  Counters counters;

  State(EntityPtr of, std::string on, const TimeScale& with, Timestamp now, JudgePolicy how)
      : entity{std::move(of)}, gateway{std::move(on)}, scale{with}, policy{how},
        cache{how.limits.behaviours, how.limits.budget}, numbers{how.limits.flows / 2, how.limits.peers,
                                                                 with.day, how.limits.budget},
        causes{how.limits.causes, how.limits.budget, 1'024}, window_from{now} {}

  JudgeView view() const {
    return {*entity,         gateway,        scale,
            policy,          baseline.get(), baseline ? baseline->site(gateway) : nullptr,
            indicators.get()};
  }

  void push(Finding finding, std::vector<Finding>& out) {
    ++counters.findings;
    out.push_back(std::move(finding));
  }

  /// A cause goes out at once, unless it did within the last window: then it waits for the end of this one.
  void report(Finding finding, Timestamp at, std::vector<Finding>& out) {
    auto [cause, fresh] = causes.get(finding.detector + "|" + finding.cause);
    if (cause.pending) {
      merge_finding(cause.finding, std::move(finding));
    } else if (fresh || at - cause.told >= scale.window || at < cause.told) {
      cause.told = at;
      push(std::move(finding), out);
    } else {
      cause.finding = std::move(finding);
      cause.pending = true;
    }
  }

  /// The volume's first finding tells the whole flow, later ones what was added.
  void report_volume(Finding finding, const WindowNumbers::Volume& volume, Timestamp at,
                     std::vector<Finding>& out) {
    auto& evidence = finding.flows.front();
    if (causes.get(finding.detector + "|" + finding.cause).second) {
      evidence.packets = volume.packets;
      evidence.bytes_out = volume.bytes_out;
      evidence.bytes_in = volume.bytes_in;
      finding.first = evidence.first = volume.first;
    }
    report(std::move(finding), at, out);
  }

  /// One act, one finding: the first detector tells it, the others are named in it.
  void report_one(std::vector<Finding>& claims, Timestamp at, std::vector<Finding>& out) {
    if (claims.empty()) return;
    auto& primary = claims.front();
    for (std::size_t i = 1; i < claims.size(); ++i) {
      primary.also.push_back(claims[i].detector);
      primary.score = std::max(primary.score, claims[i].score);
      for (const auto& id : claims[i].attack)
        add_attack(primary, id);
    }
    primary.severity = severity_of(primary.score);
    report(std::move(primary), at, out);
  }

  /// A service that starts to call everybody makes a handful of alerts, not hundreds.
  void bound_peers(Finding& finding, std::uint64_t key) {
    auto& peers = peers_of_key.get(key).first;
    if (std::find(peers.begin(), peers.end(), finding.cause) != peers.end()) return;
    if (peers.size() < named_peers)
      peers.push_back(finding.cause);
    else
      finding.cause = finding.cause.substr(0, finding.cause.find(':')) + ":others" + key_mark(key);
  }

  Novelty novelty(const JudgeView& view, const Behaviour& behaviour) {
    if (!view.monitoring() || !is_reported(behaviour.family, entity->kind, behaviour.peer_class)) return {};
    if (known.contains(behaviour.id())) return {};
    auto result = novelty_of(view, behaviour);
    if (!result.novel) {
      if (known.size() >= policy.limits.known) known.clear();
      known.insert(behaviour.id());
    }
    return result;
  }

  /// Until a startup has been seen twice, or often enough for its novelties to be told apart, they make one
  /// finding.
  void into_digest(const Act& act, Finding finding) {
    if (digest_count++ == 0) {
      digest = std::move(finding);
      digest.detector = "process.novel";
      digest.cause = "startup:" + rfc3339(act.observation.at);
      digest.also.clear();
      digest.observed = "For example: " + act.behaviour->texts[0];
    } else {
      if (digest_count <= 3) digest.observed += "; " + act.behaviour->texts[0];
      for (auto& process : finding.processes)
        if (digest.processes.size() < Finding::evidence_limit) digest.processes.push_back(std::move(process));
      for (const auto& flow : finding.flows)
        if (digest.flows.size() < Finding::evidence_limit) digest.flows.push_back(flow);
      digest.last = std::max(digest.last, finding.last);
    }
    digest_last = act.observation.at;
  }

  void close_digest(std::vector<Finding>& out) {
    auto starts = view().baseline ? view().baseline->progress_for(gateway).startups : 0;
    digest.peer = {};
    digest.count = digest_count;
    digest.score = policy.report_bits;
    digest.severity = Severity::low;
    digest.act = "started in a way that was not seen before (" + std::to_string(digest_count) +
                 (digest_count == 1 ? " new behaviour)" : " new behaviours)");
    digest.expected = "Its startup was seen " + std::to_string(starts) + (starts == 1 ? " time" : " times") +
                      ", so what is new in it is told together.";
    digest.observed += ".";
    digest_count = 0;
    push(std::move(digest), out);
    digest = {};
  }

  void judge_novelty(const JudgeView& view, const Act& act, std::vector<Finding>& claims) {
    if (!act.novelty.novel) return;
    std::optional<Finding> found;
    for (auto detector : {process_novel, network_destination, network_lateral, network_client,
                          network_command, network_protocol, network_listen})
      if (!found) found = detector(view, act);
    if (!found) return;
    if (act.novelty.bits >= policy.report_bits) {
      const auto family = act.behaviour->family;
      if (family != Family::exec && family != Family::dns && family != Family::listen)
        bound_peers(*found, act.novelty.key);
      claims.push_back(std::move(*found));
      return;
    }
    const auto& progress = view.baseline->progress_for(gateway);
    if (act.behaviour->phase == Phase::startup &&
        (progress.startups < 2 || act.novelty.level == act.behaviour->coarsest()))
      into_digest(act, std::move(*found));
    else
      ++counters.quiet_novelties;
  }

  void judge(const Observation& observation, const std::vector<BehaviourPtr>& behaviours,
             std::vector<Finding>& out) {
    ++counters.observations;
    auto view = this->view();
    Act act{observation, behaviours, behaviours.empty() ? nullptr : behaviours.front().get(), {}};
    if (act.behaviour) act.novelty = novelty(view, *act.behaviour);
    std::vector<Finding> claims;
    auto claim = [&](std::optional<Finding> finding) {
      if (finding) claims.push_back(std::move(*finding));
    };
    if (std::holds_alternative<ProcessStart>(observation.what)) {
      claim(process_origin(view, act));
      claim(process_tool(view, act));
      judge_novelty(view, act, claims);
    } else if (std::holds_alternative<Flow>(observation.what)) {
      claim(network_known_bad(view, act));
      judge_novelty(view, act, claims);
      for (const auto& behaviour : behaviours) {
        if (behaviour->family != Family::protocol) continue;
        judge_novelty(view, {observation, behaviours, behaviour.get(), novelty(view, *behaviour)}, claims);
      }
    } else if (const auto* change = std::get_if<ContainerChange>(&observation.what)) {
      if (change->action == ContainerAction::oom) out_of_memory_at = observation.at;
      bool recent = out_of_memory_at != 0 && observation.at - out_of_memory_at < 10 * second;
      claim(container_crash(view, act, recent));
      if (change->action == ContainerAction::died) out_of_memory_at = 0;
      claim(container_drift(view, act));
      claim(posture(view, act));
    } else {
      judge_novelty(view, act, claims);
    }
    report_one(claims, observation.at, out);
    if (const auto* flow = std::get_if<Flow>(&observation.what)) {
      auto volume = numbers.add(observation, *flow);
      if (auto finding = network_volume(view, act, volume))
        report_volume(std::move(*finding), volume, observation.at, out);
    }
  }

  void close_window(Timestamp now, std::vector<Finding>& out, bool force) {
    if (now < window_from) window_from = now; // the clock went back
    if (!force && now - window_from < scale.window) return;
    window_from = now;
    (void)numbers.close(now);
    for (auto& [key, cause] : causes) {
      if (!cause.pending) continue;
      cause.pending = false;
      cause.told = now;
      push(std::move(cause.finding), out);
      cause.finding = {};
    }
    if (digest_count > 0 && (force || now - digest_last >= scale.window)) close_digest(out);
  }
};

ServiceJudge::ServiceJudge(EntityPtr entity, std::string gateway, const TimeScale& scale, Timestamp now,
                           JudgePolicy policy)
    : state_{std::make_unique<State>(std::move(entity), std::move(gateway), scale, now, policy)} {}
ServiceJudge::~ServiceJudge() = default;
ServiceJudge::ServiceJudge(ServiceJudge&&) noexcept = default;
ServiceJudge& ServiceJudge::operator=(ServiceJudge&&) noexcept = default;

void ServiceJudge::set_baseline(BaselinePtr baseline) {
  state_->baseline = std::move(baseline);
  state_->known.clear();
}
void ServiceJudge::set_indicators(std::shared_ptr<const IndicatorSet> indicators) {
  state_->indicators = std::move(indicators);
}
void ServiceJudge::set_scale(const TimeScale& scale) {
  state_->scale = scale;
  state_->numbers.set_day(scale.day);
}
void ServiceJudge::judge(const Observation& observation, const std::vector<BehaviourPtr>& behaviours,
                         std::vector<Finding>& out) {
  state_->judge(observation, behaviours, out);
}
void ServiceJudge::judge(const Observation& observation, std::vector<Finding>& out) {
  state_->judge(observation, state_->cache.derive(observation), out);
}
void ServiceJudge::close_window(Timestamp now, std::vector<Finding>& out, bool force) {
  state_->close_window(now, out, force);
}
BaselinePtr ServiceJudge::baseline() const { return state_->baseline; }

ServiceJudge::Counters ServiceJudge::counters() const {
  auto counters = state_->counters;
  counters.causes = state_->causes.size();
  counters.flows = state_->numbers.flows();
  counters.evicted = state_->causes.evicted() + state_->numbers.evicted();
  return counters;
}

} // namespace iris
