#include "node/spool/spool.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

constexpr Duration minute = 60 * second;

} // namespace

TEST_CASE("issue: acknowledged batches age also when the clock was a year ahead") {
  TempDir dir;
  auto opened = Spool::open(dir.path("spool"), {}, 0);
  REQUIRE(opened.ok());
  const auto& spool = *opened;
  auto make = [&](Timestamp at) {
    REQUIRE(spool->append(Lane::findings, {std::vector<char>(10, 'x')}, at).ok());
  };
  auto run_until = [&](Timestamp from, Timestamp to) {
    for (auto now = from; now <= to; now += 5 * minute)
      spool->expire(now);
  };
  constexpr Duration year = 365 * 86'400 * second;
  REQUIRE(spool->start_epoch(1, std::string(32, 'k')).ok());
  make(year);
  make(minute); // it was set right
  REQUIRE(spool->acknowledge(Lane::findings, 2, 2 * minute).ok());
  CHECK(spool->counters().batches == 2);
  run_until(2 * minute, 55 * minute);
  make(55 * minute);
  REQUIRE(spool->acknowledge(Lane::findings, 3, 55 * minute).ok());
  CHECK(spool->counters().batches == 3); // within the hour
  run_until(55 * minute, 70 * minute);
  make(70 * minute);
  REQUIRE(spool->acknowledge(Lane::findings, 4, 70 * minute).ok());
  CHECK(spool->counters().batches == 2);
}
