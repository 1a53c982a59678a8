#include "node/collector_actor.hpp"

#include "actors/instrumented_actor.hpp"
#include "actors/last_words.hpp"
#include "actors/query.hpp"
#include "actors/terms.hpp"
#include "core/alert/json_writer.hpp"
#include "core/intel/indicator_set.hpp"

#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>

namespace iris {
namespace {

/// How often a pair looks whether its window is over: four times a window, at most once a second.
std::chrono::nanoseconds pace_of(const TimeScale& scale) {
  return std::chrono::nanoseconds(std::clamp<Duration>(scale.window / 4, 50 * millisecond, second));
}

TimeScale scale_of(const PairWorld& world) {
  auto terms = world.terms.get();
  return terms ? terms->scale : TimeScale{};
}

} // namespace

CollectorActor::behavior_type collector_actor(CollectorActor::stateful_pointer<CollectorState> self,
                                              std::shared_ptr<const PairWorld> world,
                                              Slot<ScorerActor> scorer) {
  auto& scale = self->state.scale = scale_of(*world);
  self->state.collector.emplace(world->entity, world->gateway, scale, world->now(), world->limits);
  self->state.collector->set_baseline(world->baseline.get());
  self->state.collector->set_indicators(world->indicators.get());
  self->delayed_send(self, pace_of(scale), atom::tick_v);
  auto close_window = [=](bool force) {
    auto delta = self->state.collector->close_window(world->now(), force);
    if (!delta) return;
    if (world->wall_shift) shift_times(*delta, world->wall_shift(), self->state.scale.day);
    auto bytes = encode(*delta);
    ++self->state.deltas;
    self->state.delta_bytes += bytes.size();
    set_state(self, std::to_string(self->state.deltas) + " deltas");
    world->spool.send(self, make_ref(DeltaBatch{{std::move(bytes)}}));
  };
  // The scorer ends after it, with all that it was passed on.
  set_last_words(self, [=] {
    close_window(true);
    scorer.with([](const ScorerActor& to) { caf::anon_send_exit(to, caf::exit_reason::user_shutdown); });
  });
  return {
      [=](atom::inspect) {
        auto counters = self->state.collector->counters();
        JsonWriter json;
        json.object().field("entity", world->entity->name).field("observations", counters.observations);
        json.field("windows", counters.windows)
            .field("keys", std::uint64_t(counters.keys))
            .field("overflow", counters.overflow);
        json.field("deltas", self->state.deltas).field("delta_bytes", self->state.delta_bytes).end_object();
        return make_ref(InspectAnswer{json.take()});
      },
      [=](const Ref<ObservationBatch>& batch) {
        ObservationBatch derived;
        derived.observations = batch->observations;
        derived.behaviours.reserve(batch->observations->size());
        for (const auto& observation : *batch->observations)
          derived.behaviours.push_back(self->state.collector->observe(observation));
        scorer.send(self, make_ref(std::move(derived)));
      },
      [=](const Ref<Baseline>& baseline) { self->state.collector->set_baseline(baseline.value); },
      [=](const Ref<IndicatorSet>& indicators) { self->state.collector->set_indicators(indicators.value); },
      [=](const Ref<LinkTerms>& terms) {
        self->state.scale = terms->scale;
        self->state.collector->set_scale(terms->scale);
      },
      [=](atom::tick) {
        self->delayed_send(self, pace_of(self->state.scale), atom::tick_v);
        close_window(false);
      },
  };
}

ScorerActor::behavior_type scorer_actor(ScorerActor::stateful_pointer<ScorerState> self,
                                        std::shared_ptr<const PairWorld> world) {
  auto& scale = self->state.scale = scale_of(*world);
  JudgePolicy policy;
  policy.limits = world->limits;
  self->state.judge.emplace(world->entity, world->gateway, scale, world->now(), policy);
  auto baseline = world->baseline.get();
  self->state.judge->set_baseline(baseline);
  self->state.judge->set_indicators(world->indicators.get());
  if (baseline) self->state.baseline_version = baseline->version;
  self->delayed_send(self, pace_of(scale), atom::tick_v);
  auto report = [=](std::vector<Finding>&& findings) {
    if (findings.empty()) return;
    const auto shift = world->wall_shift ? world->wall_shift() : 0;
    for (auto& finding : findings) {
      finding.loss = world->losses->around(finding.last);
      shift_times(finding, shift);
    }
    world->spool.send(self, make_ref(FindingBatch{std::move(findings)}));
  };
  auto close_window = [=](bool force) {
    std::vector<Finding> findings;
    self->state.judge->close_window(world->now(), findings, force);
    report(std::move(findings));
  };
  set_last_words(self, [=] { close_window(true); });
  return {
      [=](atom::inspect) {
        auto counters = self->state.judge->counters();
        const auto in_use = self->state.judge->baseline();
        JsonWriter json;
        json.object().field("entity", world->entity->name).field("baseline", self->state.baseline_version);
        json.field("state", in_use ? to_string(in_use->state_for(world->gateway)) : "day 0");
        json.field("observations", counters.observations).field("findings", counters.findings);
        json.field("quiet_novelties", counters.quiet_novelties)
            .field("causes", std::uint64_t(counters.causes));
        json.field("flows", std::uint64_t(counters.flows)).field("evicted", counters.evicted).end_object();
        return make_ref(InspectAnswer{json.take()});
      },
      [=](const Ref<ObservationBatch>& batch) {
        std::vector<Finding> findings;
        for (std::size_t i = 0; i < batch->observations->size(); ++i)
          self->state.judge->judge((*batch->observations)[i], batch->behaviours[i], findings);
        report(std::move(findings));
      },
      [=](const Ref<Baseline>& fresh) {
        self->state.baseline_version = fresh->version;
        self->state.judge->set_baseline(fresh.value);
        set_state(self, std::string{to_string(fresh->state_for(world->gateway))} + ", baseline " +
                            std::to_string(fresh->version));
      },
      [=](const Ref<IndicatorSet>& indicators) { self->state.judge->set_indicators(indicators.value); },
      [=](const Ref<LinkTerms>& terms) {
        self->state.scale = terms->scale;
        self->state.judge->set_scale(terms->scale);
      },
      [=](atom::tick) {
        self->delayed_send(self, pace_of(self->state.scale), atom::tick_v);
        close_window(false);
      },
  };
}

} // namespace iris
