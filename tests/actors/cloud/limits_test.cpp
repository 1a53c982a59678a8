#include "tests/actors/cloud/cloud_fixture.hpp"

#include "actors/query_codec.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

TEST_CASE("a batch of a lane that is none, or of a session that has ended, is refused and counted") {
  TempDir dir;
  Cloud cloud{dir};
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0, 0, 5); // session 5
  auto send = [&](std::uint64_t number, std::uint8_t lane) {
    return cloud.ask<wire::Ack>(gateway, make_ref(BatchIn{number, 1, lane, 1, findings({"a"})})).seq;
  };
  CHECK(send(5, 2) == 0);
  CHECK(send(5, 255) == 0);
  CHECK(cloud.world->counters.batches_refused == 2);
  CHECK_THROWS(send(4, 0));
  CHECK(cloud.world->counters.batches_refused == 3);
  CHECK(cloud.stored_alerts().empty());
  CHECK(send(5, 0) == 1);
}

TEST_CASE("a batch that comes before the Welcome is on its way, or more bytes than credit, cuts it off") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  SECTION("before the Welcome") {
    auto early = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
    cloud.writes_hang = true;
    cloud.self->send(early, wire::Hello{hello_bytes(1, 0)});
    cloud.settle();
    cloud.self->send(early, wire::Batch{1, 0, 1, findings({"a"})});
    cloud.settle();
    CHECK(closed == std::vector<std::string>{"a batch before Welcome"});
  }
  SECTION("bytes") {
    cloud.world->settings.credit_bytes = 1'000;
    auto greedy = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
    (void)cloud.ask<wire::Welcome>(greedy, wire::Hello{hello_bytes(1, 0)});
    cloud.writes_hang = true;
    for (std::uint64_t seq = 1; seq <= 3; ++seq) {
      CHECK(closed.empty());
      cloud.self->send(greedy, wire::Batch{1, 0, seq, std::vector<char>(600 << 10, 'x')});
      cloud.settle();
    }
    CHECK(closed == std::vector<std::string>{"more under way than its credit allows"});
  }
}

TEST_CASE("a viewer changes nothing, whatever rights his question claims") {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> closed;
  auto gateway = cloud.aggregator();
  (void)cloud.hello(gateway, 0);
  REQUIRE(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
  QueryRequest change;
  change.verb = "close";
  change.arguments = {cloud.stored_alerts().at(0).id};
  change.tenant = "acme";
  change.admin = true;
  auto status = [&](const char* name, bool admin) {
    auto session = cloud.open_session(Role::operator_, "acme", name, closed, admin);
    (void)cloud.ask<wire::Welcome>(session, wire::Hello{hello_bytes(1, 0)});
    return decode_reply(cloud.ask<wire::Reply>(session, wire::Query{encode_query(change)}).bytes)->status;
  };
  CHECK(status("viewer", false) == std::uint8_t(Errc::refused));
  CHECK(cloud.stored_alerts().at(0).state == AlertState::open);
  CHECK(status("admin", true) == 0);
  CHECK(cloud.stored_alerts().at(0).state == AlertState::closed);
}
