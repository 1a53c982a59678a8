#pragma once
#include "core/base/time.hpp"

#include <optional>

namespace iris {

/// A time that never jumps: the wall clock as it was at the start, plus what the boot clock has run since.
/// Windows, quiet times and order live on it. Wall time is mapped to it where something comes in, and back
/// where something leaves, once a batch. Both clocks are slewed alike by NTP: only steps make a difference.
class ClockLine {
public:
  /// Smaller steps (a leap second is one of a second) are followed without a word.
  static constexpr Duration told = 1'500 * millisecond;
  struct Jump {
    Duration by = 0;  ///< forwards is positive
    Timestamp at = 0; ///< on the line
  };

  ClockLine(Timestamp wall, std::int64_t boot) : start_{wall - boot}, wall_minus_boot_{start_} {}

  /// Both clocks, read together. A jump since the last call that is worth a report.
  std::optional<Jump> look(Timestamp wall, std::int64_t boot);

  [[nodiscard]] Timestamp at(std::int64_t boot) const { return start_ + boot; }
  /// What is added to a time on the line to make it the wall's of now.
  [[nodiscard]] Duration shift() const { return wall_minus_boot_ - start_; }
  [[nodiscard]] Duration line_minus_boot() const { return start_; }

private:
  Duration start_, wall_minus_boot_;
};

/// SensorHealth::what of a jump, and how far it went: "1 h forwards".
inline constexpr const char* clock_jump = "clock-jump";
[[nodiscard]] std::string describe_jump(Duration by);

} // namespace iris
