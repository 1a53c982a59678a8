#include "node/spool/batch_content.hpp"
#include "node/spool/spool.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <fstream>

// What a spool does when the cloud was restored from a backup, or grants a new epoch for another reason.
using namespace iris;

namespace {

constexpr Duration minute = 60 * second;
const std::string key(32, 'k');

std::vector<std::vector<char>> entries(std::size_t count) {
  return std::vector<std::vector<char>>(count, std::vector<char>(10, 'x'));
}

/// A spool beside the numbers of entries of its batches; what it lost is told apart.
struct Gateway {
  TempDir dir;
  std::unique_ptr<Spool> spool;
  Gateway() { reopen(); }
  void reopen() {
    spool.reset();
    auto opened = Spool::open(dir.path("spool"), {}, 0);
    REQUIRE(opened.ok());
    spool = std::move(*opened);
  }
  void make(Lane lane, std::size_t count, Timestamp at) {
    REQUIRE(spool->append(lane, entries(count), at).ok());
  }
  struct Sent {
    std::vector<std::size_t> sizes;
    std::vector<SpoolLoss> losses;
  };
  Sent sent(Lane lane) {
    Sent out;
    std::uint64_t seq = spool->acked_seq(lane);
    for (const auto& batch : spool->read(lane, seq, 1'000, 1 << 24, 9)) {
      CHECK(batch.seq == ++seq);
      auto content = decode_content(lane, {batch.bytes.data(), batch.bytes.size()});
      REQUIRE(content.ok());
      if (!content->entries.empty()) out.sizes.push_back(content->entries.size());
      out.losses.insert(out.losses.end(), content->losses.begin(), content->losses.end());
    }
    return out;
  }
  void run_until(Timestamp from, Timestamp to) {
    for (auto now = from; now <= to; now += 5 * minute)
      spool->expire(now);
  }
};

using Sizes = std::vector<std::size_t>;

EpochTaken taken(std::uint64_t epoch, std::uint64_t applied, std::uint64_t entries, Timestamp until = 0) {
  EpochTaken before{epoch, {}};
  before.lanes[0] = {applied, entries, 0, until};
  return before;
}

} // namespace

TEST_CASE(
    "issue: a backup older than what is kept gets the kept hour, and the rest as a loss of both lanes") {
  Gateway gateway;
  auto& spool = gateway.spool;
  REQUIRE(spool->start_epoch({1, key, EpochTaken{}, "cloud"}).ok());
  for (std::size_t i = 1; i <= 10; ++i) {
    gateway.make(Lane::findings, 10 + i, Timestamp(i) * 10 * minute);
    gateway.make(Lane::counts, 20 + i, Timestamp(i) * 10 * minute);
  }
  gateway.run_until(100 * minute, 115 * minute);
  REQUIRE(spool->acknowledge(Lane::findings, 10, 115 * minute).ok());
  REQUIRE(spool->acknowledge(Lane::counts, 10, 115 * minute).ok());
  if (GENERATE(false, true)) gateway.reopen();
  CHECK(gateway.sent(Lane::findings).sizes.empty());
  auto backup = taken(1, 2, 11 + 12, 20 * minute);
  backup.lanes[1] = {1, 21, 0, 10 * minute};
  auto resumed = spool->resume(Lane::findings, 2, 116 * minute);
  REQUIRE(resumed.ok());
  CHECK_FALSE(*resumed);
  CHECK_FALSE(spool->has_losses());
  REQUIRE(spool->start_epoch({2, key, backup, "cloud"}).ok());
  // The Welcome of the next one may get lost, too.
  if (GENERATE(false, true)) REQUIRE(spool->start_epoch({3, key, backup, "cloud"}).ok());
  REQUIRE(spool->flush_losses(117 * minute).ok());
  // 55 minutes ago number 6 was made, 65 minutes ago number 5.
  CHECK(gateway.sent(Lane::findings).sizes == Sizes{16, 17, 18, 19, 20});
  const auto counts = gateway.sent(Lane::counts);
  CHECK(counts.sizes == Sizes{26, 27, 28, 29, 30});
  REQUIRE(counts.losses.size() == 2);
  for (const auto& loss : counts.losses) {
    CHECK(loss.sensor == "rewind");
    const bool findings = loss.kind == "findings";
    CHECK(loss.kind == (findings ? "findings" : "deltas"));
    CHECK(loss.count == (findings ? 13 + 14 + 15 : 22 + 23 + 24 + 25));
    CHECK(loss.since == (findings ? 20 : 10) * minute);
    CHECK(loss.until == 50 * minute);
  }
}

TEST_CASE("issue: a backup from before the present epoch gets what is kept of both epochs") {
  Gateway gateway;
  auto& spool = gateway.spool;
  REQUIRE(spool->start_epoch({2, key, EpochTaken{}, "cloud"}).ok());
  for (std::size_t i = 1; i <= 3; ++i)
    gateway.make(Lane::findings, i, Timestamp(i) * minute);
  REQUIRE(spool->acknowledge(Lane::findings, 3, 4 * minute).ok());
  REQUIRE(spool->start_epoch({5, key, taken(2, 3, 6), "cloud"}).ok());
  for (std::size_t i = 4; i <= 6; ++i)
    gateway.make(Lane::findings, i, Timestamp(i) * minute);
  REQUIRE(spool->acknowledge(Lane::findings, 2, 7 * minute).ok());
  gateway.reopen();
  Sizes wanted;
  EpochTaken backup;
  SECTION("of an epoch that is remembered") {
    backup = taken(2, 1, 1);
    wanted = {2, 3, 4, 5, 6};
  }
  SECTION("of one that is not, or before the gateway enrolled") {
    backup.epoch = GENERATE(0, 1);
    wanted = {1, 2, 3, 4, 5, 6};
  }
  SECTION("but another cloud gets only what no cloud has") {
    REQUIRE(spool->start_epoch({7, key, EpochTaken{}, "another"}).ok());
    CHECK(gateway.sent(Lane::findings).sizes == Sizes{6});
    CHECK_FALSE(spool->has_losses());
    return;
  }
  REQUIRE(spool->start_epoch({7, key, backup, "cloud"}).ok());
  CHECK(gateway.sent(Lane::findings).sizes == wanted);
  CHECK_FALSE(spool->has_losses());
  // Taken, and a second Welcome like the first is lost: nothing is offered twice that was acknowledged.
  REQUIRE(spool->acknowledge(Lane::findings, wanted.size(), 8 * minute).ok());
  REQUIRE(spool->start_epoch({8, key, taken(7, wanted.size(), 21), "cloud"}).ok());
  CHECK(gateway.sent(Lane::findings).sizes.empty());
}

TEST_CASE(
    "issue: a gateway that enrolled after the backup tells all that is gone, from its first finding on") {
  Gateway gateway;
  auto& spool = gateway.spool;
  REQUIRE(spool->start_epoch({1, key, EpochTaken{}, "cloud"}).ok());
  for (std::size_t i = 1; i <= 4; ++i) {
    gateway.make(Lane::findings, i, Timestamp(i) * 40 * minute);
    gateway.run_until(Timestamp(i) * 40 * minute, Timestamp(i) * 40 * minute + (i < 4 ? 35 : 10) * minute);
  }
  REQUIRE(spool->acknowledge(Lane::findings, 4, 170 * minute).ok());
  REQUIRE(spool->start_epoch({2, key, EpochTaken{}, "cloud"}).ok());
  REQUIRE(spool->flush_losses(171 * minute).ok());
  const auto sizes = gateway.sent(Lane::findings).sizes;
  REQUIRE_FALSE(sizes.empty());
  std::size_t kept = 0;
  for (auto size : sizes)
    kept += size;
  const auto losses = gateway.sent(Lane::counts).losses;
  REQUIRE(losses.size() == 1);
  CHECK(losses[0].count + kept == 1 + 2 + 3 + 4);
  CHECK(losses[0].since == 40 * minute);
}

TEST_CASE("issue: a new epoch does not double what was sent and not yet acknowledged") {
  Gateway gateway;
  auto& spool = gateway.spool;
  REQUIRE(spool->start_epoch({1, key, EpochTaken{}, "cloud"}).ok());
  for (std::size_t i = 1; i <= 5; ++i)
    gateway.make(Lane::findings, i, Timestamp(i) * minute);
  CHECK(gateway.sent(Lane::findings).sizes.size() == 5);
  REQUIRE(spool->acknowledge(Lane::findings, 2, 6 * minute).ok());
  spool.reset();
  std::ofstream{gateway.dir.path("spool.key"), std::ios::trunc} << "lost";
  gateway.reopen();
  REQUIRE(spool->epoch() == 0);
  REQUIRE(spool->start_epoch({2, key, taken(1, 4, 10), "cloud"})
              .ok()); // its acknowledgements of 3 and 4 were lost
  CHECK(gateway.sent(Lane::findings).sizes == Sizes{5});
  SECTION("nor lose what was made after an older spool was put back") {
    REQUIRE(spool->start_epoch({3, key, taken(2, 40, 100), "cloud"}).ok());
    CHECK(gateway.sent(Lane::findings).sizes == Sizes{5});
    REQUIRE(spool->start_epoch({9, key, taken(8, 1, 1), "cloud"}).ok());
    CHECK(gateway.sent(Lane::findings).sizes == Sizes{5});
  }
}
