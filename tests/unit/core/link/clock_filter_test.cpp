#include "core/link/clock_filter.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace iris;

namespace {

constexpr Timestamp noon = 1'764'000'000 * second;
constexpr Timestamp earliest = std::numeric_limits<Timestamp>::min(),
                    latest = std::numeric_limits<Timestamp>::max();

/// A question at `at` to a clock that is off by `off`, over a way of `there` and `back`.
bool ask(ClockFilter& filter, Timestamp at, Duration off, Duration there, Duration back) {
  return filter.add(at, at + there + off, at + there + back);
}

} // namespace

TEST_CASE("the offset is taken from the sample with the smallest round trip") {
  ClockFilter filter;
  CHECK_FALSE(filter.best());
  CHECK(ask(filter, noon, 700 * second, 4 * second, 0)); // wrong by 2 s
  CHECK(filter.best()->offset == 702 * second);
  CHECK(ask(filter, noon + second, 700 * second, 3 * millisecond, 1 * millisecond));
  CHECK(filter.best()->offset == 700 * second + millisecond);
  CHECK(filter.best()->round_trip == 4 * millisecond);
  CHECK(ask(filter, noon + 2 * second, 700 * second, 0, 900 * millisecond)); // does not spoil it
  CHECK(filter.best()->offset == 700 * second + millisecond);
  CHECK(filter.size() == 3);
}

TEST_CASE("of eight samples as fast the newest counts, and older ones are forgotten") {
  ClockFilter filter;
  (void)ask(filter, noon, 0, 0, 0); // the fastest that ever was
  for (int i = 1; i <= 8; ++i) {
    CHECK(filter.best()->round_trip == 0);
    (void)ask(filter, noon + i * second, i * 10 * millisecond, 2 * millisecond, 2 * millisecond);
  }
  CHECK(filter.size() == ClockFilter::stages);
  CHECK(filter.best()->round_trip == 4 * millisecond);
  CHECK(filter.best()->offset == 80 * millisecond); // drift is followed
}

TEST_CASE("a clock that was set is believed at once, whatever was measured before") {
  ClockFilter filter;
  for (int i = 0; i < 8; ++i)
    (void)ask(filter, noon + i * second, 0, millisecond, millisecond);
  (void)ask(filter, noon + 9 * second, 3'600 * second, second,
            3 * second); // slow, but nothing else explains it
  CHECK(filter.size() == 1);
  CHECK(filter.best()->offset == 3'599 * second);
  (void)ask(filter, noon + 10 * second, 3'600 * second, second, second);
  CHECK(filter.size() == 2);
  CHECK(filter.best()->offset == 3'600 * second);
  // A slow answer within its own uncertainty removes nothing.
  (void)ask(filter, noon + 11 * second, 3'600 * second, 20 * second, 0);
  CHECK(filter.size() == 3);
  CHECK(filter.best()->offset == 3'600 * second);
}

TEST_CASE("times that cannot be are no samples, and nothing overflows") {
  ClockFilter filter;
  for (const auto theirs : {Timestamp{0}, Timestamp{-1}, earliest, latest, Timestamp{1} << 62})
    CHECK_FALSE(filter.add(noon, theirs, noon + second));
  CHECK_FALSE(filter.add(noon, noon, noon - 1)); // ours was set back meanwhile
  CHECK_FALSE(filter.add(noon, noon, noon + ClockFilter::longest_trip + 1));
  CHECK_FALSE(filter.add(earliest, noon, latest));
  CHECK_FALSE(filter.best());
  CHECK(filter.add(noon, 1, noon));
  CHECK(filter.add(noon, (Timestamp{1} << 62) - 1, noon));
  CHECK(filter.size() == 1);
  CHECK_FALSE(one_way_offset(earliest, noon));
  CHECK_FALSE(one_way_offset(latest, noon));
  CHECK_FALSE(one_way_offset(0, noon));
  CHECK(*one_way_offset(noon - second, noon) == -second);
  CHECK(apart(earliest, latest) == latest);
  CHECK(apart(earliest, 0) == latest);
  CHECK(apart(-3, 4) == 7);
}

TEST_CASE("a clock that is off is spoken of once, when it changes, and when it is right again") {
  Duration told = 0;
  CHECK(judge_clock(clock_wrong_from, told) == ClockVerdict::same);
  CHECK(judge_clock(-clock_wrong_from, told) == ClockVerdict::same);
  CHECK(told == 0);
  CHECK(judge_clock(301 * second, told) == ClockVerdict::wrong);
  for (int i = 0; i < 100; ++i)
    CHECK(judge_clock((300 + i % 3) * second, told) == ClockVerdict::same);
  CHECK(judge_clock(270 * second, told) == ClockVerdict::same); // not yet right
  CHECK(judge_clock(3'600 * second, told) == ClockVerdict::wrong);
  CHECK(judge_clock(-3'600 * second, told) == ClockVerdict::wrong);
  CHECK(judge_clock(earliest, told) == ClockVerdict::wrong);
  CHECK(judge_clock(239 * second, told) == ClockVerdict::right);
  CHECK(told == 0);
  CHECK(judge_clock(0, told) == ClockVerdict::same);
}
