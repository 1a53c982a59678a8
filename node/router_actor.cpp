#include "node/router_actor.hpp"

#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "actors/terms.hpp"
#include "core/alert/json_writer.hpp"
#include "core/intel/indicator_set.hpp"
#include "node/evidence/evidence_ring.hpp"
#include "node/health_log.hpp"
#include "node/recording/recorder.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

#include <utility>

namespace iris {
namespace {

using Self = RouterActor::stateful_pointer<RouterState>;
using World = std::shared_ptr<const RouterWorld>;
using namespace std::chrono_literals;

/// Ends a pair; it tells the spool what it still knows. The collector ends its scorer.
void retire(RouterState& state, std::unordered_map<std::string, RouterPair>::iterator pair) {
  auto end = [](const auto& h) { caf::anon_send_exit(h, caf::exit_reason::user_shutdown); };
  if (!pair->second.collector.with(end)) pair->second.scorer.with(end);
  state.pairs.erase(pair);
  ++state.retired;
}

RouterPair* pair_for(Self self, const World& world, const EntityPtr& entity, Timestamp at) {
  auto& state = self->state;
  auto profile = profile_of(*entity);
  if (auto known = state.pairs.find(profile); known != state.pairs.end()) {
    known->second.last_seen = at;
    known->second.latest = entity;
    return &known->second;
  }
  if (entity->kind == EntityKind::device && state.pairs.size() >= RouterState::few_pairs &&
      ++state.new_devices > RouterState::new_devices_limit) {
    ++state.without_pair;
    return nullptr;
  }
  if (state.pairs.size() >= world->pair_limit) {
    auto quietest = state.pairs.end();
    for (auto it = state.pairs.begin(); it != state.pairs.end(); ++it)
      if (it->second.world->entity->kind == EntityKind::device &&
          (quietest == state.pairs.end() || it->second.last_seen < quietest->second.last_seen))
        quietest = it;
    // A device that is here now goes before one that was; else who came first would blind us for the others.
    if (quietest == state.pairs.end() ||
        (entity->kind == EntityKind::device && at - quietest->second.last_seen < world->quiet_device)) {
      ++state.without_pair;
      return nullptr;
    }
    retire(state, quietest);
  }
  RouterPair pair;
  pair.last_seen = at;
  pair.latest = entity;
  pair.world = std::make_shared<PairWorld>();
  pair.world->entity = entity;
  pair.world->gateway = world->gateway;
  pair.world->losses = world->losses;
  pair.world->spool = world->spool;
  pair.world->now = world->now;
  pair.world->wall_shift = world->wall_shift;
  pair.world->limits = PairLimits::of(*entity, world->budget);
  pair.world->indicators.set(world->memory->indicators);
  pair.world->terms.set(world->memory->terms);
  if (auto baseline = world->memory->baselines.find(profile); baseline != world->memory->baselines.end())
    pair.world->baseline.set(baseline->second);
  auto& system = self->home_system();
  auto* directory = world->directory;
  auto parent = self->id();
  std::shared_ptr<const PairWorld> given = pair.world;
  supervise<ScorerActor>(
      world->supervisor, "scorer " + entity->name,
      [&system, directory, parent, given] {
        return spawn_in<ScorerActor, ScorerState>(
            system, *directory, {.kind = "scorer", .name = given->entity->name, .parent = parent},
            scorer_actor, given);
      },
      pair.scorer);
  supervise<CollectorActor>(
      world->supervisor, "collector " + entity->name,
      [&system, directory, parent, given, scorer = pair.scorer] {
        return spawn_in<CollectorActor, CollectorState>(
            system, *directory, {.kind = "collector", .name = given->entity->name, .parent = parent},
            collector_actor, given, scorer);
      },
      pair.collector);
  return &state.pairs.emplace(std::move(profile), std::move(pair)).first->second;
}

/// Hands each entity its own observations, in order.
void dispatch(Self self, const World& world, std::vector<Observation>&& observations) {
  std::unordered_map<std::string, std::vector<Observation>> by_profile;
  for (auto& observation : observations)
    by_profile[profile_of(*observation.entity)].push_back(std::move(observation));
  for (auto& [profile, own] : by_profile) {
    self->state.observations += own.size();
    auto* pair = pair_for(self, world, own.back().entity, own.back().at);
    if (pair == nullptr) continue;
    auto count = own.size();
    if (!world->waiting->take(count)) {
      if (world->waiting->left() < std::int64_t(RouterWorld::waiting_limit)) {
        self->state.overflow += count;
        continue;
      }
      world->waiting->force(count); // one large batch, and nothing before it
    }
    // Given back when the collector and the scorer are through with it, or when a mailbox dropped it.
    std::shared_ptr<const std::vector<Observation>> held{
        new std::vector<Observation>(std::move(own)),
        [waiting = world->waiting, count](const std::vector<Observation>* done) {
          delete done;
          waiting->give(count);
        }};
    pair->collector.send(self, make_ref(ObservationBatch{std::move(held), {}}));
  }
}

Duration wall_shift(const RouterWorld& world) { return world.wall_shift ? world.wall_shift() : 0; }

/// What leaves is in wall time.
void tell_spool(Self self, const World& world, HealthBatch batch) {
  const auto shift = wall_shift(*world);
  batch.at += shift;
  for (auto& report : batch.reports)
    if (report.since != 0) report.since += shift;
  world->spool.send(self, make_ref(std::move(batch)));
}

/// Keeps what reached the router now, where that is asked for.
template <class What>
void record(const World& world, Timestamp now, const What& what) {
  if (world->recorder) world->recorder->take({now, wall_shift(*world)}, what);
  if (world->evidence) world->evidence->take({now, wall_shift(*world)}, what);
}

/// A life of the router begins: with what it knows from the cloud.
void record_start(const World& world) {
  if (!world->recorder) return;
  const auto now = world->now();
  record(world, now, RecordedStart{world->gateway, world->version, world->local});
  const auto& memory = *world->memory;
  if (memory.terms) record(world, now, memory.terms->scale);
  if (memory.indicators) record(world, now, *memory.indicators);
  for (const auto& [profile, baseline] : memory.baselines)
    record(world, now, *baseline);
}

/// Observations that were dropped since the last time, as a loss.
void tell_overflow(Self self, const World& world) {
  auto& state = self->state;
  auto lost = state.overflow - std::exchange(state.overflow_told, state.overflow);
  if (lost == 0) return;
  SensorHealth report{"router", "dropped", lost, world->now(), "more was seen than can be judged"};
  world->losses->note(report, world->now());
  spdlog::warn("{} observations were dropped: {}", lost, report.detail);
  tell_spool(self, world, HealthBatch{{std::move(report)}, world->now()});
}

/// Hands on what came of a batch; findings leave in wall time, with what was lost around them.
void pass_on(Self self, const World& world, Routing::Out&& out) {
  const auto shift = wall_shift(*world);
  for (auto& finding : out.findings) {
    finding.loss = world->losses->around(finding.last);
    shift_times(finding, shift);
  }
  if (!out.findings.empty()) world->spool.send(self, make_ref(FindingBatch{std::move(out.findings)}));
  dispatch(self, world, std::move(out.observations));
}

void retire_idle(RouterState& state, const RouterWorld& world) {
  auto now = world.now();
  for (auto it = state.pairs.begin(); it != state.pairs.end();) {
    auto current = it++;
    const auto& entity = *current->second.latest;
    auto quiet = now - current->second.last_seen;
    const auto* facts = state.routing.attribution().inventory().facts(entity.container);
    bool gone = facts == nullptr || !facts->running;
    if (entity.kind == EntityKind::device ? quiet > world.idle_device : gone && quiet > world.gone_service)
      retire(state, current);
  }
}

std::string describe(const RouterState& state, const RouterWorld& world) {
  const auto& memory = *world.memory;
  const auto& counters = state.routing.attribution().counters();
  JsonWriter json;
  json.object().field("pairs", std::uint64_t(state.pairs.size())).field("observations", state.observations);
  json.field("alarms", state.routing.alarms())
      .field("translated", counters.translated)
      .field("own", counters.own);
  json.field("unattributed", counters.unattributed).field("host_processes", counters.host_processes);
  json.field("names_evicted", state.routing.attribution().names().evicted());
  json.field("by_socket", counters.by_socket);
  json.field("sockets", std::uint64_t(state.routing.attribution().sockets().size()));
  json.field("sockets_evicted", state.routing.attribution().sockets().evicted());
  json.field("strangers", counters.strangers).field("overflow", state.overflow);
  json.field("waiting", std::uint64_t(RouterWorld::waiting_limit) - std::uint64_t(world.waiting->left()));
  json.field("table_bytes_left", world.budget->left()).field("table_refusals", world.budget->refused());
  json.field("without_pair", state.without_pair).field("retired", state.retired);
  if (world.evidence) {
    const auto figures = world.evidence->figures();
    json.key("evidence").object().field("frames", std::uint64_t(figures.frames));
    json.field("bytes", std::uint64_t(figures.bytes)).field("aged", figures.aged).field("shed", figures.shed);
    json.field("since", figures.oldest == 0 ? std::string{} : rfc3339(figures.oldest));
    std::uint64_t packets = 0, thinned = 0;
    for (const auto& ring : world.evidence->rings()) {
      packets += ring->counters().packets;
      thinned += ring->counters().thinned;
    }
    json.field("packets", packets).field("packets_thinned", thinned).end_object();
  }
  if (world.recorder) {
    const auto figures = world.recorder->figures();
    json.key("recording").object().field("batches", figures.batches).field("packets", figures.packets);
    json.field("bytes", figures.bytes).field("lost_batches", figures.lost.batches);
    json.field("lost_packets", figures.lost.packets).field("ended", figures.ended).end_object();
  }
  json.field("baselines", std::uint64_t(memory.baselines.size()));
  json.field("indicators", std::uint64_t(memory.indicators ? memory.indicators->size() : 0)).end_object();
  return json.take();
}

void remember(RouterMemory& memory, const ContainerBatch& batch) {
  for (const auto& facts : batch.facts)
    memory.containers[facts.id] = facts;
  for (const auto& event : batch.events)
    if (event.change.action == ContainerAction::removed) memory.containers.erase(event.id);
}

/// A life of the router that follows a crash knows who is who.
void recall(Routing& routing, const World& world) {
  const auto& memory = *world->memory;
  const auto now = world->now();
  auto take = [&](const auto& what) {
    record(world, now, what);
    routing.take(what);
  };
  if (memory.addresses) take(*memory.addresses);
  if (memory.devices) take(*memory.devices);
  if (memory.containers.empty()) return;
  ContainerBatch known;
  for (const auto& [id, facts] : memory.containers)
    known.facts.push_back(facts);
  record(world, now, known);
  Routing::Out nothing; // there are no events in it
  routing.take(known, now, nothing);
}

} // namespace

RouterActor::behavior_type router_actor(Self self, World world) {
  auto& state = self->state;
  state.routing.set_gateway(world->gateway);
  if (world->memory->terms) state.routing.set_scale(world->memory->terms->scale);
  for (const auto& network : world->local)
    state.routing.add_local(network);
  record_start(world);
  recall(state.routing, world);
  self->delayed_send(self, 1s, atom::tick_v);
  return {
      [=](atom::inspect) { return make_ref(InspectAnswer{describe(self->state, *world)}); },
      [=](const Ref<ProcessBatch>& batch) {
        const auto now = world->now();
        record(world, now, *batch);
        Routing::Out out;
        self->state.routing.take(*batch, now, out);
        pass_on(self, world, std::move(out));
      },
      [=](const Ref<FlowBatch>& batch) {
        record(world, world->now(), *batch);
        Routing::Out out;
        self->state.routing.take(*batch, out);
        pass_on(self, world, std::move(out));
      },
      [=](const Ref<ContainerBatch>& batch) {
        const auto now = world->now();
        record(world, now, *batch);
        remember(*world->memory, *batch);
        Routing::Out out;
        self->state.routing.take(*batch, now, out);
        pass_on(self, world, std::move(out));
      },
      [=](const Ref<UsageBatch>& batch) {
        record(world, world->now(), *batch);
        Routing::Out out;
        self->state.routing.take(*batch, out);
        pass_on(self, world, std::move(out));
      },
      [=](const Ref<DeviceList>& list) {
        record(world, world->now(), *list);
        world->memory->devices = list.value;
        self->state.routing.take(*list);
      },
      [=](const Ref<HostAddresses>& addresses) {
        record(world, world->now(), *addresses);
        world->memory->addresses = addresses.value;
        self->state.routing.take(*addresses);
      },
      [=](const Ref<HealthBatch>& batch) {
        record(world, world->now(), *batch);
        for (const auto& report : batch->reports) {
          world->losses->note(report, batch->at);
          log_health(report);
        }
        Routing::Out out;
        self->state.routing.take(*batch, out);
        pass_on(self, world, std::move(out));
        tell_spool(self, world, *batch);
      },
      [=](const Ref<Baseline>& baseline) {
        record(world, world->now(), *baseline);
        world->memory->baselines[baseline->profile] = baseline.value;
        auto pair = self->state.pairs.find(baseline->profile);
        if (pair == self->state.pairs.end()) return;
        pair->second.world->baseline.set(baseline.value);
        pair->second.collector.send(self, baseline);
        pair->second.scorer.send(self, baseline);
      },
      [=](const Ref<IndicatorSet>& fresh) {
        record(world, world->now(), *fresh);
        world->memory->indicators = fresh.value;
        for (auto& [profile, pair] : self->state.pairs) {
          pair.world->indicators.set(fresh.value);
          pair.collector.send(self, fresh);
          pair.scorer.send(self, fresh);
        }
      },
      [=](const Ref<LinkTerms>& fresh) {
        record(world, world->now(), fresh->scale);
        world->memory->terms = fresh.value;
        self->state.routing.set_scale(fresh->scale);
        for (auto& [profile, pair] : self->state.pairs) {
          pair.world->terms.set(fresh.value);
          pair.collector.send(self, fresh);
          pair.scorer.send(self, fresh);
        }
      },
      [=](atom::tick) {
        self->delayed_send(self, 1s, atom::tick_v);
        if (world->recorder) world->recorder->tick({world->now(), wall_shift(*world)});
        Routing::Out out;
        self->state.routing.release(world->now(), out);
        pass_on(self, world, std::move(out));
        retire_idle(self->state, *world);
        self->state.new_devices = 0;
        tell_overflow(self, world);
        set_state(self, std::to_string(self->state.pairs.size()) + " pairs, " +
                            std::to_string(self->state.observations) + " observations");
      },
  };
}

} // namespace iris
