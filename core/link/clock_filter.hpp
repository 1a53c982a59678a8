#pragma once
#include "core/base/time.hpp"

#include <array>
#include <cstddef>
#include <optional>

namespace iris {

/// How far a peer's clock is from ours, out of questions that it answered with its time. Of the last eight
/// samples the one with the smallest round trip counts: its offset is wrong by at most half of that. This is
/// NTP's clock filter (RFC 5905, section 10). Pure; the caller reads the clock and sends the questions.
class ClockFilter {
public:
  static constexpr std::size_t stages = 8;              ///< RFC 5905: NSTAGE
  static constexpr Duration step = 125 * millisecond;   ///< RFC 5905: STEPT
  static constexpr Duration longest_trip = 60 * second; ///< a slower answer tells too little
  struct Sample {
    Duration offset = 0; ///< their clock minus ours; positive: theirs is ahead
    Duration round_trip = 0;
  };

  /// A question that left at `sent` and whose answer was there at `back`, both by our clock; `theirs` is the
  /// time in the answer. False when that tells nothing: a time that cannot be one, or ours was set meanwhile.
  bool add(Timestamp sent, Timestamp theirs, Timestamp back);
  /// The sample that counts.
  [[nodiscard]] std::optional<Sample> best() const;
  [[nodiscard]] std::size_t size() const { return count_; }

private:
  std::array<Sample, stages> samples_{}; ///< the oldest first
  std::size_t count_ = 0;
};

/// Out of a single message that was `sent` by their clock and came now: too small by the time it took.
[[nodiscard]] std::optional<Duration> one_way_offset(Timestamp sent, Timestamp now);

/// When to speak of a clock that is off: once when it is wrong, again when it is wrong in another way, and
/// once when it is right again.
enum class ClockVerdict { same, wrong, right };
inline constexpr Duration clock_wrong_from = 300 * second;
inline constexpr Duration clock_right_below = 240 * second; ///< a clock at the limit must not flap
/// `told` is the offset that was spoken of, 0 for none; set to what is to be remembered.
[[nodiscard]] ClockVerdict judge_clock(Duration offset, Duration& told);

/// |a - b|, at most the largest Duration.
[[nodiscard]] Duration apart(Duration a, Duration b);

} // namespace iris
