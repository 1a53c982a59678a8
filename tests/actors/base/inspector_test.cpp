#include "actors/inspector.hpp"
#include "probe.hpp"
#include "tests/fixtures/deterministic.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace iris;
using namespace iris::test;
using nlohmann::json;

namespace {

struct Inspected : Deterministic {
  InspectorActor inspector = spawn_inspector(system, directory);
  InspectorActor probe = spawn_probe(system, directory, "one", 50);
  Inspected() { settle(); }
  ~Inspected() {
    self->send_exit(inspector, caf::exit_reason::kill);
    self->send_exit(probe, caf::exit_reason::kill);
    settle();
  }
  Ref<QueryAnswer> query(std::string verb, std::vector<std::string> arguments = {}) {
    return ask<Ref<QueryAnswer>>(inspector, make_ref(question(std::move(verb), std::move(arguments))));
  }
};

} // namespace

TEST_CASE_METHOD(Inspected, "actors lists every actor with its numbers") {
  for (int i = 0; i < 60; ++i)
    self->send(probe, make_ref(question("x")));
  settle();
  const auto answer = query("actors");
  REQUIRE(answer->status == 0);
  REQUIRE(answer->lines.size() == 2);
  const auto line = json::parse(answer->lines[1]);
  CHECK(line["id"] == probe.id());
  CHECK(line["kind"] == "probe");
  CHECK(line["name"] == "one");
  CHECK(line["state"] == "ready");
  CHECK(line["mailbox"] == 0);
  CHECK(line["handled"] == 50);
  CHECK(line["dropped"] == 10);
  CHECK(line["bound"] == 50);
  CHECK(line["restarts"] == 0);
  CHECK(line["last_error"] == "");
  CHECK(line["busy_ms"].get<double>() >= 0);
  CHECK(json::parse(answer->lines[0])["kind"] == "inspector");
}

TEST_CASE_METHOD(Inspected, "actor shows record, last messages and what the actor says") {
  self->send(probe, make_ref(question("x")));
  settle();
  for (const auto& id : {std::to_string(probe.id()), std::string{"probe"}, std::string{"probe/one"}}) {
    const auto answer = query("actor", {id});
    REQUIRE(answer->status == 0);
    REQUIRE(answer->lines.size() == 1);
    const auto tree = json::parse(answer->lines[0]);
    CHECK(tree["id"] == probe.id());
    CHECK(tree["inspect"]["seen"] == 1);
    CHECK(tree["ended"] == false);
    CHECK(tree["recent"].back()["type"] == "QueryRequest");
    CHECK(tree["recent"].back()["flow"] == "send");
    CHECK(tree["recent"].front()["type"] == "inspect");
    CHECK(tree["recent"].front()["flow"] == "request");
    CHECK(tree["recent"].back()["us"].get<double>() > 0);
  }
}

TEST_CASE_METHOD(Inspected, "an actor that does not answer costs a second, not the answer") {
  const auto mute = +[](InspectorActor::stateful_pointer<ProbeState> actor) -> InspectorActor::behavior_type {
    return {[actor](atom::inspect) -> caf::result<Ref<InspectAnswer>> {
              return actor->make_response_promise<Ref<InspectAnswer>>(); // never kept
            },
            [](const Ref<QueryRequest>&) { return make_ref(QueryAnswer{}); }};
  };
  const auto silent = spawn_in<InspectorActor, ProbeState>(system, directory, meta("mute"), mute);
  settle();
  auto pending = self->request(inspector, std::chrono::seconds{10},
                               make_ref(question("actor", {std::to_string(silent.id())})));
  settle();
  CHECK_FALSE(self->has_next_message());
  pass(std::chrono::milliseconds{1'010});
  REQUIRE(self->has_next_message());
  pending.receive(
      [](const Ref<QueryAnswer>& answer) {
        CHECK(answer->partial);
        const auto tree = json::parse(answer->lines.at(0));
        CHECK(tree["inspect"].is_null());
        CHECK(tree["inspect_error"] == "did not answer within a second");
      },
      [](const caf::error& error) { FAIL(caf::to_string(error)); });
  self->send_exit(silent, caf::exit_reason::kill);
  settle();
}

TEST_CASE_METHOD(Inspected, "the ended, the unknown and the ambiguous are told apart") {
  const auto other = spawn_probe(system, directory, "two");
  settle();
  CHECK(query("actor", {"probe"})->message.find("more than one") != std::string::npos);
  CHECK(query("actor", {"99999"})->status == std::uint8_t(Errc::not_found));
  CHECK(query("actor", {"nobody"})->status == std::uint8_t(Errc::not_found));
  CHECK(query("actor")->status == std::uint8_t(Errc::invalid));
  CHECK(query("dance")->status == std::uint8_t(Errc::invalid));
  self->send(other, make_ref(question("throw", {"it broke"})));
  settle();
  const auto answer = query("actor", {std::to_string(other.id())});
  REQUIRE(answer->status == 0);
  const auto tree = json::parse(answer->lines[0]);
  CHECK(tree["ended"] == true);
  CHECK(tree["last_error"] == "it broke");
  CHECK(tree["inspect_error"] == "it has ended");
}
