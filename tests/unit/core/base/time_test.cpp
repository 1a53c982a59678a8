#include "core/base/time.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("rfc3339 round trip keeps microseconds") {
  auto at = parse_rfc3339("2026-11-24T08:20:00.123456Z");
  REQUIRE(at);
  CHECK(rfc3339(*at) == "2026-11-24T08:20:00.123456Z");
  CHECK(rfc3339(-1) == "1969-12-31T23:59:59.999999Z");
  CHECK_FALSE(parse_rfc3339("2026-11-24T08:20:00"));
  CHECK_FALSE(parse_rfc3339("yesterday"));
}

TEST_CASE("durations have one unit and nothing else") {
  CHECK(parse_duration("250ms") == 250 * millisecond);
  CHECK(parse_duration("7d") == 7 * 86'400 * second);
  CHECK_FALSE(parse_duration("7"));
  CHECK_FALSE(parse_duration("-1s"));
  CHECK_FALSE(parse_duration("1h30m"));
  CHECK_FALSE(parse_duration("9999999999999d"));
}
