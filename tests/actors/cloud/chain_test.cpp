#include "tests/actors/cloud/spool_world.hpp"

#include <rocksdb/db.h>

#include <filesystem>

using namespace iris;
using namespace iris::test;

namespace {

namespace fs = std::filesystem;

/// What somebody does to the spool's files while the node does not run.
void meddle_with(const std::string& path, const std::function<void(rocksdb::DB&)>& work) {
  rocksdb::DB* raw = nullptr;
  REQUIRE(rocksdb::DB::Open({}, path, &raw).ok());
  std::unique_ptr<rocksdb::DB> database{raw};
  work(*database);
}

std::string key(char kind, Lane lane, std::uint64_t seq) {
  std::string key{kind, char(lane)};
  for (int shift = 56; shift >= 0; shift -= 8)
    key.push_back(char(seq >> shift));
  return key;
}

} // namespace

TEST_CASE("a chain is whole through restarts, and when the node died between a batch and its key") {
  TempDir dir, place;
  Cloud cloud{dir};
  SpoolGateway gateway{place.path("spool")};
  gateway.find("before the first session");
  CHECK(gateway.connect(cloud).chain_key.size() == 32);
  CHECK(gateway.spool->sealing());
  gateway.find("a");
  gateway.reopen();
  gateway.find("b");
  fs::copy_file(place.path("spool.key"), place.path("older"));
  gateway.find("c");
  gateway.find("d");
  gateway.spool.reset();
  fs::rename(place.path("older"), place.path("spool.key"));
  gateway.reopen();
  REQUIRE(gateway.spool->epoch() == 1);
  gateway.find("e");
  gateway.connect(cloud);
  CHECK(gateway.deliver(cloud, Lane::findings) == 6);
  CHECK(cloud.world->counters.chain_broken == 0);
  CHECK(alerts_of(cloud, "chain.broken").empty());
  CHECK(cloud.stored_alerts().size() == 6);
}

TEST_CASE(
    "what is changed or removed while a gateway is off is an alert that names gateway, lane and batch") {
  TempDir dir, place;
  Cloud cloud{dir};
  SpoolGateway gateway{place.path("spool")};
  gateway.connect(cloud);
  for (int i = 1; i <= 8; ++i)
    gateway.find("cause " + std::to_string(i));
  gateway.spool.reset();
  std::string named = "batch 3 of its findings";
  std::uint64_t broken = 1;
  std::size_t alerts = 8;
  SECTION("an entry changed in place") {
    meddle_with(place.path("spool"), [](rocksdb::DB& database) {
      std::string value;
      REQUIRE(database.Get({}, key('b', Lane::findings, 3), &value).ok());
      value[value.find("cause 3") + 6] = '9';
      REQUIRE(database.Put({}, key('b', Lane::findings, 3), value).ok());
    });
  }
  SECTION("a batch taken out") {
    meddle_with(place.path("spool"), [](rocksdb::DB& database) {
      REQUIRE(database.Delete({}, key('b', Lane::findings, 3)).ok());
      REQUIRE(database.Delete({}, key('n', Lane::findings, 3)).ok());
    });
    broken = 2; // and the one after it does not follow on what is there
    alerts = 8; // with that of the spool, which found it missing
  }
  SECTION("two exchanged") {
    meddle_with(place.path("spool"), [](rocksdb::DB& database) {
      for (char kind : {'b', 'n'}) {
        std::string left, right;
        REQUIRE(database.Get({}, key(kind, Lane::findings, 3), &left).ok());
        REQUIRE(database.Get({}, key(kind, Lane::findings, 4), &right).ok());
        REQUIRE(database.Put({}, key(kind, Lane::findings, 3), right).ok());
        REQUIRE(database.Put({}, key(kind, Lane::findings, 4), left).ok());
      }
    });
    broken = 3;
  }
  gateway.reopen();
  gateway.connect(cloud);
  CHECK(gateway.deliver(cloud, Lane::findings) == 8);
  CHECK(cloud.world->counters.chain_broken == broken);
  const auto found = alerts_of(cloud, "chain.broken");
  REQUIRE(found.size() == 1);
  CHECK(found[0].gateway == "gw-1");
  CHECK(found[0].finding.detector == "sensor.health");
  CHECK(found[0].finding.count == broken);
  if (broken == 1) CHECK(found[0].finding.act.find(named) != std::string::npos);
  CHECK(cloud.stored_alerts().size() == alerts + 1);
}

TEST_CASE("the newest batches cannot be cut off: the key has gone on") {
  TempDir dir, place;
  Cloud cloud{dir};
  SpoolGateway gateway{place.path("spool")};
  gateway.connect(cloud);
  gateway.find("a");
  gateway.deliver(cloud, Lane::findings);
  gateway.find("b");
  gateway.find("c");
  gateway.spool.reset();
  meddle_with(place.path("spool"), [](rocksdb::DB& database) {
    for (char kind : {'b', 'n'})
      for (std::uint64_t seq : {2, 3})
        REQUIRE(database.Delete({}, key(kind, Lane::findings, seq)).ok());
  });
  gateway.reopen();
  CHECK(gateway.spool->epoch() == 0); // it cannot seal what comes
  CHECK(gateway.connect(cloud).epoch == 2);
  gateway.find("d");
  gateway.deliver(cloud, Lane::findings);
  CHECK(cloud.world->counters.chain_broken == 0);
  CHECK(alerts_of(cloud, "chain.broken epoch").size() == 1);
}

TEST_CASE("a new epoch is an alert, but not the first one, nor one whose Welcome was lost") {
  TempDir dir, place;
  Cloud cloud{dir};
  SpoolGateway gateway{place.path("spool")};
  CHECK(gateway.hello(cloud).epoch == 1); // and the Welcome never comes
  CHECK(gateway.connect(cloud).epoch == 2);
  gateway.find("a");
  CHECK(gateway.deliver(cloud, Lane::findings) == 1);
  CHECK(alerts_of(cloud, "chain.broken").empty());
  SpoolGateway thief{place.path("another spool")};
  thief.session = gateway.session;
  CHECK(thief.connect(cloud).epoch == 3);
  thief.find("b");
  CHECK(thief.deliver(cloud, Lane::findings) == 1);
  const auto found = alerts_of(cloud, "chain.broken");
  REQUIRE(found.size() == 1);
  CHECK(found[0].finding.act.find("cannot be verified") != std::string::npos);
  CHECK(cloud.world->counters.chain_broken == 0);
}

TEST_CASE("seals cannot be left away in an epoch that has a key, and nothing is learned of such counts") {
  TempDir dir, place;
  Cloud cloud{dir};
  SpoolGateway gateway{place.path("spool")};
  gateway.connect(cloud);
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = "edgex-mongo";
  delta.from = noon;
  delta.until = noon + second;
  delta.observations = 70;
  REQUIRE(gateway.spool->append(Lane::counts, {encode(delta)}, noon).ok());
  gateway.meddle = [&](Lane, std::uint64_t, std::vector<char>& bytes) {
    bytes = batch_of({}, {encode(delta)});
  };
  CHECK(gateway.deliver(cloud, Lane::counts) == 1);
  CHECK(cloud.world->counters.chain_broken == 1);
  CHECK(cloud.world->counters.observations == 0);
  CHECK(cloud.rows(Table::observations) == 2); // told as lost: one delta, 70 observations
  CHECK(cloud.rows(Table::behaviours) == 0);
}

TEST_CASE("a restored cloud takes the chain up where its backup was") {
  TempDir dir, restored, place;
  SpoolGateway gateway{place.path("spool")};
  {
    Cloud cloud{dir};
    gateway.connect(cloud);
    for (int i = 1; i <= 5; ++i)
      gateway.find("cause " + std::to_string(i));
    CHECK(gateway.deliver(cloud, Lane::findings) == 5);
  }
  fs::copy(dir.path("db"), restored.path("db"), fs::copy_options::recursive);
  {
    Cloud cloud{dir};
    gateway.connect(cloud);
    for (int i = 6; i <= 10; ++i)
      gateway.find("cause " + std::to_string(i));
    CHECK(gateway.deliver(cloud, Lane::findings) == 5);
    CHECK(cloud.world->counters.chain_broken == 0);
  }
  Cloud cloud{restored};
  CHECK(gateway.connect(cloud).applied[0] == 5);
  gateway.find("cause 11");
  CHECK(gateway.deliver(cloud, Lane::findings) == 6);
  CHECK(cloud.world->counters.chain_broken == 0);
  CHECK(cloud.stored_alerts().size() == 11);
}
