#include "core/base/clock_line.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

constexpr Duration hour = 3'600 * second;

/// Both clocks of a machine, to be run and set.
struct Clocks {
  Timestamp wall = 1'764'000'000 * second;
  std::int64_t boot = 500 * second;
  ClockLine line{wall, boot};
  void run(Duration span) {
    wall += span;
    boot += span;
  }
  std::optional<ClockLine::Jump> look() { return line.look(wall, boot); }
};

} // namespace

TEST_CASE("clocks that run alike make the line the wall clock", "[clock]") {
  Clocks clocks;
  clocks.run(24 * hour);
  clocks.wall += 20 * microsecond; // read a little later
  CHECK_FALSE(clocks.look());
  CHECK(clocks.line.shift() == 0);
  CHECK(clocks.line.at(clocks.boot) == clocks.wall - 20 * microsecond);
}

TEST_CASE("a jump of an hour either way is told once and leaves the line straight", "[clock]") {
  const Duration by = GENERATE(as<Duration>{}, 3'600 * second, -3'600 * second);
  Clocks clocks;
  const auto before = clocks.line.at(clocks.boot);
  clocks.wall += by;
  clocks.run(10 * second);
  auto jump = clocks.look();
  REQUIRE(jump);
  CHECK(jump->by == by);
  CHECK(jump->at == before + 10 * second);
  CHECK(clocks.line.at(clocks.boot) == before + 10 * second);
  CHECK(clocks.line.at(clocks.boot) + clocks.line.shift() == clocks.wall);
  CHECK_FALSE(clocks.look());
  clocks.wall -= by; // and set right again
  REQUIRE(clocks.look());
  CHECK(clocks.line.shift() == 0);
}

TEST_CASE("a leap second is followed and not told", "[clock]") {
  Clocks clocks;
  clocks.wall -= second; // 23:59:60 is the same second once more
  CHECK_FALSE(clocks.look());
  CHECK(clocks.line.shift() == -second);
  CHECK(clocks.line.at(clocks.boot) == clocks.wall + second);
}

TEST_CASE("a machine without a clock that learns the time after its boot", "[clock]") {
  Clocks clocks;
  clocks.wall = 5 * second; // 1970
  clocks.boot = 5 * second;
  clocks.line = ClockLine{clocks.wall, clocks.boot};
  clocks.run(20 * second);
  clocks.wall = 1'764'000'000 * second;
  auto jump = clocks.look();
  REQUIRE(jump);
  CHECK(jump->by == 1'764'000'000 * second - 25 * second);
  CHECK(clocks.line.at(clocks.boot) == 25 * second);
  CHECK(25 * second + clocks.line.shift() == clocks.wall);
}

TEST_CASE("a jump is described for people", "[clock]") {
  CHECK(describe_jump(2 * hour) == "2 h forwards");
  CHECK(describe_jump(-90 * second) == "90 s back");
}
