#include "core/base/clock_line.hpp"

#include <cstdlib>

namespace iris {

namespace {

/// The clocks are read one after the other: such differences are none.
constexpr Duration jitter = millisecond;

} // namespace

std::optional<ClockLine::Jump> ClockLine::look(Timestamp wall, std::int64_t boot) {
  const auto by = wall - boot - wall_minus_boot_;
  if (std::abs(by) < jitter) return std::nullopt;
  wall_minus_boot_ += by;
  if (std::abs(by) < told) return std::nullopt;
  return Jump{by, at(boot)};
}

std::string describe_jump(Duration by) {
  return human_duration(std::abs(by)) + (by < 0 ? " back" : " forwards");
}

} // namespace iris
