#pragma once
#include "core/base/time.hpp"

#include <chrono>
#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace iris {

/// The cheapest steady counter of this machine: time stamp counter, generic timer, or nanoseconds where there
/// is neither. A message is timed with two of these; steady_clock would cost three times as much.
[[nodiscard]] inline std::uint64_t ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#elif defined(__aarch64__)
  std::uint64_t value;
  asm volatile("mrs %0, cntvct_el0" : "=r"(value));
  return value;
#else
  return std::uint64_t(std::chrono::steady_clock::now().time_since_epoch().count());
#endif
}

/// Converts ticks to nanoseconds and wall time. It measures the rate from its own construction to the
/// question, so nothing needs to be calibrated at start and the answer gets better with age.
class TickScale {
public:
  TickScale() : ticks_{ticks()}, steady_{std::chrono::steady_clock::now()}, wall_{wall_now()} {
    // nop
  }
  [[nodiscard]] Duration nanoseconds(std::uint64_t span) const { return Duration(double(span) * per_tick()); }
  [[nodiscard]] Timestamp wall(std::uint64_t at) const {
    return wall_ + Duration(double(std::int64_t(at - ticks_)) * per_tick());
  }
  [[nodiscard]] static Timestamp wall_now() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }

private:
  [[nodiscard]] double per_tick() const {
    const auto steady = std::chrono::steady_clock::now() - steady_;
    const auto span = ticks() - ticks_;
    return span == 0
               ? 1.0
               : double(std::chrono::duration_cast<std::chrono::nanoseconds>(steady).count()) / double(span);
  }

  std::uint64_t ticks_;
  std::chrono::steady_clock::time_point steady_;
  Timestamp wall_;
};

} // namespace iris
