#include "cloud/trainer/trainer_actor.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/trainer/baseline_json.hpp"
#include "core/alert/json_writer.hpp"
#include "core/learn/trainer.hpp"

#include <spdlog/spdlog.h>

namespace iris {
namespace {

using Self = TrainerActor::stateful_pointer<TrainerState>;
using namespace std::chrono_literals;

constexpr auto store_deadline = 60s;
constexpr std::uint64_t versions_kept = 16;

void show(Self self) {
  const auto& s = self->state;
  set_state(self, s.published ? fmt::format("version {}, {} keys, {}", s.published->version,
                                            s.published->fleet.keys.size(),
                                            to_string(s.published->fleet.progress.state))
                              : std::string{"no baseline yet"});
}

void start_training(Self self, const WorldPtr& world) {
  auto& s = self->state;
  s.dirty = false;
  s.training = true;
  s.last_training = world->now();
  ++s.trainings;
  world->counters.trainings += 1;
  auto me = caf::actor_cast<TrainerActor>(self);
  world->run_heavy(
      [world, me, tenant = s.tenant, profile = s.profile, published = s.published, now = s.last_training] {
        Trained result;
        try {
          result = train_profile(*world, tenant, profile, published, now);
        } catch (const std::exception& exception) {
          result.error = exception.what();
        }
        caf::anon_send(me, make_ref(std::move(result)));
      });
}

void publish(Self self, const WorldPtr& world, const Trained& trained) {
  auto& s = self->state;
  const auto& baseline = *trained.candidate;
  StoreWrite write;
  write.put(Table::baselines, baseline_key(s.tenant, s.profile, baseline.version), encode(baseline));
  if (baseline.version > versions_kept)
    write.erase(Table::baselines, baseline_key(s.tenant, s.profile, baseline.version - versions_kept));
  auto writer = world->writer.get();
  if (!writer) {
    s.dirty = true;
    return;
  }
  s.training = true; // no second candidate of the same number
  self->request(writer, store_deadline, make_ref(std::move(write)))
      .then(
          [=, candidate = trained.candidate, gateways = trained.gateways](atom::ok) {
            auto& now = self->state;
            now.training = false;
            now.published = candidate;
            world->counters.baselines_published += 1;
            spdlog::info("baseline {} of {}/{}: {} keys of {} gateways, {}", candidate->version, now.tenant,
                         now.profile, candidate->fleet.keys.size(), gateways.size(),
                         candidate->fleet.progress.reason);
            for (const auto& gateway : gateways)
              if (auto aggregator = world->aggregators.peek(cell_key(now.tenant, gateway)))
                self->send(aggregator, Ref<Baseline>{candidate});
            show(self);
          },
          [=](const caf::error& error) {
            self->state.training = false;
            self->state.dirty = true;
            self->state.last_error = error_text(error);
          });
}

Result<ProfileRow> decided_row(const CloudWorld& world, const std::string& tenant,
                               const std::string& profile) {
  auto stored = world.store->get(Table::baselines, profile_row_key(tenant, profile));
  if (!stored) return stored.error();
  if (!stored->has_value()) return ProfileRow{};
  return decode_profile(**stored);
}

void decide(Self self, const WorldPtr& world, const QueryRequest& query,
            caf::typed_response_promise<Ref<QueryAnswer>> promise) {
  auto& s = self->state;
  if (!s.decided) {
    auto stored = decided_row(*world, s.tenant, s.profile);
    if (!stored) {
      promise.deliver(make_ref(answer_error(stored.error().code, stored.error().message)));
      return;
    }
    s.decided = std::move(*stored);
  }
  auto writer = world->writer.get();
  if (!writer) {
    promise.deliver(make_ref(answer_error(Errc::unavailable, "the store is down")));
    return;
  }
  auto row = *s.decided;
  std::string detail;
  if (query.verb == "promote") {
    if (!s.published) {
      promise.deliver(make_ref(answer_error(Errc::not_found, "there is no baseline of " + s.profile +
                                                                 " yet that could be promoted")));
      return;
    }
    row.forced_by = query.asked_by;
    detail = "promised alerts: " + std::to_string(s.published->fleet.progress.promise);
  } else { // accept: the arguments after the service are keys, or an alert's cause that names some
    std::set<std::uint64_t> keys;
    for (std::size_t i = 1; i < query.arguments.size(); ++i) {
      const auto named = keys_in_cause(query.arguments[i]);
      if (named.empty()) {
        promise.deliver(make_ref(no_key(query.arguments[i])));
        return;
      }
      keys.insert(named.begin(), named.end());
    }
    for (auto key : keys)
      row.accepted[key] = query.asked_by;
    if (row.accepted.size() > Baseline::key_limit) {
      promise.deliver(make_ref(answer_error(Errc::limit, "too many accepted keys")));
      return;
    }
    detail = std::to_string(keys.size()) + (keys.size() == 1 ? " key" : " keys");
  }
  StoreWrite write;
  write.put(Table::baselines, profile_row_key(s.tenant, s.profile), encode(row));
  add_audit(*world, write, s.tenant, query.asked_by, query.verb, s.profile, detail);
  s.decided = std::move(row);
  ++s.deciding;
  auto settle = [self](bool failed) {
    auto& now = self->state;
    now.undecided = now.undecided || failed;
    if (--now.deciding != 0 || !now.undecided) return;
    now.decided.reset();
    now.undecided = false;
  };
  self->request(writer, store_deadline, make_ref(std::move(write)))
      .then(
          [=](atom::ok) mutable {
            settle(false);
            self->state.dirty = true;
            QueryAnswer answer;
            JsonWriter out;
            out.object().field("profile", self->state.profile).field("done", query.verb).end_object();
            answer.lines.push_back(out.take());
            promise.deliver(make_ref(std::move(answer)));
          },
          [=](const caf::error& error) mutable {
            settle(true);
            promise.deliver(make_ref(answer_error(Errc::unavailable, error_text(error))));
          });
}

void tick(Self self, const WorldPtr& world) {
  auto& s = self->state;
  const auto interval = training_interval(world->settings.training.scale);
  if (s.dirty && !s.training && world->now() - s.last_training >= interval) start_training(self, world);
  self->delayed_send(self, std::chrono::nanoseconds(interval), atom::tick_v);
}

} // namespace

QueryAnswer no_key(const std::string& text) {
  return answer_error(Errc::invalid, "\"" + text.substr(0, 64) +
                                         "\" is no key: use #0123456789abcdef as \"baseline SERVICE\" shows");
}

TrainerActor::behavior_type trainer(Self self, WorldPtr world, std::string tenant, std::string profile) {
  auto& s = self->state;
  s.tenant = std::move(tenant);
  s.profile = std::move(profile);
  auto latest = latest_baseline(*world->store, s.tenant, s.profile);
  if (!latest) throw std::runtime_error{latest.error().message};
  s.published = std::move(*latest);
  s.dirty = true; // what came while nobody was here
  show(self);
  self->delayed_send(self, std::chrono::nanoseconds(training_interval(world->settings.training.scale)),
                     atom::tick_v);
  return {
      [=](atom::inspect) {
        const auto& now = self->state;
        JsonWriter out;
        out.object().field("tenant", now.tenant).field("profile", now.profile);
        out.field("version", now.published ? now.published->version : 0).field("trainings", now.trainings);
        out.field("training", now.training).field("evidence_waits", now.dirty);
        out.field("evidence_messages", now.evidence_messages)
            .field("last_training", rfc3339(now.last_training));
        out.field("last_took_ms", double(now.last_took) / double(millisecond))
            .field("last_error", now.last_error);
        return make_ref(InspectAnswer{out.end_object().take()});
      },
      [=](const Ref<DeltaIn>&) {
        ++self->state.evidence_messages;
        self->state.dirty = true;
      },
      [=](atom::tick) { tick(self, world); },
      [=](const Ref<Trained>& trained) {
        auto& now = self->state;
        now.training = false;
        now.last_took = world->now() - now.last_training;
        now.last_error = trained->error;
        if (!trained->error.empty())
          spdlog::error("training {}/{}: {}", now.tenant, now.profile, trained->error);
        if (trained->candidate && trained->changed) publish(self, world, *trained);
      },
      [=](const Ref<QueryRequest>& query) -> caf::result<Ref<QueryAnswer>> {
        auto promise = self->make_response_promise<Ref<QueryAnswer>>();
        const auto& now = self->state;
        if (query->verb == "promote" || query->verb == "accept") {
          decide(self, world, *query, promise);
        } else if (!now.published) {
          promise.deliver(
              make_ref(answer_error(Errc::not_found, "there is no baseline of " + now.profile + " yet")));
        } else {
          QueryAnswer answer;
          if (query->verb == "baseline")
            answer.lines = baseline_lines(*now.published, now.tenant);
          else
            answer.lines = learning_lines(*now.published, now.tenant);
          promise.deliver(make_ref(std::move(answer)));
        }
        return promise;
      },
  };
}

} // namespace iris
