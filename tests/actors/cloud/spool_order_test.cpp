#include "tests/actors/cloud/spool_world.hpp"

using namespace iris;
using namespace iris::test;

namespace {

std::vector<char> one_delta(int number) {
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = "edgex-mongo";
  delta.from = noon + number * second;
  delta.until = delta.from + second;
  KeyDelta key;
  key.keys = {std::uint64_t(1 + number % 7), 1, 2};
  key.count = 3;
  key.first = key.last = delta.from;
  delta.keys.assign(20, key);
  delta.observations = 60;
  return encode(delta);
}

} // namespace

TEST_CASE("a full spool lets go what is acknowledged before it merges or drops anything") {
  TempDir place;
  SpoolLimits limits;
  limits.bytes = 200'000;
  SpoolGateway gateway{place.path("spool"), limits};
  REQUIRE(gateway.spool->start_epoch(1).ok());
  for (int i = 0; i < 15; ++i)
    REQUIRE(gateway.spool->append(Lane::counts, {std::vector<char>(10'000, 'x')}, noon).ok());
  REQUIRE(gateway.spool->acknowledge(Lane::counts, 15, noon).ok());
  for (int i = 0; i < 15; ++i)
    REQUIRE(gateway.spool->append(Lane::counts, {std::vector<char>(10'000, 'x')}, noon).ok());
  CHECK(gateway.spool->counters().bytes <= limits.bytes);
  CHECK(gateway.spool->counters().shed_counts == 0);
}

TEST_CASE("what was offered to a cloud is not merged: it may have it already") {
  TempDir place;
  SpoolLimits limits;
  limits.bytes = 200'000;
  SpoolGateway gateway{place.path("spool"), limits};
  REQUIRE(gateway.spool->start_epoch(1).ok());
  for (int i = 0; i < 20; ++i)
    REQUIRE(gateway.spool->append(Lane::counts, {one_delta(i)}, noon).ok());
  REQUIRE(gateway.spool->counters().merged_batches == 0);
  const auto offered = gateway.spool->read(Lane::counts, 0, 20, 1 << 20, noon);
  REQUIRE(offered.size() == 20);
  for (int i = 20; i < 2'000 && gateway.spool->counters().merged_batches == 0; ++i)
    REQUIRE(gateway.spool->append(Lane::counts, {one_delta(i)}, noon).ok());
  REQUIRE(gateway.spool->counters().merged_batches > 0);
  const auto again = gateway.spool->read(Lane::counts, 0, 20, 1 << 20, noon);
  REQUIRE(again.size() == 20);
  CHECK(gateway.spool->counters().shed_counts == 0);
  for (const auto& batch : again)
    CHECK(decode_batch(batch.bytes).deltas.size() == 1);
}

TEST_CASE("where only remains are left a spool refuses counts, then findings, and stays within its bound") {
  TempDir place;
  SpoolLimits limits;
  limits.bytes = 20'000;
  SpoolGateway gateway{place.path("spool"), limits};
  REQUIRE(gateway.spool->start_epoch(1).ok());
  auto fill = [&](Lane lane) { // with what is smaller than the statement that it is gone
    Result<void> last;
    for (int i = 0; i < 1'000 && last; ++i)
      last = gateway.spool->append(lane, {std::vector<char>(1, 'x')}, noon);
    return last;
  };
  const auto counts = fill(Lane::counts);
  REQUIRE_FALSE(counts.ok());
  CHECK(counts.error().code == Errc::limit);
  CHECK(gateway.spool->append(Lane::findings, {std::vector<char>(1, 'x')}, noon).ok());
  CHECK_FALSE(fill(Lane::findings).ok());
  CHECK(gateway.spool->counters().bytes < limits.bytes + limits.bytes / 4 + 1'000);
  CHECK(gateway.spool->counters().refused == 2);
}
