#include "node/spool/batch_content.hpp"
#include "node/spool/spool.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

using namespace iris;

namespace {

std::atomic<int> syncs_to_fail{0};

} // namespace

/// In the place of libc's. A sync that fails leaves the write in the file all the same: what a full or a bad
/// disk does.
extern "C" int fdatasync(int file) {
  if (syncs_to_fail > 0) {
    --syncs_to_fail;
    errno = ENOSPC;
    return -1;
  }
  return int(syscall(SYS_fdatasync, file));
}

namespace {

constexpr Duration minute = 60 * second;

std::vector<std::vector<char>> entries(std::size_t count, std::size_t size = 10) {
  return std::vector<std::vector<char>>(count, std::vector<char>(size, 'x'));
}

std::unique_ptr<Spool> open_spool(const TempDir& dir, SpoolLimits limits = {}) {
  auto spool = Spool::open(dir.path("spool"), limits, 0);
  REQUIRE(spool.ok());
  return std::move(*spool);
}

/// Numbers of entries of all batches after `after`, as they would be sent.
std::vector<std::size_t> sent(Spool& spool, Lane lane, std::uint64_t after = 0) {
  std::vector<std::size_t> sizes;
  for (const auto& batch : spool.read(lane, after, 100, 1 << 20, 9)) {
    CHECK(batch.seq == after + sizes.size() + 1);
    auto content = decode_content(lane, {batch.bytes.data(), batch.bytes.size()});
    REQUIRE(content.ok());
    sizes.push_back(content->entries.size());
  }
  return sizes;
}

using Sizes = std::vector<std::size_t>;

} // namespace

TEST_CASE("issue: a batch whose write failed after it landed is kept once, and its number not given again") {
  TempDir dir;
  auto spool = open_spool(dir);
  const std::string key = GENERATE(std::string{}, std::string(32, 'k'));
  REQUIRE(spool->start_epoch(1, key).ok());
  REQUIRE(spool->append(Lane::counts, entries(2), 1 * minute).ok());
  syncs_to_fail = 1;
  const auto kept = spool->append(Lane::counts, entries(3), 2 * minute).ok();
  REQUIRE(syncs_to_fail == 0);
  // Whoever is told that it failed tells a loss, or tries again.
  CHECK(sent(*spool, Lane::counts) == (kept ? Sizes{2, 3} : Sizes{2}));
  REQUIRE(spool->append(Lane::counts, entries(7), 3 * minute).ok());
  CHECK(sent(*spool, Lane::counts) == (kept ? Sizes{2, 3, 7} : Sizes{2, 7}));
  REQUIRE(spool->acknowledge(Lane::counts, 2, 3 * minute).ok());
  CHECK(spool->acked_seq(Lane::counts) == 2);
  spool.reset();
  spool = open_spool(dir);
  CHECK(spool->trouble().empty());
  CHECK(spool->epoch() == 1);
  CHECK(spool->sealing() == !key.empty());
  CHECK(sent(*spool, Lane::counts, 2) == (kept ? Sizes{7} : Sizes{}));
}

TEST_CASE("issue: what a spool holds in doubt while the disk is full is not sent, and told once") {
  TempDir dir;
  SpoolLimits limits;
  auto room = std::make_shared<std::uint64_t>(1ull << 40);
  limits.free_bytes = [room] { return *room; };
  auto spool = open_spool(dir, limits);
  REQUIRE(spool->start_epoch(1, std::string(32, 'k')).ok());
  REQUIRE(spool->append(Lane::findings, entries(2), 1 * minute).ok());
  syncs_to_fail = 100; // the opening, too
  CHECK_FALSE(spool->append(Lane::findings, entries(3), 2 * minute).ok());
  *room = 0;
  CHECK_FALSE(spool->append(Lane::findings, entries(3), 3 * minute).ok());
  CHECK(sent(*spool, Lane::findings).size() <= 1);
  syncs_to_fail = 0;
  *room = 1ull << 40;
  REQUIRE(spool->append(Lane::findings, entries(3), 4 * minute).ok()); // tried again, as the actor does
  CHECK(spool->replaced() == 0);
  CHECK(sent(*spool, Lane::findings) == Sizes{2, 3});
  spool.reset();
  spool = open_spool(dir, limits);
  CHECK(spool->epoch() == 1);
  CHECK(sent(*spool, Lane::findings) == Sizes{2, 3});
}

TEST_CASE("issue: an epoch whose start failed after it landed is not forgotten") {
  TempDir dir;
  auto spool = open_spool(dir);
  REQUIRE(spool->start_epoch(1, std::string(32, 'k')).ok());
  for (int i = 1; i <= 3; ++i)
    REQUIRE(spool->append(Lane::findings, entries(std::size_t(i)), i * minute).ok());
  REQUIRE(spool->acknowledge(Lane::findings, 1, 4 * minute).ok());
  std::size_t ok = 0;
  for (const int fails : {1, 2, 3}) { // key file, database, its opening
    syncs_to_fail = fails;
    ok += spool->start_epoch(std::uint64_t(fails) + 1, std::string(32, 'l')).ok() ? 1 : 0;
    syncs_to_fail = 0;
  }
  REQUIRE(spool->start_epoch(5, std::string(32, 'm')).ok());
  REQUIRE(spool->append(Lane::findings, entries(4), 5 * minute).ok());
  CHECK(sent(*spool, Lane::findings) == Sizes{2, 3, 4});
  spool.reset();
  spool = open_spool(dir);
  CHECK(spool->trouble().empty());
  CHECK(spool->epoch() == 5);
  CHECK(sent(*spool, Lane::findings) == Sizes{2, 3, 4});
}
