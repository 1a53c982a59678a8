#include "node/spool/spool.hpp"

#include "schemas/link.capnp.h"
#include "tests/fixtures/temp_dir.hpp"

#include <capnp/serialize.h>
#include <catch2/catch.hpp>

#include <cstring>
#include <filesystem>
#include <fstream>

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
  auto batches = spool->read(Lane::findings, 0, 10, 1 << 20, 9);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].seq == 1);
  CHECK(content_of(batches[0]).findings == 2);
  CHECK(batches[1].seq == 2);
  CHECK(content_of(spool->read(Lane::counts, 0, 10, 1 << 20, 9).at(0)).deltas == 3);
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
    for (int i = 1; i <= 24; ++i)
      spool->expire(i * 300 * second); // two hours
    REQUIRE(spool->acknowledge(Lane::counts, 5, 2 * 3'600 * second).ok());
    auto too_old = spool->resume(Lane::counts, 2, 2 * 3'600 * second);
    REQUIRE(too_old.ok());
    CHECK_FALSE(*too_old);
    EpochTaken before{1, {}};
    before.lanes[1] = {2, 2, 0, 120 * second};
    REQUIRE(spool->start_epoch({2, {}, before, {}}).ok());
    REQUIRE(spool->append(Lane::counts, entries(1, 10), 2 * 3'600 * second).ok());
    auto batches = spool->read(Lane::counts, 0, 10, 1 << 20, 9);
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
  for (const auto& batch : spool->read(Lane::counts, 0, 100, 1 << 20, 9)) {
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
  auto batches = spool->read(Lane::counts, 0, 10, 1 << 20, 9);
  REQUIRE(batches.size() == 1);
  CHECK(content_of(batches[0]).lost == 1'000);
}

TEST_CASE("on a full volume the spool is read and refuses what comes, and goes on when there is room") {
  TempDir dir;
  std::uint64_t room = 1ull << 30;
  SpoolLimits limits;
  limits.free_bytes = [&room] { return room; };
  {
    auto spool = open_spool(dir, limits);
    REQUIRE(spool->start_epoch(3).ok());
    REQUIRE(spool->append(Lane::findings, entries(2, 10), 1).ok());
    room = limits.reserve - 1;
    const auto refused = spool->append(Lane::findings, entries(1, 10), 2);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("make room there") != std::string::npos);
    CHECK(spool->last_seq(Lane::findings) == 1);
    CHECK(spool->acknowledge(Lane::findings, 1, 3).ok() == false);
    CHECK(spool->acked_seq(Lane::findings) == 1); // for as long as it runs
  }
  auto spool = open_spool(dir, limits); // a node that starts on a full volume watches all the same
  CHECK(spool->read_only());
  CHECK(spool->epoch() == 3);
  CHECK(spool->read(Lane::findings, 0, 10, 1 << 20, 9).size() == 1);
  CHECK_FALSE(spool->append(Lane::findings, entries(1, 10), 4).ok());
  CHECK_FALSE(spool->start_epoch(4).ok());
  CHECK(spool->epoch() == 3);
  const auto resumed = spool->resume(Lane::findings, 1, 5);
  REQUIRE(resumed.ok());
  CHECK(*resumed);
  room = 1ull << 30;
  REQUIRE(spool->append(Lane::findings, entries(1, 10), 6).ok());
  CHECK_FALSE(spool->read_only());
  CHECK(spool->last_seq(Lane::findings) == 2);
}

TEST_CASE("no room for a first spool is told") {
  TempDir dir;
  SpoolLimits limits;
  limits.free_bytes = [] { return std::uint64_t{0}; };
  const auto spool = Spool::open(dir.path("spool"), limits, 0);
  REQUIRE_FALSE(spool.ok());
  CHECK(spool.error().message.find("make room there") != std::string::npos);
}

TEST_CASE("a damaged spool is moved aside, and that is a loss") {
  TempDir dir;
  {
    auto spool = open_spool(dir);
    REQUIRE(spool->start_epoch(3).ok());
    for (int i = 0; i < 300; ++i) { // more than what waits in memory, so that there are files
      auto noise = entries(1, 20'000);
      for (std::size_t at = 0; at < noise[0].size(); ++at)
        noise[0][at] = char((at * 2654435761u + std::size_t(i) * 40503u) >> 7);
      REQUIRE(spool->append(Lane::findings, noise, i).ok());
    }
  }
  std::size_t damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator{dir.path("spool")})
    if (file.path().extension() == ".sst") {
      std::fstream bytes{file.path(), std::ios::in | std::ios::out | std::ios::binary};
      for (int at = 1'000; at < 200'000; at += 5'000) {
        bytes.seekp(at);
        bytes.write("damaged!", 8);
      }
      ++damaged;
    }
  REQUIRE(damaged > 0);
  auto spool = open_spool(dir);
  CHECK(spool->replaced() == 1);
  CHECK(spool->epoch() == 0);
  CHECK(spool->has_losses());
  REQUIRE(spool->start_epoch(4).ok());
  REQUIRE(spool->append(Lane::findings, entries(1, 10), 1'000).ok());
  const auto batches = spool->read(Lane::findings, 0, 10, 1 << 20, 9);
  REQUIRE(batches.size() == 1);
  CHECK(content_of(batches[0]).lost == 1);
  std::size_t aside = 0;
  for (const auto& entry : std::filesystem::directory_iterator{dir.path()})
    aside += entry.path().filename().string().rfind("spool.damaged-", 0) == 0 ? 1 : 0;
  CHECK(aside == 1);
}
