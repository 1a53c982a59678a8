#pragma once
#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "node/recording/recorder.hpp"
#include "node/router_actor.hpp"
#include "node/spool_actor.hpp"
#include "tests/fixtures/deterministic.hpp"

#include <caf/send.hpp>

namespace iris::test {

struct Kept {
  std::vector<Finding> findings;
  std::vector<ServiceDelta> deltas;
};

struct SpoolSinkState {};

inline SpoolActor::behavior_type spool_sink(SpoolActor::stateful_pointer<SpoolSinkState>, Kept* kept) {
  return {
      [](atom::inspect) { return make_ref(InspectAnswer{"{}"}); },
      [=](const Ref<FindingBatch>& batch) {
        kept->findings.insert(kept->findings.end(), batch->findings.begin(), batch->findings.end());
      },
      [=](const Ref<DeltaBatch>& batch) {
        for (const auto& bytes : batch->deltas)
          kept->deltas.push_back(decode_delta(bytes.data(), bytes.size()).value());
      },
      [](const Ref<HealthBatch>&) {},
      [](const Ref<SpoolRead>&) { return make_ref(SpooledBatches{}); },
      [](const Ref<SpoolAck>&) {},
      [](atom::state) { return make_ref(SpoolState{}); },
      [](const Ref<SpoolEpoch>&) { return make_ref(SpoolState{}); },
      [](const Ref<SpoolPut>&) {},
      [](atom::tick) {},
  };
}

/// A router with its pairs, and no sources: the test is what they see.
struct Node : Deterministic {
  Timestamp now = 1'800'000'000 * second;
  Duration wall_shift = 0; ///< by which the clock was set since the start
  Kept kept;
  SpoolActor spool;
  SupervisorActor supervisor = spawn_supervisor(system, directory, {});
  std::shared_ptr<RouterWorld> world;
  RouterActor router;

  explicit Node(Duration gone_service = 60 * second, std::size_t pair_limit = 256,
                std::shared_ptr<Recorder> recorder = nullptr) {
    spool = spawn_in<SpoolActor, SpoolSinkState>(system, directory, {.kind = "spool"}, spool_sink, &kept);
    world = std::make_shared<RouterWorld>();
    world->gateway = "gw";
    world->directory = &directory;
    world->supervisor = supervisor;
    world->spool.set(spool);
    world->losses = std::make_shared<LossLedger>();
    world->now = [this] { return now; };
    world->wall_shift = [this] { return wall_shift; };
    world->memory = std::make_shared<RouterMemory>();
    world->gone_service = gone_service;
    world->pair_limit = pair_limit;
    world->recorder = std::move(recorder);
    start_router();
  }
  void start_router() {
    router = spawn_in<RouterActor, RouterState>(system, directory, {.kind = "router"}, router_actor,
                                                std::shared_ptr<const RouterWorld>{world});
    settle();
  }
  ~Node() {
    end();
    for (const auto& actor :
         {caf::actor_cast<caf::strong_actor_ptr>(spool), caf::actor_cast<caf::strong_actor_ptr>(router),
          caf::actor_cast<caf::strong_actor_ptr>(supervisor)})
      caf::anon_send_exit(actor, caf::exit_reason::kill);
    settle();
  }
  /// The node stops: all children of the supervisor end in order.
  void end() {
    self->send(supervisor, atom::down_v);
    settle();
  }
  static std::string id(char digit) { return std::string(64, digit); }
  void container(char digit, const char* address, ContainerAction action) {
    ContainerFacts facts;
    facts.id = id(digit);
    facts.name = facts.service = "edgex-support-logging";
    facts.digest = "sha256:1";
    facts.running = action != ContainerAction::removed;
    ContainerNetwork network;
    network.address = *parse_ip(address);
    facts.networks = {network};
    ContainerEvent event;
    event.id = facts.id;
    event.at = now;
    event.change.action = action;
    caf::anon_send(router, make_ref(ContainerBatch{{facts}, {event}}));
    settle();
  }
  void run(char digit, const char* program) {
    ProcessEvent event;
    event.container = id(digit);
    event.at = now;
    ProcessStart start;
    start.process.exe = program;
    start.process.args = {program, "10.0.0.1"};
    event.what = start;
    caf::anon_send(router, make_ref(ProcessBatch{{event}}));
  }
  void live(std::chrono::milliseconds span) {
    now += Duration(span.count()) * millisecond;
    pass(span, std::chrono::milliseconds{500});
  }
};

} // namespace iris::test
