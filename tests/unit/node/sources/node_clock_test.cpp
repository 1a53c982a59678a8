#include "node/sources/node_clock.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("the clock of a process goes on while the wall clock is set", "[clock]") {
  std::int64_t wall = 1'764'000'000 * second, boot = 50 * second;
  NodeClock clock{[&] { return wall; }, [&] { return boot; }};
  const auto start = clock.now();
  CHECK(start == wall);
  wall -= 3'600 * second;
  boot += second;
  wall += second;
  CHECK(clock.now() == start + second);
  CHECK(clock.shift() == -3'600 * second);
  CHECK(clock.line_minus_boot() == start - 50 * second);
  auto jumps = clock.take_jumps();
  REQUIRE(jumps.size() == 1);
  CHECK(jumps[0].by == -3'600 * second);
  CHECK(jumps[0].at == start + second);
  CHECK(clock.take_jumps().empty());
}

TEST_CASE("the real clocks of this machine agree with the line", "[clock]") {
  NodeClock clock;
  CHECK(std::abs(clock.shift()) < 100 * millisecond);
  const auto first = clock.now();
  CHECK(clock.now() >= first);
}
