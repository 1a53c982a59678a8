#include "node/replay/replay_pairs.hpp"

#include "core/intel/indicator_set.hpp"
#include "core/learn/trainer.hpp"
#include "node/replay/replay_clock.hpp"

#include <algorithm>
#include <array>

namespace iris {

namespace {

/// As often as a live pair looks at its window.
Duration pace_of(const TimeScale& scale) {
  return std::clamp<Duration>(scale.window / 4, 50 * millisecond, second);
}

} // namespace

void ReplayPairs::set_scale(const TimeScale& scale) {
  scale_ = scale;
  for (auto& [profile, pair] : pairs_) {
    pair.collector.set_scale(scale);
    pair.judge.set_scale(scale);
  }
}

void ReplayPairs::set_indicators(std::shared_ptr<const IndicatorSet> indicators) {
  indicators_ = std::move(indicators);
  for (auto& [profile, pair] : pairs_) {
    pair.collector.set_indicators(indicators_);
    pair.judge.set_indicators(indicators_);
  }
}

void ReplayPairs::set_baseline(const BaselinePtr& baseline) {
  baselines_[baseline->profile] = baseline;
  const auto found = pairs_.find(baseline->profile);
  if (found == pairs_.end()) return;
  found->second.collector.set_baseline(baseline);
  found->second.judge.set_baseline(baseline);
}

ReplayPairs::Pair* ReplayPairs::pair_of(const Observation& observation, Timestamp now) {
  auto& known = known_[observation.entity.get()];
  if (known.entity) return known.pair;
  if (known_.size() > 4 * limit) { // entities that changed their name often enough
    known_.clear();
    return pair_of(observation, now);
  }
  known.entity = observation.entity;
  auto profile = profile_of(*observation.entity);
  auto found = pairs_.find(profile);
  if (found == pairs_.end()) {
    if (pairs_.size() >= limit) return nullptr;
    auto limits = PairLimits::of(*observation.entity, budget_);
    JudgePolicy policy;
    policy.limits = limits;
    const auto begun = live_pace_ ? now : observation.at;
    found = pairs_
                .emplace(profile, Pair{ServiceCollector{observation.entity, gateway_, scale_, begun, limits},
                                       ServiceJudge{observation.entity, gateway_, scale_, begun, policy},
                                       now + pace_of(scale_)})
                .first;
    auto& pair = found->second;
    pair.collector.set_indicators(indicators_);
    pair.judge.set_indicators(indicators_);
    if (auto baseline = baselines_.find(profile); baseline != baselines_.end()) {
      pair.collector.set_baseline(baseline->second);
      pair.judge.set_baseline(baseline->second);
    }
  }
  return known.pair = &found->second;
}

void ReplayPairs::learn(const std::vector<Observation>& observations, Timestamp now) {
  learning_ = true;
  for (const auto& observation : observations) {
    if (auto* pair = pair_of(observation, now))
      static_cast<void>(pair->collector.observe(observation));
    else
      ++without_pair_;
  }
}

void ReplayPairs::judge(const std::vector<Observation>& observations, Timestamp now,
                        std::vector<Finding>& out) {
  for (const auto& observation : observations) {
    if (auto* pair = pair_of(observation, now))
      pair->judge.judge(observation, pair->collector.observe(observation), out);
    else
      ++without_pair_;
  }
}

void ReplayPairs::take_delta(Pair& pair, Timestamp now, bool force) {
  auto delta = pair.collector.close_window(now, force);
  if (!delta || !learning_) return;
  auto profile = profile_of(delta->entity);
  auto place = evidence_.find(profile);
  if (place == evidence_.end()) place = evidence_.emplace(profile, Evidence{profile, gateway_, scale_}).first;
  static_cast<void>(place->second.apply(*delta));
  learned_until_ = std::max(learned_until_, delta->until);
}

void ReplayPairs::look(Pair& pair, Timestamp now, std::vector<Finding>& out) {
  take_delta(pair, now, false);
  if (!learning_) pair.judge.close_window(now, out);
}

void ReplayPairs::pass(Timestamp now, std::vector<Finding>& out) {
  if (live_pace_) {
    for (auto& [profile, pair] : pairs_) {
      pair.next_look = std::max(pair.next_look, now - ReplayClock::longest_gap);
      for (; pair.next_look <= now; pair.next_look += pace_of(scale_))
        look(pair, pair.next_look, out);
    }
    return;
  }
  if (now < next_window_ && now > next_window_ - 2 * scale_.window) return;
  next_window_ = now + scale_.window;
  for (auto& [profile, pair] : pairs_)
    look(pair, now, out);
}

void ReplayPairs::end(Timestamp now, std::vector<Finding>& out) {
  for (auto& [profile, pair] : pairs_) {
    take_delta(pair, now, true);
    if (!learning_) pair.judge.close_window(now, out, true);
  }
  known_.clear();
  pairs_.clear();
  next_window_ = 0;
}

void ReplayPairs::train() {
  TrainingPolicy policy;
  policy.quorum = 1;
  policy.days = 1;
  policy.min_days = 0;
  policy.scale = scale_;
  TrainingInput input;
  input.force_promotion = true; // whoever gives a capture to learn from says that it is normal
  input.forced_by = "--learn";
  for (const auto& [profile, evidence] : evidence_) {
    std::array<const Evidence*, 1> one{&evidence};
    baselines_[profile] =
        std::make_shared<const Baseline>(iris::train(one, policy, input, learned_until_, nullptr));
  }
  learning_ = false;
}

} // namespace iris
