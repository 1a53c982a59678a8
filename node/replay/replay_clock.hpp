#pragma once
#include "core/base/time.hpp"

#include <algorithm>

namespace iris {

/// The clock of a recording: it only goes on, and strikes every second as the router's does.
class ReplayClock {
public:
  /// A gap in which nobody recorded: no more seconds than this are lived through.
  static constexpr Duration longest_gap = 3'600 * second;

  /// @param tick called for every second that is over at `at`, in order.
  template <class Tick>
  void advance(Timestamp at, Tick tick) {
    if (next_ == 0) next_ = at + second;
    now_ = std::max(now_, at);
    for (const auto until = next_ + longest_gap; next_ <= now_ && next_ <= until; next_ += second)
      tick(next_);
    if (next_ <= now_) next_ = now_ + second;
  }
  [[nodiscard]] Timestamp now() const { return now_; }

private:
  Timestamp now_ = frame_earliest_time, next_ = 0;
  static constexpr Timestamp frame_earliest_time = -(std::int64_t{1} << 60);
};

} // namespace iris
