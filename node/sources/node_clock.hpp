#pragma once
#include "core/base/clock_line.hpp"

#include <functional>
#include <mutex>
#include <vector>

namespace iris {

/// The time of this process, as ClockLine tells it. Thread-safe.
class NodeClock {
public:
  using Read = std::function<std::int64_t()>; ///< nanoseconds
  NodeClock();                                ///< CLOCK_REALTIME and CLOCK_BOOTTIME
  NodeClock(Read wall, Read boot);

  [[nodiscard]] Timestamp now();  ///< on the line
  [[nodiscard]] Duration shift(); ///< what makes a time on the line the wall's, as of now
  [[nodiscard]] std::int64_t line_minus_boot() const;
  /// The jumps since the last call, at most a few.
  [[nodiscard]] std::vector<ClockLine::Jump> take_jumps();

private:
  std::int64_t look();

  Read wall_, boot_;
  mutable std::mutex mutex_;
  ClockLine line_;
  std::vector<ClockLine::Jump> jumps_;
};

/// The one of this process.
[[nodiscard]] NodeClock& node_clock();

} // namespace iris
