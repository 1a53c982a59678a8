#include "cloud/aggregator/aggregator.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "cloud/aggregator/evidence_store.hpp"
#include "core/alert/json_writer.hpp"

#include <spdlog/spdlog.h>

namespace iris {
namespace {

using Self = AggregatorActor::stateful_pointer<AggregatorState>;
using namespace std::chrono_literals;

constexpr auto tick_every = 5s;
constexpr std::size_t baseline_bytes_limit = 1'000'000; ///< a message of the link holds 1 MiB

void push_baseline(Self self, const WorldPtr& world, const Baseline& baseline) {
  auto& s = self->state;
  if (!s.session || s.held[baseline.profile] >= baseline.version) return;
  auto document = sign_document(encode_for(baseline, s.gateway), world->signing);
  if (!document) return spdlog::error("baseline of {}: {}", baseline.profile, document.error().message);
  if (document->size() > baseline_bytes_limit) {
    world->counters.pushes_refused += 1;
    return spdlog::error("baseline {} of {} has {} bytes, more than a message of the link holds; not pushed",
                         baseline.version, baseline.profile, document->size());
  }
  s.held[baseline.profile] = baseline.version;
  self->send(s.session, make_ref(PushOut{PushOut::Kind::baseline, baseline.profile, baseline.version,
                                         std::make_shared<const std::vector<char>>(std::move(*document))}));
}

void push_latest(Self self, const WorldPtr& world, const std::string& profile) {
  auto baseline = latest_baseline(*world->store, self->state.tenant, profile);
  if (!baseline)
    spdlog::error("baseline of {}: {}", profile, baseline.error().message);
  else if (*baseline)
    push_baseline(self, world, **baseline);
}

void push_indicators(Self self, const WorldPtr& world) {
  auto& s = self->state;
  auto now = world->intelligence.get();
  if (!s.session || now->edge_version == 0 || now->edge_version == s.intelligence) return;
  s.intelligence = now->edge_version;
  self->send(s.session, make_ref(PushOut{PushOut::Kind::indicators, "", now->edge_version,
                                         std::make_shared<const std::vector<char>>(now->edge)}));
}

void show(Self self) {
  const auto& s = self->state;
  set_state(self,
            fmt::format("{}, epoch {}, findings {}, counts {}, {} alerts", s.session ? "connected" : "away",
                        s.ledger->row().epoch, s.durable[0], s.durable[1], s.ledger->stored_alerts()));
}

/// Tells the others what is on disk now.
void announce(Self self, const WorldPtr& world, LedgerChange& change) {
  for (const auto& line : change.notes)
    spdlog::warn("{}/{}: {}", self->state.tenant, self->state.gateway, line);
  for (const auto& profile : change.fresh_profiles)
    push_latest(self, world, profile);
  for (const auto& profile : change.profiles)
    if (auto trainer = trainer_of(world, self->state.tenant, profile))
      self->send(trainer, make_ref(DeltaIn{self->state.gateway}));
  for (const auto& sink : world->sinks) {
    if (change.told == 0 || (sink.tenant != "*" && sink.tenant != self->state.tenant)) continue;
    *sink.waiting += change.told;
    sink.notifier.send(self, atom::wake_v);
  }
  if (change.alerts.empty()) return;
  world->alerts.send(self, make_ref(AlertChanges{std::move(change.alerts), std::move(change.deleted)}));
}

/// Memory is ahead of the disk: start anew from what is there.
void give_up(Self self, const std::string& why) {
  spdlog::error("aggregator {}/{}: {}; starting anew from the store", self->state.tenant, self->state.gateway,
                why);
  self->quit(caf::make_error(caf::sec::runtime_error, why));
}

/// Writes the change and calls `then` when it is on disk. Without a deadline: a store that stalls writes in
/// the end, and whoever had started anew before would do the same work twice.
template <class Then, class Fail>
void make_durable(Self self, WorldPtr world, LedgerChange change, Then then, Fail fail) {
  auto writer = world->writer.get();
  if (!writer) {
    fail("the store is down");
    return give_up(self, "the store is down");
  }
  ++self->state.writing;
  change.write.chain = self->state.chain;
  auto write = make_ref(std::move(change.write));
  auto rest = std::make_shared<LedgerChange>(std::move(change));
  self->request(writer, caf::infinite, write)
      .then(
          [=](atom::ok) mutable {
            --self->state.writing;
            then();
            announce(self, world, *rest);
            show(self);
          },
          [=](const caf::error& error) mutable {
            auto why = "a write failed: " + error_text(error);
            fail(why);
            give_up(self, why);
          });
}

void settle_waiters(Self self, std::uint8_t lane) {
  auto& s = self->state;
  for (auto it = s.waiters.begin(); it != s.waiters.end();)
    if (it->lane == lane && it->seq <= s.durable[lane]) {
      it->promise.deliver(wire::Ack{s.ledger->row().epoch, lane, s.durable[lane]});
      it = s.waiters.erase(it);
    } else {
      ++it;
    }
}

caf::result<wire::Ack> take_batch(Self self, const WorldPtr& world, const BatchIn& batch) {
  auto& s = self->state;
  const auto& row = s.ledger->row();
  auto promise = self->make_response_promise<wire::Ack>();
  // One that an earlier connection left behind: the gateway may have merged its counts into a later one
  // since.
  if (batch.session != s.session_number) {
    world->counters.batches_refused += 1;
    promise.deliver(caf::make_error(caf::sec::runtime_error, "the session of this batch has ended"));
    return promise;
  }
  if (batch.lane >= s.durable.size() || batch.epoch != row.epoch) {
    world->counters.batches_refused += 1;
    promise.deliver(wire::Ack{row.epoch, batch.lane, 0});
    return promise;
  }
  const auto lane = batch.lane;
  if (batch.seq <= s.durable[lane]) {
    world->counters.batches_repeated += 1;
    promise.deliver(wire::Ack{row.epoch, lane, s.durable[lane]});
  } else if (batch.seq <= row.applied[lane]) {
    world->counters.batches_repeated += 1;
    s.waiters.push_back({lane, batch.seq, promise});
  } else if (batch.seq > row.applied[lane] + 1) { // a gap: say what is there
    world->counters.batches_refused += 1;
    promise.deliver(wire::Ack{row.epoch, lane, s.durable[lane]});
  } else {
    const auto epoch = row.epoch;
    const auto seq = batch.seq;
    make_durable(
        self, world, s.ledger->apply(lane, batch.bytes, world->now()),
        [=]() mutable {
          auto& now = self->state;
          if (now.ledger->row().epoch == epoch) {
            now.durable[lane] = std::max(now.durable[lane], seq);
            settle_waiters(self, lane);
          }
          promise.deliver(wire::Ack{epoch, lane, seq});
        },
        [=](const std::string& why) mutable {
          promise.deliver(caf::make_error(caf::sec::runtime_error, why));
        });
  }
  return promise;
}

caf::result<Ref<SessionTerms>> start_session(Self self, const WorldPtr& world, const SessionStart& start) {
  auto& s = self->state;
  auto promise = self->make_response_promise<Ref<SessionTerms>>();
  LedgerChange change;
  auto terms = s.ledger->begin(start, world->now(), change);
  const auto number = start.number;
  s.session_number = number;
  for (auto& waiter : std::exchange(s.waiters, {}))
    waiter.promise.deliver(caf::make_error(caf::sec::runtime_error, "the session of this batch has ended"));
  s.session = nullptr; // nothing is pushed before Welcome
  s.held = start.baselines;
  s.intelligence = start.intelligence;
  auto session = start.session;
  make_durable(
      self, world, std::move(change),
      [=]() mutable {
        auto& now = self->state;
        now.durable = now.ledger->row().applied; // writes of earlier batches came before this one
        terms.applied = now.durable;
        promise.deliver(make_ref(std::move(terms)));
        if (now.session_number != number) return;
        now.session = session;
        now.idle_since = 0;
        for (const auto& profile : now.ledger->profiles())
          push_latest(self, world, profile);
        push_indicators(self, world);
      },
      [=](const std::string& why) mutable {
        promise.deliver(caf::make_error(caf::sec::runtime_error, why));
      });
  return promise;
}

caf::result<Ref<QueryAnswer>> take_command(Self self, const WorldPtr& world, const AlertCommand& command) {
  auto promise = self->make_response_promise<Ref<QueryAnswer>>();
  auto change = self->state.ledger->command(command, world->now());
  if (!change) {
    promise.deliver(make_ref(answer_error(change.error().code, change.error().message)));
    return promise;
  }
  QueryAnswer answer;
  if (change->same) {
    answer.lines.push_back(to_json(*change->same));
    promise.deliver(make_ref(std::move(answer)));
    return promise;
  }
  for (const auto& alert : change->alerts)
    answer.lines.push_back(to_json(alert));
  make_durable(
      self, world, std::move(*change), [=]() mutable { promise.deliver(make_ref(std::move(answer))); },
      [=](const std::string& why) mutable {
        promise.deliver(make_ref(answer_error(Errc::unavailable, why)));
      });
  return promise;
}

std::string inspect_text(const AggregatorState& s) {
  const auto& row = s.ledger->row();
  JsonWriter out;
  out.object().field("tenant", s.tenant).field("gateway", s.gateway).field("site", row.site);
  out.field("connected", bool(s.session)).field("version", row.version).field("epoch", row.epoch);
  out.field("findings_durable", s.durable[0]).field("counts_durable", s.durable[1]);
  out.field("findings_applied", row.applied[0]).field("counts_applied", row.applied[1]);
  out.field("writes_under_way", std::uint64_t(s.writing)).field("waiters", std::uint64_t(s.waiters.size()));
  out.field("alerts_stored", s.ledger->stored_alerts())
      .field("alerts_open_in_memory", std::uint64_t(s.ledger->book().size()));
  out.field("alerts_forgotten", s.ledger->book().forgotten_at_limit());
  out.field("clock_off_ms", row.clock / millisecond);
  out.field("last_seen", rfc3339(row.last_seen)).key("profiles").array();
  for (const auto& profile : s.ledger->profiles()) {
    auto held = s.held.find(profile);
    out.object()
        .field("profile", profile)
        .field("baseline", held == s.held.end() ? std::uint64_t{0} : held->second);
    out.end_object();
  }
  return out.end_array().end_object().take();
}

void tick(Self self, const WorldPtr& world) {
  auto& s = self->state;
  const auto now = world->now();
  s.ledger->forget_quiet(now);
  if (auto held = s.ledger->release_held())
    make_durable(
        self, world, std::move(*held), [] {}, [](const std::string&) {});
  if (!s.session && s.session_number == 0 && s.writing == 0)
    if (auto told = s.ledger->away(now))
      make_durable(
          self, world, std::move(*told), [] {}, [](const std::string&) {});
  if (!s.session && s.writing == 0) {
    if (s.idle_since == 0) s.idle_since = now;
    if (now - s.idle_since >= world->settings.retire_after) {
      world->aggregators.retire(cell_key(s.tenant, s.gateway));
      return self->quit(); // what is still in the mailbox is answered with an error, and asked again
    }
  } else {
    s.idle_since = 0;
  }
  self->delayed_send(self, tick_every, atom::tick_v);
}

} // namespace

AggregatorActor::behavior_type aggregator(Self self, WorldPtr world, std::string tenant,
                                          std::string gateway) {
  auto& s = self->state;
  s.tenant = tenant;
  s.gateway = gateway;
  s.chain = world->write_chains.anew(cell_key(tenant, gateway));
  auto ledger = GatewayLedger::load(*world, std::move(tenant), std::move(gateway));
  if (!ledger) throw std::runtime_error{ledger.error().message};
  s.ledger = std::move(*ledger);
  s.durable = s.ledger->row().applied;
  show(self);
  self->delayed_send(self, tick_every, atom::tick_v);
  return {
      [=](atom::inspect) { return make_ref(InspectAnswer{inspect_text(self->state)}); },
      [=](const Ref<SessionStart>& start) { return start_session(self, world, *start); },
      [=](const Ref<BatchIn>& batch) { return take_batch(self, world, *batch); },
      [=](const Ref<Baseline>& baseline) {
        if (self->state.ledger->profiles().count(baseline->profile) != 0)
          push_baseline(self, world, *baseline);
      },
      [=](const Ref<IndicatorSet>&) { push_indicators(self, world); },
      [=](const Ref<AlertCommand>& command) { return take_command(self, world, *command); },
      [=](const Ref<PeerViolation>& violation) {
        make_durable(
            self, world, self->state.ledger->violation(*violation, world->now()), [] {},
            [](const std::string&) {});
      },
      [=](const Ref<ClockReading>& reading) {
        if (reading->session != self->state.session_number) return;
        auto change = self->state.ledger->clock(*reading, world->now());
        if (!change) return;
        make_durable(
            self, world, std::move(*change), [] {}, [](const std::string&) {});
      },
      [=](atom::down, std::uint64_t number) {
        auto& now = self->state;
        if (now.session_number != number) return;
        now.session = nullptr;
        now.session_number = 0; // the write of its Hello may still be under way: it must not set it again
        LedgerChange change;
        now.ledger->end_session(world->now(), change);
        make_durable(
            self, world, std::move(change), [] {}, [](const std::string&) {});
      },
      [=](atom::tick) { tick(self, world); },
  };
}

} // namespace iris
