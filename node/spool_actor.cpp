#include "node/spool_actor.hpp"

#include "actors/instrumented_actor.hpp"
#include "actors/last_words.hpp"
#include "actors/query.hpp"
#include "core/alert/codec.hpp"
#include "core/alert/json_writer.hpp"
#include "core/learn/delta_merge.hpp"
#include "node/router/loss_ledger.hpp"

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

void note_lost(SpoolActorState& state, const char* kind, std::uint64_t count) {
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
  if (!kept) { // tried again by nobody: counted, logged and told to the cloud as a loss
    ++state.failed_writes;
    complain(state, kept.error().message + "; " + std::to_string(state.waiting.size()) + " deltas lost");
    note_lost(state, "deltas", state.waiting.size());
    std::uint64_t observations = 0;
    for (const auto& delta : state.waiting)
      if (const auto facts = delta_facts(delta.data(), delta.size())) observations += facts->observations;
    note_lost(state, "observations", observations);
  }
  if (events.delta)
    for (const auto& delta : state.waiting)
      events.delta(delta, bool(kept));
  state.waiting.clear();
  state.waiting_bytes = 0;
  events.wake();
}

void settle(SpoolActorState& state, const SpoolEvents& events, bool kept, std::size_t from,
            std::size_t count) {
  const auto first = state.held.begin() + std::ptrdiff_t(from);
  for (auto it = first; it != first + std::ptrdiff_t(count); ++it) {
    state.held_now -= it->encoded.size();
    if (events.settled) events.settled(it->finding, kept);
  }
  state.held.erase(first, first + std::ptrdiff_t(count));
}

/// Writes what is held, oldest first, in batches that the link can carry. What a full disk refuses stays,
/// within the bound.
void keep_findings(SpoolActorState& state, const SpoolEvents& events) {
  bool written = false;
  while (!state.held.empty()) {
    std::vector<std::vector<char>> entries;
    std::size_t bytes = 0;
    for (const auto& held : state.held) {
      bytes += held.encoded.size();
      if (bytes > SpoolActorState::group_bytes && !entries.empty()) break;
      entries.push_back(held.encoded);
    }
    if (const auto kept = state.spool->append(Lane::findings, entries, state.now()); !kept) {
      ++state.failed_writes;
      complain(state, kept.error().message + "; " + std::to_string(state.held.size()) + " findings wait");
      break;
    }
    written = true;
    settle(state, events, true, 0, entries.size());
  }
  std::size_t stay = state.held.size(), bytes = state.held_now;
  while (bytes > SpoolActorState::held_bytes)
    bytes -= state.held[--stay].encoded.size();
  if (const auto lost = state.held.size() - stay; lost != 0) {
    note_lost(state, "findings", lost);
    settle(state, events, false, stay, lost);
  }
  if (written) events.wake();
}

} // namespace

SpoolActor::behavior_type spool_actor(SpoolActor::stateful_pointer<SpoolActorState> self,
                                      std::shared_ptr<Spool> spool, std::function<Timestamp()> now,
                                      SpoolEvents events) {
  self->state.spool = std::move(spool);
  self->state.now = std::move(now);
  self->delayed_send(self, SpoolActorState::group_time, atom::tick_v);
  set_last_words(self, [=] {
    keep_findings(self->state, events);
    keep_deltas(self->state, events);
  });
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
        json.field("merged_batches", counters.merged_batches).field("refused", counters.refused);
        json.field("sealing", s.sealing()).field("key_writes_failed", counters.key_writes_failed);
        json.field("held_findings", std::uint64_t(self->state.held.size()));
        json.field("failed_writes", self->state.failed_writes).field("read_only", s.read_only());
        json.field("replaced", s.replaced()).end_object();
        return make_ref(InspectAnswer{json.take()});
      },
      [=](const Ref<FindingBatch>& batch) {
        auto& s = self->state;
        const bool waits = !s.held.empty(); // for room: the next tick tries again
        for (const auto& finding : batch->findings) {
          s.held.push_back({finding, encode(finding)});
          s.held_now += s.held.back().encoded.size();
        }
        if (!waits || s.held_now > SpoolActorState::held_bytes) keep_findings(s, events);
        for (const auto& finding : batch->findings)
          events.finding(finding);
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
        auto& kept = *self->state.spool;
        const auto replaced = kept.replaced();
        auto batches = kept.read(read->lane, read->after, read->limit, read->bytes, self->state.now());
        if (kept.replaced() != replaced)
          spdlog::error(
              "the spool is damaged; it was moved aside and what the cloud did not have of it is lost");
        return make_ref(SpooledBatches{read->lane, kept.epoch(), std::move(batches)});
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
        if (terms->day > 0) s.set_day(terms->day);
        auto before = terms->before;
        if (!before) before = self->state.wanted; // an older cloud said it of the epoch that cannot go on
        if (fresh)
          if (auto started = s.start_epoch({terms->epoch, terms->chain_key, before, terms->cloud});
              !started) {
            spdlog::error("{}", started.error().message);
            return caf::make_error(caf::sec::runtime_error, started.error().message);
          }
        auto state = state_of(s);
        for (std::size_t i = 0; i < lane_count && !fresh; ++i) {
          auto resumed = s.resume(Lane(i), terms->applied[i], self->state.now());
          if (!resumed) return caf::make_error(caf::sec::runtime_error, resumed.error().message);
          if (*resumed) continue;
          state.epoch = 0; // what the cloud wants is gone: start anew
          self->state.wanted = EpochTaken{terms->epoch, {}};
          for (std::size_t lane = 0; lane < lane_count; ++lane)
            self->state.wanted->lanes[lane].applied = terms->applied[lane];
          return make_ref(state);
        }
        self->state.wanted.reset();
        return make_ref(state_of(s));
      },
      [=](const Ref<SpoolPut>& put) {
        if (auto kept = self->state.spool->put(put->name, put->value); !kept)
          complain(self->state, kept.error().message);
      },
      [=](atom::tick) {
        self->delayed_send(self, SpoolActorState::group_time, atom::tick_v);
        keep_findings(self->state, events);
        keep_deltas(self->state, events);
        self->state.spool->expire(self->state.now());
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
