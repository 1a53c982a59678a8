#pragma once
#include "core/base/observation.hpp"

#include <string>
#include <unordered_map>

namespace iris {

/// Says in which phase of its life a container is: startup from its start for at least TimeScale::startup,
/// and longer while programs are still being started in it, at most five times as long; steady from then on.
class PhaseClock {
public:
  static constexpr std::size_t limit = 1'024; ///< containers; beyond it everything counts as steady

  void set_scale(const TimeScale& scale) { startup_ = scale.startup; }
  void started(const std::string& container, Timestamp at);
  void gone(const std::string& container) { lives_.erase(container); }
  void exec(const std::string& container, Timestamp at);
  /// Steady for what is not a known container (devices).
  [[nodiscard]] Phase phase_of(const std::string& container, Timestamp at) const;

private:
  struct Life {
    Timestamp started = 0, last_exec = 0;
  };
  Duration startup_ = TimeScale{}.startup;
  std::unordered_map<std::string, Life> lives_;
};

} // namespace iris
