#include "node/spool/spool.hpp"

#include "schemas/link.capnp.h"
#include "tests/fixtures/temp_dir.hpp"

#include <capnp/serialize.h>
#include <catch2/catch.hpp>

#include <cstring>

using namespace iris;

namespace {

struct Content {
  std::size_t findings = 0, deltas = 0;
  std::uint64_t lost = 0;
};

Content content_of(const SpooledBatch& batch) {
  std::vector<capnp::word> words(batch.bytes.size() / sizeof(capnp::word));
  std::memcpy(words.data(), batch.bytes.data(), batch.bytes.size());
  capnp::FlatArrayMessageReader message{kj::ArrayPtr<const capnp::word>(words.data(), words.size())};
  auto root = message.getRoot<schema::Batch>();
  Content content{root.getFindings().size(), root.getDeltas().size(), 0};
  for (auto loss : root.getLosses())
    content.lost += loss.getCount();
  return content;
}

std::vector<std::vector<char>> entries(std::size_t count, std::size_t size) {
  return std::vector<std::vector<char>>(count, std::vector<char>(size, 'x'));
}

std::unique_ptr<Spool> open_spool(const TempDir& dir, SpoolLimits limits = {}) {
  auto spool = Spool::open(dir.path("spool"), limits, 0);
  REQUIRE(spool.ok());
  return std::move(*spool);
}

} // namespace

TEST_CASE("a spool gives back what it was given, in order, also after a restart") {
  TempDir dir;
  {
    auto spool = open_spool(dir);
    REQUIRE(spool->start_epoch(7).ok());
    REQUIRE(spool->append(Lane::findings, entries(2, 10), 1).ok());
    REQUIRE(spool->append(Lane::findings, entries(1, 10), 2).ok());
    REQUIRE(spool->append(Lane::counts, entries(3, 10), 3).ok());
  }
  auto spool = open_spool(dir);
  CHECK(spool->epoch() == 7);
  auto batches = spool->read(Lane::findings, 0, 10, 1 << 20);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].seq == 1);
  CHECK(content_of(batches[0]).findings == 2);
  CHECK(batches[1].seq == 2);
  CHECK(content_of(spool->read(Lane::counts, 0, 10, 1 << 20).at(0)).deltas == 3);
  REQUIRE(spool->acknowledge(Lane::findings, 1, 4).ok());
  CHECK(spool->first_seq(Lane::findings) == 2);
  REQUIRE(spool->append(Lane::findings, entries(1, 10), 5).ok());
  CHECK(spool->last_seq(Lane::findings) == 3);
}

TEST_CASE("a second process is told that the spool is in use") {
  TempDir dir;
  auto spool = open_spool(dir);
  auto second = Spool::open(dir.path("spool"), {}, 0);
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == Errc::locked);
}

TEST_CASE("a restored cloud gets acknowledged batches of the last hour again") {
  TempDir dir;
  auto spool = open_spool(dir);
  REQUIRE(spool->start_epoch(1).ok());
  for (int i = 1; i <= 5; ++i)
    REQUIRE(spool->append(Lane::counts, entries(1, 10), i * 60 * second).ok());
  REQUIRE(spool->acknowledge(Lane::counts, 5, 300 * second).ok());
  CHECK(spool->first_seq(Lane::counts) == 0);
  auto resumed = spool->resume(Lane::counts, 2, 301 * second);
  REQUIRE(resumed.ok());
  CHECK(*resumed);
  CHECK(spool->first_seq(Lane::counts) == 3);

  SECTION("but not what is older, which is a loss that it tells") {
    REQUIRE(spool->acknowledge(Lane::counts, 5, 2 * 3'600 * second).ok());
    auto too_old = spool->resume(Lane::counts, 2, 2 * 3'600 * second);
    REQUIRE(too_old.ok());
    CHECK_FALSE(*too_old);
    REQUIRE(spool->start_epoch(2).ok());
    REQUIRE(spool->append(Lane::counts, entries(1, 10), 2 * 3'600 * second).ok());
    auto batches = spool->read(Lane::counts, 0, 10, 1 << 20);
    REQUIRE(batches.size() == 1);
    CHECK(batches[0].seq == 1);
    CHECK(content_of(batches[0]).lost == 3);
  }
}

TEST_CASE("a full spool sheds counts before findings and says what is missing") {
  TempDir dir;
  SpoolLimits limits;
  limits.bytes = 200'000;
  auto spool = open_spool(dir, limits);
  REQUIRE(spool->start_epoch(1).ok());
  for (int i = 1; i <= 10; ++i)
    REQUIRE(spool->append(Lane::findings, entries(1, 10'000), i).ok());
  for (int i = 1; i <= 40; ++i)
    REQUIRE(spool->append(Lane::counts, entries(2, 5'000), 100 + i).ok());
  CHECK(spool->counters().bytes <= limits.bytes);
  CHECK(spool->counters().shed_findings == 0);
  CHECK(spool->counters().shed_counts > 0);
  std::uint64_t lost = 0, kept = 0, expected_seq = 1;
  for (const auto& batch : spool->read(Lane::counts, 0, 100, 1 << 20)) {
    CHECK(batch.seq == expected_seq++);
    lost += content_of(batch).lost;
    kept += content_of(batch).deltas;
  }
  CHECK(expected_seq == 41);
  CHECK(lost == spool->counters().shed_counts);
  CHECK(lost + kept == 80);

  SECTION("and findings when nothing else is left") {
    for (int i = 1; i <= 40; ++i)
      REQUIRE(spool->append(Lane::findings, entries(1, 10'000), 200 + i).ok());
    CHECK(spool->counters().bytes <= limits.bytes + 20'000);
    CHECK(spool->counters().shed_findings > 0);
  }
}

TEST_CASE("losses are merged, bounded and travel with the next batch") {
  TempDir dir;
  SpoolLimits limits;
  limits.losses = 4;
  auto spool = open_spool(dir, limits);
  for (int i = 0; i < 100; ++i)
    spool->note_loss({"packets", "eth" + std::to_string(i), 10, i, i + 1});
  REQUIRE(spool->flush_losses(200).ok());
  CHECK_FALSE(spool->has_losses());
  auto batches = spool->read(Lane::counts, 0, 10, 1 << 20);
  REQUIRE(batches.size() == 1);
  CHECK(content_of(batches[0]).lost == 1'000);
}
