#include "tests/actors/cloud/cloud_fixture.hpp"

#include "core/link/protocol.hpp"
#include "node/spool_actor.hpp"
#include "node/uplink_actor.hpp"
#include "schemas/link.capnp.h"

#include <capnp/any.h>
#include <capnp/message.h>
#include <capnp/serialize.h>
#include <catch2/catch.hpp>

#include <cstring>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

/// How a message of another version looks: other numbers, and fewer or more fields than we know.
struct Other {
  std::uint16_t major = link_major, minor = link_minor;
  int words = 0, pointers = 0; ///< added to the struct, or cut off its end
};

std::vector<char> flat(capnp::MessageBuilder& message) {
  auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().end()};
}

/// The same struct with `other.words` more words of data and `other.pointers` more pointers at its end.
std::vector<char> resized(const std::vector<char>& bytes, const Other& other) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  capnp::FlatArrayMessageReader reader{words};
  auto from = reader.getRoot<capnp::AnyStruct>();
  const int data = int(from.getDataSection().size() / 8), pointers = int(from.getPointerSection().size());
  capnp::MallocMessageBuilder message;
  auto to = message.getRoot<capnp::AnyPointer>().initAsAnyStruct(
      std::uint16_t(std::max(1, data + other.words)), std::uint16_t(pointers + other.pointers));
  auto copied = std::min(from.getDataSection().size(), to.getDataSection().size());
  std::memset(to.getDataSection().begin(), 0x5a, to.getDataSection().size());
  std::memcpy(to.getDataSection().begin(), from.getDataSection().begin(), copied);
  for (unsigned i = 0; i < to.getPointerSection().size(); ++i)
    if (i < from.getPointerSection().size())
      to.getPointerSection()[i].set(from.getPointerSection()[i]);
    else
      to.getPointerSection()[i].setAs<capnp::Text>("of a later version");
  return flat(message);
}

template <class Root>
std::vector<char> of_version(const std::vector<char>& bytes, const Other& other) {
  auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  capnp::FlatArrayMessageReader reader{words};
  capnp::MallocMessageBuilder message;
  message.setRoot(reader.getRoot<Root>());
  auto root = message.getRoot<Root>();
  root.setProtocolMajor(other.major);
  root.setProtocolMinor(other.minor);
  if constexpr (std::is_same_v<Root, schema::Hello>)
    if (other.words < 0) root.setSeals(false);
  return resized(flat(message), other);
}

/// Between a real uplink and a real session: makes each a peer of another version to the other.
struct Between {
  SessionActor session;
  UplinkActor uplink;
  Other hello, welcome, rest;
  std::size_t batches = 0, pushes = 0, hellos = 0;
};

template <class Answer, class Target, class Message, class Change>
caf::result<Answer> pass_on(caf::event_based_actor* self, const Target& target, Message message,
                            Change change) {
  auto promise = self->make_response_promise<Answer>();
  self->request(target, 60s, std::move(message))
      .then([=](Answer answer) mutable { promise.deliver(change(std::move(answer))); },
            [=](const caf::error& error) mutable { promise.deliver(error); });
  return promise;
}

caf::behavior between(caf::event_based_actor* self, Between* b) {
  auto resize = [b](auto answer) {
    answer.bytes = resized(answer.bytes, b->rest);
    return answer;
  };
  auto same = [](auto answer) { return answer; };
  return {
      [=](const wire::Hello& hello) {
        ++b->hellos;
        return pass_on<wire::Welcome>(self, b->session,
                                      wire::Hello{of_version<schema::Hello>(hello.bytes, b->hello)},
                                      [b](wire::Welcome answer) {
                                        answer.bytes = of_version<schema::Welcome>(answer.bytes, b->welcome);
                                        return answer;
                                      });
      },
      [=](wire::Batch batch) {
        ++b->batches;
        batch.bytes = resized(batch.bytes, b->rest);
        return pass_on<wire::Ack>(self, b->session, std::move(batch), same);
      },
      [=](wire::Push push) {
        ++b->pushes;
        push.bytes = resized(push.bytes, b->rest);
        return pass_on<wire::PushAck>(self, b->uplink, std::move(push), resize);
      },
      [=](const wire::Query& query) { return pass_on<wire::Reply>(self, b->uplink, query, same); },
  };
}

/// A gateway's spool and uplink, a cloud, and what is between them.
struct Pair {
  TempDir dir;
  Cloud cloud{dir};
  Between middle;
  std::vector<std::string> given_up, closed;
  bool later = false;
  SpoolActor spool;
  std::vector<caf::actor> relays;

  Pair() {
    auto store = Spool::open(dir.path("spool"), {}, noon);
    REQUIRE(store.ok());
    auto now = [this] { return cloud.clock + 2 * second; };
    SpoolEvents events;
    events.wake = [this] {
      if (middle.uplink) caf::anon_send(middle.uplink, atom::wake_v);
    };
    events.finding = [](const Finding&) {};
    spool = spawn_in<SpoolActor, SpoolActorState>(cloud.system, cloud.directory, {.kind = "spool"},
                                                  spool_actor, std::shared_ptr<Spool>{std::move(*store)},
                                                  std::function<Timestamp()>{now}, std::move(events));
    UplinkWorld world;
    world.spool = [this] { return spool; };
    world.inspector = [] { return InspectorActor{}; };
    world.router = [] { return RouterActor{}; };
    world.now = now;
    world.give_up = [this](const std::string& reason, bool rests) {
      given_up.push_back(reason);
      later = rests;
    };
    middle.uplink = spawn_in<UplinkActor, UplinkState>(
        cloud.system, cloud.directory, {.kind = "uplink"}, uplink_actor, std::move(world),
        std::map<std::string, std::uint64_t>{}, std::uint64_t{0});
    cloud.settle();
  }
  ~Pair() {
    caf::anon_send_exit(spool, caf::exit_reason::kill);
    caf::anon_send_exit(middle.uplink, caf::exit_reason::kill);
    for (const auto& relay : relays)
      caf::anon_send_exit(relay, caf::exit_reason::kill);
    spool = nullptr;
    cloud.settle();
  }
  void connect() {
    middle.session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
    relays.push_back(cloud.system.spawn(between, &middle));
    const auto& relay = relays.back();
    caf::anon_send(middle.uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(relay));
    cloud.settle();
  }
  void find(const std::string& cause) {
    caf::anon_send(spool, make_ref(FindingBatch{{finding(cause)}}));
    cloud.settle();
  }
  PushOut document() {
    return {PushOut::Kind::indicators, "", 1, std::make_shared<const std::vector<char>>(8, 'x')};
  }
  std::string seen() { return cloud.ask<Ref<InspectAnswer>>(middle.session, atom::inspect_v)->json; }
  /// What a session is for: batches are acknowledged, and documents answered.
  void check_works() {
    find("before");
    connect();
    find("after");
    CHECK(given_up.empty());
    CHECK(cloud.stored_alerts().size() == 2);
    const auto uplink = cloud.ask<Ref<InspectAnswer>>(middle.uplink, atom::inspect_v)->json;
    CHECK(uplink.find("\"connected\":true") != std::string::npos);
    CHECK(uplink.find("\"batches_acked\":2") != std::string::npos);
    const auto before = middle.pushes;
    cloud.self->send(middle.session, make_ref(document()));
    cloud.settle();
    CHECK(middle.pushes == before + 1);
    CHECK(seen().find("\"pushes_refused\":1") != std::string::npos); // no indicators, but understood
    cloud.pass(3s, 1s);
    CHECK(closed.empty());
  }
};

} // namespace

TEST_CASE("gateway and cloud of one version work together and compare their clocks") {
  Pair pair;
  pair.check_works();
  CHECK(pair.seen().find("\"clock_off_ms\":2000,") != std::string::npos);
  CHECK(pair.middle.pushes > 3); // the document, and a question each second
}

TEST_CASE(
    "gateway and cloud work together when each sees a peer one minor version older, without its fields") {
  Pair pair;
  pair.middle.hello = {link_major, link_minor - 1, -2, -1};  // no seals, instance, time, site
  pair.middle.welcome = {link_major, link_minor - 1, 0, -2}; // no site, no key for a chain
  pair.middle.rest = {0, 0, 0, 0};
  pair.check_works();
  CHECK(pair.middle.pushes == 1); // the document only: 1.0 knows no question about clocks
}

TEST_CASE("a peer that lacks what the answer about clocks brought is no worse off") {
  Pair pair;
  pair.middle.rest = {0, 0, -1, 0}; // its PushAck has no `clock`
  pair.check_works();
  CHECK(pair.seen().find("\"clock_samples\":0,") != std::string::npos);
}

TEST_CASE(
    "gateway and cloud work together when each sees a peer one minor version newer, with fields of its own") {
  Pair pair;
  pair.middle.hello = pair.middle.welcome = {link_major, link_minor + 1, 1, 1};
  pair.middle.rest = {0, 0, 1, 1};
  pair.check_works();
  CHECK(pair.seen().find("\"clock_off_ms\":2000,") != std::string::npos);
}

TEST_CASE("a gateway of a version too far off is refused, told which side to upgrade, and stays away") {
  struct Case {
    std::uint16_t major, minor;
    std::string side;
  };
  for (const auto& [major, minor, side] :
       {Case{link_major, link_minor + 2, "the cloud"}, Case{link_major + 1, 0, "the cloud"},
        Case{link_major - 1, 9, "the gateway"}}) {
    Pair pair;
    pair.find("kept");
    pair.middle.hello = {major, minor, 0, 0};
    pair.middle.welcome = {link_major, link_minor + 2, 0, 0}; // as far from it as it is from the cloud
    pair.connect();
    REQUIRE(pair.given_up.size() == 1);
    const auto line = "the cloud refuses: the gateway speaks link protocol " + std::to_string(major) + "." +
                      std::to_string(minor) + ", the cloud " + std::to_string(link_major) + "." +
                      std::to_string(link_minor) + ": upgrade " + side;
    CHECK(pair.given_up[0] == line);
    CHECK(pair.later); // no hot loop of attempts
    CHECK(pair.middle.hellos == 1);
    CHECK(pair.middle.batches == 0);
    CHECK(pair.cloud.rows(Table::gateways) == 0);
    pair.cloud.pass(2s, 500ms);
    CHECK(pair.closed.size() == 1);
    CHECK(pair.middle.hellos == 1);
  }
}

TEST_CASE(
    "a cloud of a version too far off is left for long by the gateway, which says which side to upgrade") {
  struct Case {
    std::uint16_t major, minor;
    std::string side;
  };
  for (const auto& [major, minor, side] :
       {Case{link_major, link_minor + 2, "this gateway"}, Case{link_major + 1, 0, "this gateway"},
        Case{link_major - 1, 9, "the cloud"}}) {
    Pair pair;
    pair.find("kept");
    pair.middle.welcome = {major, minor, 0, -6}; // nothing else in it has to be understood
    pair.connect();
    REQUIRE(pair.given_up.size() == 1);
    CHECK(pair.given_up[0] == "the cloud speaks link protocol " + std::to_string(major) + "." +
                                  std::to_string(minor) + ", this gateway " + std::to_string(link_major) +
                                  "." + std::to_string(link_minor) + ": upgrade " + side +
                                  " (it is iris-cloud test)");
    CHECK(pair.later); // no hot loop of attempts
    CHECK(pair.middle.hellos == 1);
    pair.find("kept too");
    pair.cloud.pass(3s, 1s);
    CHECK(pair.middle.batches == 0);
    CHECK(pair.middle.hellos == 1);
    CHECK(pair.cloud.stored_alerts().empty());
  }
}
