#include "node/router/phase_clock.hpp"

#include <algorithm>

namespace iris {

void PhaseClock::started(const std::string& container, Timestamp at) {
  if (lives_.size() >= limit && !lives_.contains(container)) return;
  lives_[container] = {at, at};
}

void PhaseClock::exec(const std::string& container, Timestamp at) {
  auto life = lives_.find(container);
  if (life == lives_.end()) {
    started(container, at); // its first process: the engine tells of it later
    return;
  }
  // A program that starts after a quiet quarter belongs to the steady life.
  if (at <= life->second.started + startup_ || at - life->second.last_exec <= startup_ / 4)
    life->second.last_exec = std::max(at, life->second.last_exec);
}

Phase PhaseClock::phase_of(const std::string& container, Timestamp at) const {
  auto life = lives_.find(container);
  if (life == lives_.end()) return Phase::steady;
  auto age = at - life->second.started;
  if (age < startup_) return Phase::startup;
  if (age >= 5 * startup_) return Phase::steady;
  return at - life->second.last_exec <= startup_ / 4 ? Phase::startup : Phase::steady;
}

} // namespace iris
