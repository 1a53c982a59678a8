#include "actors/supervisor.hpp"
#include "actors/watchdog.hpp"
#include "probe.hpp"
#include "tests/fixtures/deterministic.hpp"

#include <catch2/catch.hpp>
#include <spdlog/spdlog.h>

#include <future>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

struct Supervised : Deterministic {
  std::vector<CrashReport> reports;
  SupervisorActor supervisor;
  Slot<InspectorActor> slot;
  int starts = 0;
  bool start_fails = false;

  Supervised() {
    spdlog::set_level(spdlog::level::off);
    SupervisorOptions options;
    options.on_trouble = [this](const CrashReport& report) { reports.push_back(report); };
    supervisor = spawn_supervisor(system, directory, options);
    supervise<InspectorActor>(
        supervisor, "the probe",
        [this] {
          ++starts;
          if (start_fails) throw std::runtime_error{"cannot open the spool"};
          return spawn_probe(system, directory, "child");
        },
        slot);
    settle();
  }
  ~Supervised() {
    slot.clear();
    anon_send_exit(supervisor, caf::exit_reason::kill);
    for (const auto& entry : directory.list())
      if (auto actor = caf::actor_cast<caf::actor>(entry.actor))
        anon_send_exit(actor, caf::exit_reason::kill);
    settle();
  }
  void crash() {
    REQUIRE(slot.send(self.operator->(), make_ref(question("throw", {"crash " + std::to_string(starts)}))));
    settle();
  }
};

} // namespace

TEST_CASE_METHOD(Supervised, "a crashed child comes back after a backoff that doubles") {
  CHECK(starts == 1);
  for (const auto wait : {100ms, 200ms, 400ms, 800ms}) {
    crash();
    CHECK_FALSE(slot.get());
    CHECK_FALSE(slot.send(self.operator->(), make_ref(question("x"))));
    const auto before = starts;
    pass(wait - 10ms);
    CHECK(starts == before);
    pass(10ms);
    CHECK(starts == before + 1);
    REQUIRE(slot.get());
  }
  CHECK(slot.missed() == 4);
  const auto record = directory.find(slot.get().id()).record;
  REQUIRE(record);
  CHECK(record->restarts == 4);
  CHECK(record->last_error.load() == "crash 4");
  REQUIRE(reports.size() == 2); // from the third in a row on
  CHECK(reports[0].crashes == 3);
  CHECK(reports[0].name == "the probe");
  CHECK(reports[0].last_error == "crash 3");
  CHECK(reports[1].retry_in == 800ms);
}

TEST_CASE_METHOD(Supervised, "backoff has a longest step and a quiet minute forgives") {
  for (int i = 0; i < 12; ++i) {
    crash();
    pass(30s, 1s);
    REQUIRE(slot.get());
  }
  CHECK(reports.back().retry_in == 30s);
  pass(61s, 1s);
  crash();
  pass(100ms);
  CHECK(slot.get());
}

TEST_CASE_METHOD(Supervised, "a start that fails is tried again, also later") {
  start_fails = true;
  crash();
  pass(100ms);
  CHECK(starts == 2);
  CHECK_FALSE(slot.get());
  pass(200ms);
  CHECK(starts == 3);
  start_fails = false;
  pass(400ms);
  CHECK(starts == 4);
  REQUIRE(slot.get());
  CHECK(directory.find(slot.get().id()).record->last_error.load() == "cannot open the spool");
  const auto answer = ask<Ref<InspectAnswer>>(supervisor, atom::inspect_v);
  CHECK(answer->json.find("\"restarts\":3") != std::string::npos);
}

TEST_CASE_METHOD(Supervised, "an orderly end is not a crash") {
  slot.send(self.operator->(), make_ref(question("quit")));
  settle();
  pass(31s, 1s);
  CHECK(starts == 1);
  CHECK_FALSE(slot.get());
  CHECK(directory.find(supervisor.id()).record->state.load() == "0 children, 0 down, 0 restarts");
}

TEST_CASE_METHOD(Supervised, "shutting down ends the youngest first and restarts nobody") {
  Slot<InspectorActor> later;
  const auto second = supervise<InspectorActor>(
      supervisor, "another", [this] { return spawn_probe(system, directory, "later"); }, later);
  settle();
  self->send(supervisor, atom::down_v);
  settle();
  CHECK(directory.size() == 0);
  const auto ended = directory.ended();
  REQUIRE(ended.size() == 3);
  CHECK(ended[2]->meta().name == "later");
  CHECK(ended[1]->meta().name == "child");
  CHECK(ended[0]->meta().kind == "supervisor");
  pass(1s);
  CHECK(starts == 1);
}

TEST_CASE("a child that does not end in time is killed") {
  spdlog::set_level(spdlog::level::off);
  Directory directory;
  ActorConfig config;
  caf::actor_system system{config};
  SupervisorOptions options;
  options.grace = 100ms;
  const auto supervisor = spawn_supervisor(system, directory, options);
  Slot<InspectorActor> slot;
  const auto deaf = supervise<InspectorActor>(
      supervisor, "deaf",
      [&] {
        const auto behavior =
            +[](InspectorActor::stateful_pointer<ProbeState> self) -> InspectorActor::behavior_type {
          self->set_exit_handler([](caf::exit_msg&) {}); // asked to end, it does not
          return probe_actor(self);
        };
        return spawn_in<InspectorActor, ProbeState>(system, directory, meta("deaf"), behavior);
      },
      slot);
  CHECK_FALSE(shut_down(system, supervisor, 5s));
  caf::scoped_actor self{system};
  self->wait_for(deaf);
  slot.clear();
  CHECK(directory.find(deaf.id()).record->ended());
}

TEST_CASE("the watchdog bites only when nobody calls it off") {
  std::promise<void> bitten;
  {
    Watchdog calm{10s, [] { FAIL("called off in time"); }};
  }
  Watchdog angry{10ms, [&] { bitten.set_value(); }};
  CHECK(bitten.get_future().wait_for(5s) == std::future_status::ready);
}
