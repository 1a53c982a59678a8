#include "tests/actors/cloud/cloud_fixture.hpp"

#include "core/link/clock_filter.hpp"
#include "core/link/protocol.hpp"
#include "schemas/link.capnp.h"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <catch2/catch.hpp>

#include <limits>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

std::vector<char> flat(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().end()};
}

/// A gateway with a clock of its own at the end of a way that takes time.
struct Far {
  Cloud& cloud;
  std::uint16_t minor = link_minor;
  Duration off = 0;             ///< its clock minus the cloud's
  Duration there = 0, back = 0; ///< how long messages travel
  Duration late = 0;            ///< how long its Hello takes
  Timestamp lie = 0;            ///< not 0: what it answers instead
  std::size_t asked = 0;
};
struct FarUplinkState {};

UplinkActor::behavior_type far_uplink(UplinkActor::stateful_pointer<FarUplinkState> self, Far* far) {
  return {
      [](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
      [=](atom::up, const caf::strong_actor_ptr& session) {
        capnp::MallocMessageBuilder message;
        auto root = message.initRoot<schema::Hello>();
        root.setProtocolMajor(link_major);
        root.setProtocolMinor(far->minor);
        root.setBootTime(far->cloud.clock + far->off - far->late);
        self->request(caf::actor_cast<SessionActor>(session), 10s, wire::Hello{flat(message)})
            .then([](const wire::Welcome&) {}, [](const caf::error&) {});
      },
      [](atom::down, const std::string&) {},
      [](atom::wake) {},
      [=](const wire::Push&) -> wire::PushAck {
        ++far->asked;
        far->cloud.clock += far->there;
        capnp::MallocMessageBuilder message;
        auto root = message.initRoot<schema::PushAck>();
        root.setAccepted(true);
        root.setClock(far->lie != 0 ? far->lie : far->cloud.clock + far->off);
        far->cloud.clock += far->back;
        return {flat(message)};
      },
      [](const wire::Query&) { return wire::Reply{}; },
      [](atom::tick) {},
  };
}

struct Clocks {
  Cloud cloud;
  Far far{cloud};
  std::vector<std::string> closed;
  SessionActor session;

  explicit Clocks(const TempDir& dir) : cloud{dir} {}
  void connect() {
    if (session) cloud.self->send(session, atom::down_v, std::string{"gone"});
    session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
    auto uplink = spawn_in<UplinkActor, FarUplinkState>(cloud.system, cloud.directory, {.kind = "uplink"},
                                                        far_uplink, &far);
    caf::anon_send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(session));
    cloud.settle();
  }
  /// The session's and the cloud's time go on together.
  void pass(std::chrono::seconds span) {
    for (auto done = 0s; done < span; done += 1s) {
      cloud.clock += second;
      cloud.pass(1s, 1s);
    }
  }
  std::string seen() { return cloud.ask<Ref<InspectAnswer>>(session, atom::inspect_v)->json; }
  bool shows(const std::string& part) { return seen().find(part) != std::string::npos; }
  bool listed(std::int64_t ms) {
    return cloud.query("gateways").lines.at(0).find("\"clock_off_ms\":" + std::to_string(ms)) !=
           std::string::npos;
  }
};

} // namespace

TEST_CASE("a session asks for the gateway's time several times, and the fastest answer counts") {
  TempDir dir;
  Clocks world{dir};
  world.far.off = 7 * second;
  world.far.late = 500 * millisecond; // what Hello says is wrong by that
  world.far.there = 4 * second;       // all of it on one side: wrong by half
  world.connect();
  CHECK(world.far.asked == 1);
  CHECK(world.shows("\"clock_off_ms\":9000,"));
  world.far.there = world.far.back = millisecond;
  world.pass(1s);
  CHECK(world.shows("\"clock_off_ms\":7000,"));
  CHECK(world.listed(7'000));
  world.far.back = 3 * second;
  world.pass(6s);
  CHECK(world.far.asked == ClockFilter::stages);
  CHECK(world.shows("\"clock_off_ms\":7000,"));
  CHECK(world.shows("\"clock_round_trip_ms\":2,"));
  CHECK(world.shows("\"clock_samples\":8,"));
  world.pass(63s); // the burst is over: one in 64 s
  CHECK(world.far.asked == ClockFilter::stages);
  world.pass(1s);
  CHECK(world.far.asked == ClockFilter::stages + 1);
  CHECK(world.cloud.stored_alerts().empty());
}

TEST_CASE("a clock that is off by more than five minutes makes one alert, however often it is measured") {
  TempDir dir;
  Clocks world{dir};
  world.far.off = 3'600 * second;
  world.far.there = world.far.back = 5 * millisecond;
  world.connect();
  auto only_alert = [&] {
    auto alerts = world.cloud.stored_alerts();
    REQUIRE(alerts.size() == 1);
    return alerts[0];
  };
  auto alert = only_alert();
  CHECK(alert.finding.detector == "sensor.health");
  CHECK(alert.finding.cause == "clock.off");
  CHECK(alert.finding.entity.name == "gw-1");
  CHECK(alert.finding.act ==
        "has a clock that is 60 min ahead of the cloud's; times in its findings are wrong by as much");
  world.pass(200s);
  world.connect(); // nor does a new session repeat it
  world.pass(10s);
  CHECK(world.far.asked > 15);
  CHECK(only_alert().revision == 1);
  CHECK(only_alert().finding.count == 1);

  world.far.off = -7'300 * second; // wrong in another way: the same alert says so
  world.pass(64s);
  CHECK(only_alert().finding.count == 2);
  CHECK(only_alert().finding.act.find("2 h behind the cloud's") != std::string::npos);
  CHECK(world.listed(-7'300'000));

  world.far.off = 0; // set right: nothing more is told
  world.pass(64s);
  CHECK(world.listed(0));
  CHECK(only_alert().finding.count == 2);
  world.far.off = -7'300 * second; // and wrong again
  world.pass(64s);
  CHECK(only_alert().finding.count == 3);
}

TEST_CASE("a cloud that starts again does not tell once more of a clock that is off") {
  TempDir dir;
  for (int start = 0; start < 2; ++start) {
    Clocks world{dir};
    world.far.off = 3'600 * second;
    world.connect();
    world.pass(70s);
    auto alerts = world.cloud.stored_alerts();
    REQUIRE(alerts.size() == 1);
    CHECK(alerts[0].finding.count == 1);
    CHECK(alerts[0].revision == 1);
  }
}

TEST_CASE("a clock within five minutes makes no alert") {
  TempDir dir;
  Clocks world{dir};
  world.far.off = -299 * second;
  world.connect();
  world.pass(10s);
  CHECK(world.listed(-299'000));
  CHECK(world.cloud.stored_alerts().empty());
}

TEST_CASE("a gateway that does not know the question is not asked; its Hello tells of its clock") {
  TempDir dir;
  Clocks world{dir};
  world.far.minor = link_minor_clock - 1;
  world.far.off = -3'600 * second;
  world.connect();
  world.pass(10s);
  CHECK(world.far.asked == 0);
  CHECK(world.shows("\"clock_samples\":0,"));
  CHECK(world.listed(-3'600'000));
  auto alerts = world.cloud.stored_alerts();
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].finding.observed == "60 min behind the cloud's clock, measured by its Hello");
}

TEST_CASE("an answer that cannot be a time is no sample") {
  TempDir dir;
  Clocks world{dir};
  for (const auto lie :
       {std::numeric_limits<Timestamp>::min(), std::numeric_limits<Timestamp>::max(), Timestamp{-1}}) {
    world.far.lie = lie;
    world.connect();
    world.pass(3s);
    CHECK(world.far.asked >= 3);
    CHECK(world.shows("\"clock_samples\":0,"));
  }
  world.far.off = std::numeric_limits<Timestamp>::max() - world.cloud.clock; // so does its Hello
  world.connect();
  CHECK(world.listed(0));
  CHECK(world.cloud.stored_alerts().empty());
  CHECK(world.closed.empty());
}
