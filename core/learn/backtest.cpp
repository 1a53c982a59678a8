#include "core/learn/backtest.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace iris {

std::uint32_t replay_novelties(const TrustView& view, std::size_t gateway, const TrainingPolicy& policy,
                               Timestamp frozen, Timestamp until, bool today) {
  const auto& evidence = view.evidence(gateway);
  auto fleet = view.fleet_stats(frozen);
  auto site = view.site_stats(gateway, frozen);
  std::unordered_set<std::uint64_t> causes;
  bool startup = false;
  for (const auto& [id, record] : evidence.keys) {
    if (record.last <= frozen || record.first > until || view.held(gateway, record)) continue;
    if (!is_reported(record.family, evidence.entity.kind, record.peer_class)) continue;
    // From the coarsest level that is new; a finer one can only be more common.
    for (std::size_t step = level_count; step-- > 0;) {
      auto key = record.keys[step];
      if (key == 0 || view.knows(gateway, key, record.phase, frozen, today)) continue;
      if (record.phase == Phase::startup) {
        startup = true;
      } else {
        const auto& stats = step < record.site_levels ? site : fleet;
        if (surprise_bits(stats[BaselinePart::stat_index(record.family, record.phase, step)]) <
            policy.report_bits)
          continue;
        causes.insert(key);
      }
      break;
    }
  }
  return std::uint32_t(causes.size()) + (startup ? 1 : 0);
}

Replay backtest(const TrustView& view, std::size_t gateway, const TrainingPolicy& policy,
                std::uint32_t look) {
  const auto& evidence = view.evidence(gateway);
  auto half_days = std::exp2(double(look) - 1);
  auto half = evidence.started + Timestamp(half_days * double(policy.scale.day));
  auto until = evidence.started + Timestamp(2 * half_days * double(policy.scale.day));
  Replay replay;
  replay.novelties = replay_novelties(view, gateway, policy, half, until, false);

  std::map<NumberKey, NumberSamples> before;
  Duration exposure = 0;
  for (std::size_t i = 0; i < evidence.slices.size() && i < look; ++i) {
    exposure += evidence.slices[i].steady;
    for (const auto& [key, samples] : evidence.slices[i].numbers)
      before[key].merge(samples);
  }
  if (look >= evidence.slices.size()) return replay;
  auto days = double(exposure) / double(policy.scale.day);
  for (const auto& [key, samples] : evidence.slices[look].numbers)
    if (is_reported(key.family))
      replay.volumes += samples.days_above(threshold_of(key.family, before[key], days, policy.days).value);
  return replay;
}

std::uint32_t look_at(double age_days, const TrainingPolicy& policy) {
  if (age_days < 2 || age_days < policy.min_days) return 0;
  return std::min(std::uint32_t(std::log2(age_days)), policy.looks);
}

} // namespace iris
