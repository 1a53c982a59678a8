#include "probe.hpp"
#include "tests/fixtures/deterministic.hpp"

#include <catch2/catch.hpp>

#include <thread>

using namespace iris;
using namespace iris::test;

TEST_CASE("an actor's record counts what it handles and forgets nothing that waits") {
  Deterministic world;
  const auto probe = spawn_probe(world.system, world.directory, "one");
  world.settle();
  const auto record = world.directory.find(probe.id()).record;
  REQUIRE(record);
  CHECK(record->meta().kind == "probe");
  CHECK(record->meta().name == "one");
  CHECK(record->state.load() == "ready");
  for (int i = 0; i < 40; ++i)
    world.self->send(probe, make_ref(question("x")));
  CHECK(record->depth() == 40);
  CHECK(record->handled() == 0);
  world.settle();
  CHECK(record->depth() == 0);
  CHECK(record->handled() == 40);
  CHECK(record->busy() > 0);
  const auto recent = record->recent();
  REQUIRE(recent.size() == ActorRecord::ring_size);
  CHECK(recent.front().number == 40);
  CHECK(recent.back().number == 9);
  CHECK(recent.front().label.form == MessageLabel::Form::custom);
}

TEST_CASE("the directory lists the living and keeps the last ended") {
  Deterministic world;
  const auto first = spawn_probe(world.system, world.directory, "first");
  const auto second = spawn_probe(world.system, world.directory, "second");
  world.settle();
  CHECK(world.directory.size() == 2);
  world.self->send(first, make_ref(question("quit")));
  world.settle();
  CHECK(world.directory.size() == 1);
  REQUIRE(world.directory.ended().size() == 1);
  CHECK(world.directory.ended()[0]->meta().name == "first");
  CHECK(world.directory.ended()[0]->last_error.load().empty());
  CHECK(world.directory.find(first.id()).record->ended());
  CHECK_FALSE(world.directory.find(424242).record);
  for (std::size_t i = 0; i < 2 * Directory::ended_limit; ++i) {
    const auto probe = spawn_probe(world.system, world.directory, "brief");
    world.self->send(probe, make_ref(question("quit")));
    world.settle();
  }
  CHECK(world.directory.size() == 1);
  CHECK(world.directory.ended().size() == Directory::ended_limit);
  CHECK(world.directory.total_spawned() == 2 + 2 * Directory::ended_limit);
}

TEST_CASE("a full mailbox drops the newest, counts it, and answers a dropped request at once") {
  Deterministic world;
  const auto probe = spawn_probe(world.system, world.directory, "narrow", 5);
  world.settle();
  const auto record = world.directory.find(probe.id()).record;
  for (int i = 0; i < 12; ++i)
    world.self->send(probe, make_ref(question("x")));
  CHECK(record->depth() == 5);
  CHECK(record->dropped() == 7);
  std::string problem;
  auto pending = world.self->request(probe, std::chrono::seconds{1}, make_ref(question("x")));
  REQUIRE(world.self->has_next_message());
  pending.receive([](const Ref<QueryAnswer>&) {},
                  [&](const caf::error& error) { problem = caf::to_string(error); });
  CHECK(problem == "system_error(unavailable_or_would_block)");
  CHECK(record->dropped() == 8);

  SECTION("high priority, and CAF's own messages pass") {
    auto urgent = world.self->request<caf::message_priority::high>(
        probe, caf::duration{std::chrono::seconds{1}}, atom::inspect_v);
    CHECK(record->dropped() == 8);
    CHECK(record->depth() == 6);
    world.self->send_exit(probe, caf::exit_reason::user_shutdown);
    CHECK(record->dropped() == 8);
    world.settle();
    urgent.receive([](const Ref<InspectAnswer>& answer) { CHECK(answer->json == "{\"seen\":0}"); },
                   [](const caf::error& error) { FAIL(caf::to_string(error)); });
    CHECK(record->ended());
  }
  SECTION("what was accepted is handled") {
    world.settle();
    CHECK(record->handled() == 5);
    world.self->send(probe, make_ref(question("x")));
    CHECK(record->dropped() == 8);
  }
}

TEST_CASE("an exception ends the actor and is kept as its last error") {
  Deterministic world;
  const auto probe = spawn_probe(world.system, world.directory, "fragile");
  world.settle();
  world.self->send(probe, make_ref(question("throw", {"the table is gone"})));
  world.settle();
  CHECK(world.directory.size() == 0);
  const auto record = world.directory.find(probe.id()).record;
  REQUIRE(record);
  CHECK(record->ended());
  CHECK(record->last_error.load() == "the table is gone");
}

TEST_CASE("an exception while starting ends the actor and is kept too") {
  Deterministic world;
  const auto bad =
      +[](InspectorActor::stateful_pointer<ProbeState>,
          const std::string& why) -> InspectorActor::behavior_type { throw std::runtime_error{why}; };
  const auto probe = spawn_in<InspectorActor, ProbeState>(world.system, world.directory, meta("stillborn"),
                                                          bad, std::string{"no disk"});
  world.settle();
  const auto record = world.directory.find(probe.id()).record;
  REQUIRE(record);
  CHECK(record->ended());
  CHECK(record->last_error.load() == "no disk");
}

TEST_CASE("detached actors and real threads are counted alike") {
  Directory directory;
  ActorConfig config;
  caf::actor_system system{config};
  close_registry(system);
  CHECK_FALSE(system.registry().get(caf::atom("SpawnServ")));
  CHECK_FALSE(system.registry().get(caf::atom("ConfigServ")));
  const auto detached =
      spawn_in<InspectorActor, ProbeState, caf::detached>(system, directory, meta("detached"), probe_actor);
  const auto pooled = spawn_probe(system, directory, "pooled");
  caf::scoped_actor self{system};
  for (const auto& probe : {detached, pooled}) {
    const auto record = directory.find(probe.id()).record;
    std::thread other{[&] {
      for (int i = 0; i < 5'000; ++i)
        caf::anon_send(probe, make_ref(question("x")));
    }};
    for (int i = 0; i < 5'000; ++i)
      self->send(probe, make_ref(question("x")));
    other.join();
    // Answered after everything that was sent before it.
    self->request(probe, std::chrono::seconds{20}, make_ref(question("last")))
        .receive([](const Ref<QueryAnswer>& answer) { CHECK(answer->message == "last"); },
                 [](const caf::error& error) { FAIL(caf::to_string(error)); });
    CHECK(record->handled() + 1 >= 10'001);
    self->send_exit(probe, caf::exit_reason::user_shutdown);
    self->wait_for(probe);
    CHECK(record->ended());
    CHECK(record->last_error.load().empty());
    CHECK(record->dropped() == 0);
  }
}

TEST_CASE("a shared text is never torn") {
  SharedText text;
  text.store(std::string(1'000, 'x'));
  CHECK(text.load() == std::string(SharedText::limit, 'x'));
  text.store(std::string(SharedText::limit - 1, 'a') + "\xc3\xa4");
  CHECK(text.load() == std::string(SharedText::limit - 1, 'a'));
  std::atomic<bool> stop{false};
  std::thread writer{[&] {
    for (int i = 0; !stop; ++i)
      text.store(std::string(std::size_t(20 + i % 100), char('a' + i % 26)));
  }};
  for (int i = 0; i < 2'000; ++i) {
    const auto seen = text.load();
    if (seen.empty() || seen == "(changing)") continue;
    if (seen.find_first_not_of(seen[0]) != std::string::npos) FAIL(seen);
  }
  stop = true;
  writer.join();
}
