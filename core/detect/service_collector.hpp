#pragma once
#include "core/detect/pair_limits.hpp"
#include "core/learn/baseline.hpp"
#include "core/learn/delta.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace iris {

class IndicatorSet;

/// Counts what one entity does, window by window. One for a service or an active LAN device.
class ServiceCollector {
public:
  struct Counters {
    std::uint64_t observations = 0, windows = 0, overflow = 0;
    std::size_t keys = 0; ///< in the open window
  };

  ServiceCollector(EntityPtr entity, std::string gateway, const TimeScale& scale, Timestamp now,
                   const PairLimits& limits = {});
  ~ServiceCollector();
  ServiceCollector(ServiceCollector&&) noexcept;
  ServiceCollector& operator=(ServiceCollector&&) noexcept;

  void set_baseline(BaselinePtr baseline); ///< texts of keys that it knows are not sent
  void set_indicators(std::shared_ptr<const IndicatorSet> indicators); ///< listed peers are never learned
  void set_scale(const TimeScale& scale);                              ///< takes effect with the next window
  /// The behaviours of the observation, for the judge; valid until the next call.
  const std::vector<BehaviourPtr>& observe(const Observation& observation);
  /// When a window is over at `now` (TimeScale::window after the last one; any time with `force`): its delta.
  /// Nothing where it is not over, or where there was neither exposure nor an observation.
  [[nodiscard]] std::optional<ServiceDelta> close_window(Timestamp now, bool force = false);
  [[nodiscard]] Counters counters() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace iris
