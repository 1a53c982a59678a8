#include "core/detect/detectors.hpp"
#include "core/learn/trust.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace iris {
namespace {

struct Excess {
  NumberKey key;
  double value = 0;
  Threshold threshold;
  std::uint64_t samples = 0;
};

/// The gateway's own experience first, then the fleet's; a number that neither has is judged at its floor.
Excess measure(const JudgeView& view, NumberKey key, double value) {
  Excess excess{key, value, {}, 0};
  const auto* known =
      view.site && view.site->progress.state == LearningState::monitoring ? view.site->find(key) : nullptr;
  if (!known) known = view.baseline->fleet.find(key);
  if (known) {
    excess.threshold = known->threshold;
    excess.samples = known->samples;
  } else {
    excess.threshold.value = floor_of(key.family);
  }
  return excess;
}

} // namespace

std::optional<Finding> network_volume(const JudgeView& view, const Act& act,
                                      const WindowNumbers::Volume& volume) {
  const auto* flow = std::get_if<Flow>(&act.observation.what);
  if (!flow || !view.monitoring()) return std::nullopt;
  auto of_flow = measure(view, {NumberFamily::flow_bytes_out, volume.peer_class}, volume.flow_bytes);
  auto of_window = measure(view, {NumberFamily::window_bytes_out, volume.peer_class}, volume.window_bytes);
  auto ratio = [](const Excess& excess) { return excess.value / std::max(excess.threshold.value, 1.0); };
  const auto& worst = ratio(of_flow) >= ratio(of_window) ? of_flow : of_window;
  if (ratio(worst) <= 1) return std::nullopt;

  // No sample ever went beyond it in E days: the surprise of a first one, and a bit for each doubling.
  const auto& part = view.site ? *view.site : view.baseline->fleet;
  FamilyStat never{0, part.stats[BaselinePart::stat_index(Family::peer_out, Phase::steady, 0)].exposure};
  auto bits = std::clamp(surprise_bits(never) + std::log2(ratio(worst)), view.policy.report_bits, 16.0);
  auto finding = finding_of(view, act, "network.volume", bits,
                            volume.peer_class == EntityKind::internet ? "T1048 T1041" : "T1048");
  finding.cause = "volume:" + finding.peer.name;
  finding.act = "sent " + describe_value(worst.key.family, worst.value) + " to {peer}";
  if (flow->inbound) finding.peer.port = 0;
  auto window = " (a window is " + human_duration(view.scale.window) + ")";
  auto seen = worst.samples == 0
                  ? "it was never seen to send anything there"
                  : "at most " + describe_value(worst.key.family, worst.threshold.max) + " in " +
                        std::to_string(worst.samples) + (worst.samples == 1 ? " sample" : " samples");
  finding.expected =
      describe(worst.key) + (worst.key.family == NumberFamily::window_bytes_out ? window : "") + ": " + seen +
      "; more than " + describe_value(worst.key.family, worst.threshold.value) + " is reported.";
  finding.expected[0] = char(finding.expected[0] - 'a' + 'A');
  char times[48];
  std::snprintf(times, sizeof times, "%.1f times the limit", ratio(worst));
  finding.observed = describe_value(worst.key.family, worst.value) + " so far, " + times + "; " +
                     port_of(*flow) + (flow->inbound ? ", the peer opened the connection." : ".");
  return finding;
}

} // namespace iris
