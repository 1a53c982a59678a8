#include "node/uplink_actor.hpp"

#include "actors/query.hpp"
#include "actors/query_codec.hpp"
#include "actors/spawn.hpp"
#include "node/spool_actor.hpp"
#include "schemas/link.capnp.h"
#include "tests/fixtures/deterministic.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

/// A cloud that keeps what it gets and acknowledges as it is told to.
struct MockCloud {
  std::uint64_t epoch = 1;
  std::array<std::uint64_t, 2> applied{};
  std::uint32_t credit = 4;
  bool acknowledges = true;
  bool full = false;
  std::string refusal;
  std::uint16_t major = 1, minor = 1;
  std::vector<std::pair<std::uint8_t, std::uint64_t>> got; ///< lane, seq in the order of arrival
  std::size_t hellos = 0;
  std::uint64_t hello_epoch = 0;
};

struct MockSessionState {
  std::vector<caf::typed_response_promise<wire::Ack>> unanswered;
};

std::vector<char> welcome_of(const MockCloud& cloud) {
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Welcome>();
  root.setProtocolMajor(cloud.major);
  root.setProtocolMinor(cloud.minor);
  root.setRefusal(cloud.refusal);
  root.setEpoch(cloud.epoch);
  auto lanes = root.initApplied(2);
  for (unsigned i = 0; i < 2; ++i) {
    lanes[i].setLane(std::uint8_t(i));
    lanes[i].setLastSeq(cloud.applied[i]);
  }
  root.setCreditBatches(cloud.credit);
  root.setCreditBytes(1 << 20);
  root.initScale().setDay(2 * second);
  root.getScale().setWindow(second);
  auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().end()};
}

SessionActor::behavior_type mock_session(SessionActor::stateful_pointer<MockSessionState> self,
                                         MockCloud* cloud) {
  return {
      [](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
      [=](const wire::Hello& hello) {
        ++cloud->hellos;
        std::vector<capnp::word> words(hello.bytes.size() / sizeof(capnp::word));
        std::memcpy(words.data(), hello.bytes.data(), hello.bytes.size());
        capnp::FlatArrayMessageReader reader{kj::ArrayPtr<const capnp::word>(words.data(), words.size())};
        cloud->hello_epoch = reader.getRoot<schema::Hello>().getEpoch();
        if (cloud->hello_epoch == 0 && cloud->hellos > 1) { // asked to start anew
          ++cloud->epoch;
          cloud->applied = {};
        }
        return wire::Welcome{welcome_of(*cloud)};
      },
      [=](const wire::Batch& batch) -> caf::result<wire::Ack> {
        cloud->got.emplace_back(batch.lane, batch.seq);
        if (cloud->full) return caf::make_error(caf::sec::runtime_error, "the disk is full");
        if (!cloud->acknowledges) {
          self->state.unanswered.push_back(self->make_response_promise<wire::Ack>());
          return self->state.unanswered.back();
        }
        cloud->applied[batch.lane] = batch.seq;
        return wire::Ack{batch.epoch, batch.lane, batch.seq};
      },
      [](const wire::Query&) { return wire::Reply{}; },
      [](const Ref<PushOut>&) {},
      [](const Ref<QueryRequest>&) { return make_ref(QueryAnswer{}); },
      [](atom::wake) {},
      [](atom::down, const std::string&) {},
  };
}

struct RouterSink {
  std::size_t terms = 0;
};

/// A spool that was damaged and has begun anew: no epoch until one is granted.
struct EmptySpoolState {
  std::uint64_t epoch = 0;
};

SpoolActor::behavior_type empty_spool(SpoolActor::stateful_pointer<EmptySpoolState> self) {
  auto state = [self] {
    SpoolState now;
    now.epoch = self->state.epoch;
    return make_ref(now);
  };
  return {
      [](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
      [](const Ref<FindingBatch>&) {},
      [](const Ref<DeltaBatch>&) {},
      [](const Ref<HealthBatch>&) {},
      [=](const Ref<SpoolRead>& read) {
        return make_ref(SpooledBatches{read->lane, self->state.epoch, {}});
      },
      [](const Ref<SpoolAck>&) {},
      [=](atom::state) { return state(); },
      [=](const Ref<SpoolEpoch>& terms) {
        self->state.epoch = terms->epoch;
        return state();
      },
      [](const Ref<SpoolPut>&) {},
      [](atom::tick) {},
  };
}

struct Gateway : Deterministic {
  TempDir dir;
  MockCloud cloud;
  SpoolActor spool;
  UplinkActor uplink;
  std::vector<std::string> given_up;
  bool rests = false; ///< whether the last one was for long
  std::vector<caf::strong_actor_ptr> sessions;

  Gateway() {
    auto opened = Spool::open(dir.path("spool"), {}, 0);
    REQUIRE(opened.ok());
    std::shared_ptr<Spool> store{std::move(*opened)};
    auto now = [] { return Timestamp{1'000 * second}; };
    SpoolEvents events;
    events.wake = [this] {
      if (uplink) caf::anon_send(uplink, atom::wake_v);
    };
    events.finding = [](const Finding&) {};
    spool = spawn_in<SpoolActor, SpoolActorState>(system, directory, {.kind = "spool"}, spool_actor, store,
                                                  std::function<Timestamp()>{now}, std::move(events));
    UplinkWorld world;
    world.spool = [this] { return spool; };
    world.inspector = [] { return InspectorActor{}; };
    world.router = [] { return RouterActor{}; };
    world.now = now;
    world.give_up = [this](const std::string& reason, bool later) {
      given_up.push_back(reason);
      rests = later;
    };
    uplink = spawn_in<UplinkActor, UplinkState>(system, directory, {.kind = "uplink"}, uplink_actor,
                                                std::move(world), std::map<std::string, std::uint64_t>{},
                                                std::uint64_t{0});
    settle();
  }
  ~Gateway() {
    auto ending = sessions;
    ending.push_back(caf::actor_cast<caf::strong_actor_ptr>(spool));
    ending.push_back(caf::actor_cast<caf::strong_actor_ptr>(uplink));
    for (const auto& actor : ending)
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    settle();
  }
  void connect() {
    auto mock = spawn_in<SessionActor, MockSessionState>(system, directory, {.kind = "session"}, mock_session,
                                                         &cloud);
    sessions.push_back(caf::actor_cast<caf::strong_actor_ptr>(mock));
    caf::anon_send(uplink, atom::up_v, sessions.back());
    settle();
  }
  void cut() {
    caf::anon_send(uplink, atom::down_v, std::string{"cut"});
    settle();
  }
  void find(int count) {
    for (int i = 0; i < count; ++i) {
      Finding finding;
      finding.detector = "process.novel";
      caf::anon_send(spool, make_ref(FindingBatch{{finding}}));
    }
    settle();
  }
};

} // namespace

TEST_CASE("what was found while the cloud was away is sent when it is back") {
  Gateway gateway;
  gateway.find(3);
  gateway.connect();
  CHECK(gateway.cloud.got == std::vector<std::pair<std::uint8_t, std::uint64_t>>{{0, 1}, {0, 2}, {0, 3}});
  gateway.find(1);
  CHECK(gateway.cloud.got.size() == 4);
}

TEST_CASE("no more is under way than the cloud gave credit for") {
  Gateway gateway;
  gateway.cloud.acknowledges = false;
  gateway.find(10);
  gateway.connect();
  CHECK(gateway.cloud.got.size() == gateway.cloud.credit);
}

TEST_CASE("batches that were never acknowledged are sent again over the next connection") {
  Gateway gateway;
  gateway.cloud.acknowledges = false;
  gateway.find(2);
  gateway.connect();
  gateway.cut();
  gateway.cloud.acknowledges = true;
  gateway.cloud.got.clear();
  gateway.connect();
  CHECK(gateway.cloud.got == std::vector<std::pair<std::uint8_t, std::uint64_t>>{{0, 1}, {0, 2}});
}

TEST_CASE("a batch that was applied but whose acknowledgement was lost is not sent again") {
  Gateway gateway;
  gateway.cloud.acknowledges = false;
  gateway.find(2);
  gateway.connect();
  gateway.cut();
  gateway.cloud.acknowledges = true;
  gateway.cloud.applied[0] = 1;
  gateway.cloud.got.clear();
  gateway.connect();
  CHECK(gateway.cloud.got == std::vector<std::pair<std::uint8_t, std::uint64_t>>{{0, 2}});
}

TEST_CASE("a cloud that grants a new epoch gets everything unacknowledged from number one") {
  Gateway gateway;
  gateway.find(2);
  gateway.connect();
  gateway.cut();
  gateway.find(2);
  gateway.cloud = MockCloud{};
  gateway.cloud.epoch = 9;
  gateway.connect();
  CHECK(gateway.cloud.got == std::vector<std::pair<std::uint8_t, std::uint64_t>>{{0, 1}, {0, 2}});
}

TEST_CASE("a cloud that knows more than the spool makes the gateway ask for a new epoch") {
  Gateway gateway;
  gateway.find(1);
  gateway.connect();
  gateway.cut();
  gateway.cloud.applied[0] = 50; // another spool of this gateway got that far
  gateway.find(1);
  gateway.connect();
  CHECK(gateway.cloud.hello_epoch == 0);
  CHECK(gateway.cloud.got.back() == std::pair<std::uint8_t, std::uint64_t>{0, 1});
}

TEST_CASE("a refusal is told and the connection is given up") {
  Gateway gateway;
  gateway.cloud.refusal = "upgrade the gateway";
  gateway.connect();
  REQUIRE(gateway.given_up.size() == 1);
  CHECK(gateway.given_up[0].find("upgrade the gateway") != std::string::npos);
  CHECK_FALSE(gateway.rests); // for another reason than its version: the usual pause
}

TEST_CASE("a cloud of another version gets nothing, and the gateway says which side to upgrade") {
  struct Case {
    std::uint16_t major, minor;
    std::string says;
  };
  for (const auto& [major, minor, says] :
       {Case{1, 3, "the cloud speaks link protocol 1.3, this gateway 1.1: upgrade this gateway"},
        Case{2, 0, "the cloud speaks link protocol 2.0, this gateway 1.1: upgrade this gateway"},
        Case{0, 9, "the cloud speaks link protocol 0.9, this gateway 1.1: upgrade the cloud"}}) {
    Gateway gateway;
    gateway.find(1);
    gateway.cloud.major = major;
    gateway.cloud.minor = minor;
    gateway.connect();
    REQUIRE(gateway.given_up.size() == 1);
    CHECK(gateway.given_up[0].find(says) == 0);
    CHECK(gateway.rests);
    CHECK(gateway.cloud.got.empty());
    CHECK(gateway.cloud.hellos == 1);
  }
  for (const std::uint16_t minor : {0, 1, 2}) {
    Gateway gateway;
    gateway.find(1);
    gateway.cloud.minor = minor;
    gateway.connect();
    CHECK(gateway.given_up.empty());
    CHECK(gateway.cloud.got.size() == 1);
  }
}

TEST_CASE("pushes that are not signed by the cloud's key are refused") {
  Gateway gateway;
  gateway.connect();
  capnp::MallocMessageBuilder message;
  auto root = message.initRoot<schema::Push>();
  root.setVersion(1);
  root.setBaseline(kj::arrayPtr(reinterpret_cast<const capnp::byte*>("nonsense"), 8));
  auto words = capnp::messageToFlatArray(message);
  std::vector<char> bytes{words.asChars().begin(), words.asChars().end()};
  auto ack = gateway.ask<wire::PushAck>(gateway.uplink, wire::Push{bytes});
  std::vector<capnp::word> copy(ack.bytes.size() / sizeof(capnp::word));
  std::memcpy(copy.data(), ack.bytes.data(), ack.bytes.size());
  capnp::FlatArrayMessageReader reader{kj::ArrayPtr<const capnp::word>(copy.data(), copy.size())};
  CHECK_FALSE(reader.getRoot<schema::PushAck>().getAccepted());
}

TEST_CASE("a spool that began anew asks for one new epoch, though both lanes say so") {
  Gateway gateway;
  gateway.connect();
  REQUIRE(gateway.cloud.hellos == 1);
  gateway.sessions.push_back(caf::actor_cast<caf::strong_actor_ptr>(gateway.spool)); // ended with the rest
  gateway.spool = spawn_in<SpoolActor, EmptySpoolState>(gateway.system, gateway.directory, {.kind = "spool"},
                                                        empty_spool);
  caf::anon_send(gateway.uplink, atom::wake_v);
  gateway.settle();
  CHECK(gateway.cloud.hellos == 2); // a third in one session is one too many for the cloud
  CHECK(gateway.cloud.hello_epoch == 0);
  CHECK(gateway.cloud.epoch == 2);
  CHECK(gateway.given_up.empty());
}

TEST_CASE("issue: an error of the cloud is told as what it is, not as an answer that is late") {
  Gateway gateway;
  gateway.cloud.full = true;
  gateway.find(1);
  gateway.connect();
  REQUIRE(gateway.given_up.size() == 1);
  CHECK(gateway.given_up[0].find("the cloud could not take a batch") == 0);
  CHECK(gateway.given_up[0].find("the disk is full") != std::string::npos);
}
