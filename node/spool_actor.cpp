#include "node/spool_actor.hpp"

#include "actors/instrumented_actor.hpp"
#include "actors/last_words.hpp"
#include "actors/query.hpp"
#include "core/alert/codec.hpp"
#include "core/alert/json_writer.hpp"
#include "node/loss_ledger.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <spdlog/spdlog.h>

namespace iris {
namespace {

SpoolState state_of(const Spool& spool) {
  SpoolState state;
  state.epoch = spool.epoch();
  for (std::size_t i = 0; i < lane_count; ++i) {
    state.first[i] = spool.first_seq(Lane(i));
    state.last[i] = spool.last_seq(Lane(i));
    state.acked[i] = spool.acked_seq(Lane(i));
  }
  state.counters = spool.counters();
  return state;
}

/// One line a minute: a full volume refuses several writes a second.
void complain(SpoolActorState& state, const std::string& what) {
  const auto now = state.now();
  if (now - state.complained < 60 * second && now >= state.complained) {
    ++state.complaints_hidden;
    return;
  }
  spdlog::error("{}{}", what,
                state.complaints_hidden == 0 ? std::string{}
                                             : " (and " + std::to_string(state.complaints_hidden) +
                                                   " such errors in the minute before)");
  state.complained = now;
  state.complaints_hidden = 0;
}

/// A write that fails is tried again by nobody: it is counted, logged and told to the cloud as a loss.
void note_failure(SpoolActorState& state, const Error& error, const char* kind, std::uint64_t count) {
  ++state.failed_writes;
  complain(state, error.message + "; " + std::to_string(count) + " " + kind + " lost");
  state.spool->note_loss({kind, "spool", count, state.now(), state.now()});
}

/// Which counter of Batch.losses a source's report belongs to.
const char* loss_kind(const SensorHealth& report) {
  if (report.sensor.starts_with("packet")) return "packets";
  if (report.sensor.starts_with("process")) return "processes";
  return "observations";
}

/// One synced write for all deltas of a moment.
void keep_deltas(SpoolActorState& state, const SpoolEvents& events) {
  if (state.waiting.empty()) return;
  const auto kept = state.spool->append(Lane::counts, state.waiting, state.now());
  if (!kept) note_failure(state, kept.error(), "deltas", state.waiting.size());
  if (events.delta)
    for (const auto& delta : state.waiting)
      events.delta(delta, bool(kept));
  state.waiting.clear();
  state.waiting_bytes = 0;
  events.wake();
}

} // namespace

SpoolActor::behavior_type spool_actor(SpoolActor::stateful_pointer<SpoolActorState> self,
                                      std::shared_ptr<Spool> spool, std::function<Timestamp()> now,
                                      SpoolEvents events) {
  self->state.spool = std::move(spool);
  self->state.now = std::move(now);
  self->delayed_send(self, SpoolActorState::group_time, atom::tick_v);
  set_last_words(self, [=] { keep_deltas(self->state, events); });
  return {
      [=](atom::inspect) {
        const auto& s = *self->state.spool;
        auto counters = s.counters();
        JsonWriter json;
        json.object().field("epoch", s.epoch());
        for (auto lane : {Lane::findings, Lane::counts})
          json.key(lane == Lane::findings ? "findings" : "counts")
              .object()
              .field("first", s.first_seq(lane))
              .field("last", s.last_seq(lane))
              .field("acked", s.acked_seq(lane))
              .end_object();
        json.field("bytes", counters.bytes).field("batches", counters.batches);
        json.field("shed_findings", counters.shed_findings).field("shed_counts", counters.shed_counts);
        json.field("failed_writes", self->state.failed_writes).field("read_only", s.read_only());
        json.field("replaced", s.replaced()).end_object();
        return make_ref(InspectAnswer{json.take()});
      },
      [=](const Ref<FindingBatch>& batch) {
        std::vector<std::vector<char>> entries;
        for (const auto& finding : batch->findings)
          entries.push_back(encode(finding));
        const auto kept = self->state.spool->append(Lane::findings, entries, self->state.now());
        if (!kept) note_failure(self->state, kept.error(), "findings", entries.size());
        events.wake();
        for (const auto& finding : batch->findings)
          events.finding(finding, bool(kept));
      },
      [=](const Ref<DeltaBatch>& batch) {
        for (const auto& delta : batch->deltas) {
          self->state.waiting_bytes += delta.size();
          self->state.waiting.push_back(delta);
        }
        if (self->state.waiting_bytes >= SpoolActorState::group_bytes) keep_deltas(self->state, events);
      },
      [=](const Ref<HealthBatch>& batch) {
        for (const auto& report : batch->reports)
          if (is_loss(report))
            self->state.spool->note_loss(
                {loss_kind(report), report.sensor, report.count, report.since, batch->at});
      },
      [=](const Ref<SpoolRead>& read) {
        auto& spool = *self->state.spool;
        const auto replaced = spool.replaced();
        auto batches = spool.read(read->lane, read->after, read->limit, read->bytes, self->state.now());
        if (spool.replaced() != replaced)
          spdlog::error(
              "the spool is damaged; it was moved aside and what the cloud did not have of it is lost");
        return make_ref(SpooledBatches{read->lane, spool.epoch(), std::move(batches)});
      },
      [=](const Ref<SpoolAck>& ack) {
        if (ack->epoch != self->state.spool->epoch()) return;
        if (auto done = self->state.spool->acknowledge(ack->lane, ack->seq, self->state.now()); !done)
          complain(self->state, done.error().message);
      },
      [=](atom::state) { return make_ref(state_of(*self->state.spool)); },
      [=](const Ref<SpoolEpoch>& terms) -> caf::result<Ref<SpoolState>> {
        auto& s = *self->state.spool;
        bool fresh = terms->epoch != s.epoch();
        if (fresh)
          if (auto started = s.start_epoch(terms->epoch); !started) {
            spdlog::error("{}", started.error().message);
            return caf::make_error(caf::sec::runtime_error, started.error().message);
          }
        auto state = state_of(s);
        for (std::size_t i = 0; i < lane_count && !fresh; ++i) {
          auto resumed = s.resume(Lane(i), terms->applied[i], self->state.now());
          if (resumed && *resumed) continue;
          state.epoch = 0; // what the cloud wants is gone: start anew
          return make_ref(state);
        }
        return make_ref(state_of(s));
      },
      [=](const Ref<SpoolPut>& put) {
        if (auto kept = self->state.spool->put(put->name, put->value); !kept)
          complain(self->state, kept.error().message);
      },
      [=](atom::tick) {
        self->delayed_send(self, SpoolActorState::group_time, atom::tick_v);
        keep_deltas(self->state, events);
        set_state(self, std::to_string(self->state.spool->counters().batches) + " batches, " +
                            human_bytes(self->state.spool->counters().bytes));
        if (!self->state.spool->has_losses()) return;
        if (auto flushed = self->state.spool->flush_losses(self->state.now()); !flushed)
          complain(self->state, flushed.error().message);
        events.wake();
      },
  };
}

} // namespace iris
