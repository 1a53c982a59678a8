#include "core/link/clock_filter.hpp"

#include <algorithm>
#include <limits>

namespace iris {
namespace {

constexpr auto largest = std::numeric_limits<Duration>::max();

/// From 1970 to 2116: so that no sum or difference of two can overflow. A board without a battery starts at
/// 0, which also is "no answer".
bool plausible(Timestamp time) { return time > 0 && time < Timestamp(1) << 62; }

} // namespace

Duration apart(Duration a, Duration b) {
  Duration difference = 0;
  if (__builtin_sub_overflow(a, b, &difference) || difference == std::numeric_limits<Duration>::min())
    return largest;
  return difference < 0 ? -difference : difference;
}

bool ClockFilter::add(Timestamp sent, Timestamp theirs, Timestamp back) {
  if (!plausible(sent) || !plausible(theirs) || !plausible(back)) return false;
  const auto round_trip = back - sent;
  if (round_trip < 0 || round_trip > longest_trip) return false;
  const Sample fresh{theirs - sent - round_trip / 2, round_trip};
  // The truth is within half a round trip of each offset. Where two such ranges do not meet, the clock was
  // set in between, and what is older tells of a time that is over.
  const auto* end = samples_.data() + count_;
  auto* kept = samples_.data();
  for (const auto* old = samples_.data(); old != end; ++old)
    if (apart(old->offset, fresh.offset) <= (old->round_trip + fresh.round_trip) / 2 + step) *kept++ = *old;
  count_ = std::size_t(kept - samples_.data());
  if (count_ == stages) {
    std::move(samples_.begin() + 1, samples_.end(), samples_.begin());
    --count_;
  }
  samples_[count_++] = fresh;
  return true;
}

std::optional<ClockFilter::Sample> ClockFilter::best() const {
  if (count_ == 0) return {};
  // Of two that were as fast the newer one: clocks drift.
  auto best = samples_.begin();
  for (auto sample = best + 1; sample != samples_.begin() + std::ptrdiff_t(count_); ++sample)
    if (sample->round_trip <= best->round_trip) best = sample;
  return *best;
}

std::optional<Duration> one_way_offset(Timestamp sent, Timestamp now) {
  if (!plausible(sent) || !plausible(now)) return {};
  return sent - now;
}

ClockVerdict judge_clock(Duration offset, Duration& told) {
  const auto off = apart(offset, 0);
  if (off > clock_wrong_from && (told == 0 || apart(offset, told) > clock_wrong_from)) {
    told = offset;
    return ClockVerdict::wrong;
  }
  if (told != 0 && off < clock_right_below) {
    told = 0;
    return ClockVerdict::right;
  }
  return ClockVerdict::same;
}

} // namespace iris
