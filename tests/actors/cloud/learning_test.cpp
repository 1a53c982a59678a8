#include "tests/actors/cloud/cloud_fixture.hpp"

#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/store/rows.hpp"
#include "core/base/hash.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <cstring>

using namespace iris;
using namespace iris::test;

namespace {

constexpr Duration day = 100 * second;

ServiceDelta delta_at(Timestamp from, const std::string& service = "edgex-mongo") {
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = service;
  delta.entity.digest = "sha256:1";
  delta.from = from;
  delta.until = from + day / 10;
  delta.steady = day / 10;
  delta.observations = 5;
  KeyDelta key;
  key.family = Family::exec;
  key.keys = {hash64("a"), hash64("b"), hash64("c")};
  key.texts = {"/bin/mongod x", "/bin/mongod", "mongod"};
  key.count = 5;
  key.hours = key.days = 1;
  key.first = key.last = from;
  delta.keys.push_back(key);
  return delta;
}

KeyDelta outside(const std::string& address, bool contact = true) {
  KeyDelta key;
  key.family = Family::peer_out;
  key.keys = {hash64("p"), hash64("q"), hash64("r")};
  key.texts = {"internet " + address, "", ""};
  key.count = 3;
  key.hours = key.days = 1;
  key.first = key.last = noon;
  key.peer = *parse_ip(address);
  key.port = 443;
  key.protocol = 6;
  key.contact = contact;
  return key;
}

struct Learning {
  TempDir dir;
  Cloud cloud{dir};
  std::shared_ptr<FakeGateway> heard = std::make_shared<FakeGateway>();
  std::vector<std::string> closed;
  SessionActor session;
  std::uint64_t seq = 0;

  Learning() {
    auto& training = cloud.world->settings.training;
    training.scale = {day, day / 10, day / 10, day};
    training.quorum = 1;
    training.min_days = 2;
    auto uplink = spawn_in<UplinkActor, FakeUplinkState>(cloud.system, cloud.directory, {.kind = "fake"},
                                                         fake_uplink, heard);
    session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
    cloud.self->send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(session));
    cloud.settle();
    REQUIRE(heard->welcomes.size() == 1);
  }
  void send(const ServiceDelta& delta) {
    auto ack = cloud.ask<wire::Ack>(session, wire::Batch{1, 1, ++seq, batch_of({}, {encode(delta)})});
    REQUIRE(ack.seq == seq);
  }
  void live(int windows) {
    for (int i = 0; i < windows; ++i) {
      send(delta_at(cloud.clock));
      cloud.clock += day / 10;
      cloud.pass(std::chrono::seconds{10}, std::chrono::seconds{5});
    }
  }
};

std::vector<char> pushed_baseline(const wire::Push& push) {
  auto words = kj::heapArray<capnp::word>(push.bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), push.bytes.data(), push.bytes.size());
  capnp::FlatArrayMessageReader message{words};
  auto root = message.getRoot<schema::Push>();
  if (!root.isBaseline()) return {};
  auto data = root.getBaseline();
  return {reinterpret_cast<const char*>(data.begin()), reinterpret_cast<const char*>(data.end())};
}

} // namespace

TEST_CASE_METHOD(Learning,
                 "deltas become evidence, evidence a signed baseline, and that goes back to the gateway") {
  live(30);
  REQUIRE_FALSE(heard->pushes.empty());
  auto document = pushed_baseline(heard->pushes.back());
  auto baseline = open_signed(document.data(), document.size(), cloud.world->signing.public_key);
  REQUIRE(baseline);
  CHECK(baseline->profile == "edgex-mongo@sha256:1");
  CHECK(baseline->version >= 1);
  auto stored = latest_baseline(*cloud.world->store, "acme", baseline->profile);
  REQUIRE(stored);
  REQUIRE(*stored);
  CHECK((*stored)->version == baseline->version);
  auto wrong_key = signing_key_of(std::string(32, 'x'))->public_key;
  CHECK_FALSE(open_signed(document.data(), document.size(), wrong_key));
  // Another tenant knows nothing of it.
  CHECK(cloud.query("baseline", {"edgex-mongo"}, "other").status == std::uint8_t(Errc::not_found));
  auto shown = cloud.query("baseline", {"edgex-mongo"}, "acme");
  REQUIRE(shown.lines.size() > 1);
  CHECK(nlohmann::json::parse(shown.lines[0])["version"] == baseline->version);
  auto services = cloud.query("services", {}, "acme");
  REQUIRE(services.lines.size() == 1);
  CHECK(nlohmann::json::parse(services.lines[0])["service"] == "edgex-mongo");
}

TEST_CASE_METHOD(Learning, "a gateway that comes back with an old version is given the newest, once") {
  live(30);
  REQUIRE_FALSE(heard->pushes.empty());
  auto again = std::make_shared<FakeGateway>();
  auto uplink = spawn_in<UplinkActor, FakeUplinkState>(cloud.system, cloud.directory, {.kind = "fake"},
                                                       fake_uplink, again);
  auto next = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  cloud.self->send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(next));
  cloud.settle();
  REQUIRE(again->pushes.size() == 1);
  auto document = pushed_baseline(again->pushes[0]);
  CHECK(open_signed(document.data(), document.size(), cloud.world->signing.public_key));
}

TEST_CASE_METHOD(Learning, "an operator promotes a service, and it is said who did") {
  live(3);
  auto done = cloud.query("promote", {"edgex-mongo"}, "acme", true);
  CHECK(done.status == 0);
  live(12);
  auto learning = cloud.query("learning", {"edgex-mongo"}, "acme");
  REQUIRE_FALSE(learning.lines.empty());
  bool monitoring = false;
  for (const auto& line : learning.lines)
    monitoring = monitoring || nlohmann::json::parse(line)["state"] == "monitoring";
  CHECK(monitoring);
}

TEST_CASE_METHOD(Learning, "keys that are accepted side by side are all kept") {
  send(delta_at(cloud.clock));
  cloud.settle();
  for (int i = 0; i < 8; ++i) {
    QueryRequest request;
    request.verb = "accept";
    request.arguments = {"edgex-mongo", "#" + to_hex(hash64(std::to_string(i)))};
    request.tenant = "acme";
    request.admin = true;
    request.asked_by = "operator test";
    request.deadline_ms = 5'000;
    cloud.self->send(cloud.world->frontdesk.get(), make_ref(std::move(request)));
  }
  cloud.settle();
  CHECK(cloud.rows(Table::audit) == 8);
  std::size_t accepted = 0;
  REQUIRE(cloud.world->store->scan(Table::baselines, "", [&](std::string_view, std::string_view value) {
    if (auto row = decode_profile(value)) accepted = std::max(accepted, row->accepted.size());
    return true;
  }));
  CHECK(accepted == 8);
}

TEST_CASE_METHOD(Learning, "a listed peer in a delta becomes an alert unless the edge told of it already") {
  auto intelligence = std::make_shared<Intelligence>();
  REQUIRE(intelligence->indicators.add_list("ipsum", "203.0.113.66\t5\n203.0.113.67\n"));
  intelligence->indicators.build(1);
  cloud.world->intelligence.set(intelligence);
  auto delta = delta_at(noon);
  delta.keys = {outside("203.0.113.66"), outside("203.0.113.99")};
  send(delta);
  auto alerts = cloud.stored_alerts();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].finding.detector == "network.known-bad");
  CHECK(title_of(alerts[0]) == "edgex-mongo talked to 203.0.113.66, which is on threat list ipsum");
  send(delta); // again: told already
  CHECK(cloud.stored_alerts().at(0).revision == 1);
  // The edge told of this one.
  auto told = finding("known-bad:203.0.113.67");
  told.detector = "network.known-bad";
  told.peer.kind = EntityKind::internet;
  told.peer.address = *parse_ip("203.0.113.67");
  REQUIRE(cloud.ask<wire::Ack>(session, wire::Batch{1, 0, 1, batch_of({told})}).seq == 1);
  delta.keys = {outside("203.0.113.67")};
  send(delta);
  CHECK(cloud.stored_alerts().size() == 2);
  // Without contact it may be a forged source.
  delta.keys = {outside("203.0.113.67", false)};
  send(delta);
  CHECK(cloud.stored_alerts().size() == 2);
  CHECK(cloud.world->counters.known_bad_found == 1);
}

TEST_CASE_METHOD(Learning, "what a gateway's spool lost is told as an alert") {
  capnp::MallocMessageBuilder message;
  auto loss = message.initRoot<schema::Batch>().initLosses(2);
  loss[0].setKind("findings");
  loss[0].setSensor("spool");
  loss[0].setCount(7);
  loss[0].setSince(noon - second);
  loss[0].setUntil(noon);
  loss[1].setKind("packets"); // the gateway judges that itself
  loss[1].setCount(9);
  auto words = capnp::messageToFlatArray(message);
  auto bytes = words.asChars();
  REQUIRE(cloud.ask<wire::Ack>(session, wire::Batch{1, 1, 1, {bytes.begin(), bytes.end()}}).seq == 1);
  auto alerts = cloud.stored_alerts();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].finding.detector == "sensor.health");
  CHECK(alerts[0].finding.count == 7);
  CHECK(cloud.rows(Table::observations) == 2);
}

TEST_CASE_METHOD(Learning, "the number of profiles of one gateway is bounded and counted") {
  cloud.world->settings.profiles_per_gateway = 2;
  for (int i = 0; i < 4; ++i)
    send(delta_at(noon, "service-" + std::to_string(i)));
  CHECK(cloud.world->counters.profiles_refused == 2);
  CHECK(profiles_of(*cloud.world->store, "acme", "gw-1")->size() == 2);
}
