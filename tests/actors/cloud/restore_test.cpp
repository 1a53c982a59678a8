#include "tests/actors/cloud/spool_world.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <filesystem>
#include <fstream>

using namespace iris;
using namespace iris::test;
namespace fs = std::filesystem;

// A cloud that was restored from a backup, with a gateway's real spool.
namespace {

constexpr Duration minute = 60 * second;

struct Restored {
  TempDir dir, backup, place;
  SpoolGateway gateway{place.path("spool")};
  Timestamp now = noon;
  int made = 0;

  /// Several findings a batch, and everything reaches the cloud.
  void work(int batches) {
    Cloud cloud{dir};
    gateway.connect(cloud);
    for (int i = 0; i < batches; ++i) {
      std::vector<std::vector<char>> entries;
      for (int k = 0; k < 3; ++k)
        entries.push_back(encode(finding("cause " + std::to_string(++made))));
      REQUIRE(gateway.spool->append(Lane::findings, entries, now).ok());
      now += 5 * minute;
      gateway.spool->expire(now);
    }
    gateway.deliver(cloud, Lane::findings);
  }
  void make_backup() { fs::copy(dir.path("db"), backup.path("db"), fs::copy_options::recursive); }
  /// Numbers of the findings that a cloud has, each once; what it was told of losses.
  struct Has {
    std::set<std::string> causes;
    std::uint64_t twice = 0, lost = 0;
  };
  Has has(Cloud& cloud) {
    Has out;
    for (const auto& alert : alerts_of(cloud, "cause ")) {
      out.causes.insert(alert.finding.cause);
      out.twice += alert.finding.count > 1 ? 1 : 0;
    }
    for (const auto& alert : alerts_of(cloud, "spool lost findings"))
      out.lost += alert.finding.count;
    return out;
  }
  Has restore() {
    Cloud cloud{backup};
    gateway.connect(cloud);
    gateway.find("cause after", now);
    (void)gateway.spool->flush_losses(now);
    gateway.deliver(cloud, Lane::findings);
    gateway.deliver(cloud, Lane::counts);
    CHECK(cloud.world->counters.chain_broken == 0);
    return has(cloud);
  }
};

} // namespace

TEST_CASE("issue: a backup older than the kept hour: what is kept comes once, what is gone is told") {
  Restored world;
  world.work(4);
  world.make_backup();
  world.work(30); // two hours and a half
  if (GENERATE(false, true)) world.gateway.reopen();
  const auto has = world.restore();
  CHECK(has.twice == 0);
  CHECK(has.lost > 0);
  CHECK(has.causes.count("cause 1") == 1);
  CHECK(has.causes.count("cause 102") == 1);
  CHECK(has.causes.count("cause after") == 1);
  CHECK(has.causes.size() - 1 + has.lost == 102);
  CHECK(has.causes.size() >= 1 + 12 + 30); // 50 minutes of three in five minutes
}

TEST_CASE("issue: a backup from before the present epoch, or before the gateway's first session") {
  Restored world;
  const bool first = GENERATE(false, true);
  if (first) {
    Cloud cloud{world.dir};
  } else {
    world.work(4);
  }
  world.make_backup();
  for (int epochs = 0; epochs < 2; ++epochs) {
    world.work(3);
    world.gateway.spool.reset(); // its key is lost: a new epoch
    std::ofstream{world.place.path("spool.key"), std::ios::trunc} << "lost";
    world.gateway.reopen();
  }
  world.work(2);
  const int all = first ? 24 : 36;
  const auto has = world.restore();
  CHECK(has.twice == 0);
  CHECK(has.causes.size() == std::size_t(all) + 1);
  CHECK(has.lost == 0);
}

TEST_CASE("issue: a new epoch does not double what was applied and not acknowledged") {
  Restored world;
  world.work(2);
  {
    Cloud cloud{world.dir};
    auto& gateway = world.gateway;
    gateway.connect(cloud);
    gateway.find("cause 7", world.now);
    gateway.find("cause 8", world.now);
    // Sent and applied; the acknowledgement does not arrive.
    const auto batches = gateway.spool->read(Lane::findings, 2, 1, 1 << 20, world.now);
    REQUIRE(batches.size() == 1);
    (void)cloud.ask<wire::Ack>(cloud.aggregator(), make_ref(BatchIn{gateway.session, gateway.spool->epoch(),
                                                                    0, batches[0].seq, batches[0].bytes}));
    CHECK(gateway.spool->acked_seq(Lane::findings) == 2);
    gateway.spool.reset();
    std::ofstream{world.place.path("spool.key"), std::ios::trunc} << "lost";
    gateway.reopen();
    REQUIRE(gateway.spool->epoch() == 0);
    gateway.connect(cloud);
    CHECK(gateway.deliver(cloud, Lane::findings) == 1);
    const auto has = world.has(cloud);
    CHECK(has.causes.size() == 8);
    CHECK(has.twice == 0);
  }
}
