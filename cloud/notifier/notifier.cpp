#include "cloud/notifier/notifier.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "cloud/messages.hpp"
#include "cloud/store/rows.hpp"
#include "core/alert/codec.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/hash.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>

namespace iris {
namespace {

using Self = NotifierActor::stateful_pointer<NotifierState>;
using namespace std::chrono_literals;

constexpr std::size_t job_items = 64;
constexpr std::uint32_t refusals_limit = 10;
constexpr auto store_deadline = 30s;
constexpr auto look_every = 1s; ///< for retries, and should a wake-up have been lost

void work(Self self, const WorldPtr& world, const GiveJob& give);

const SinkState& sink_of(Self self, const WorldPtr& world) { return world->sinks[self->state.sink]; }

void show(Self self, const WorldPtr& world) {
  const auto& s = self->state;
  set_state(self, fmt::format("{} waiting, {} delivered{}", sink_of(self, world).waiting->load(), s.delivered,
                              s.last_error.empty() ? "" : ", failing: " + s.last_error));
}

/// Erases the rows and goes on when that is durable.
void erase_rows(Self self, WorldPtr world, GiveJob give, const std::vector<std::string>& keys) {
  StoreWrite write;
  for (const auto& key : keys)
    write.erase(Table::outbox, key);
  auto& waiting = *sink_of(self, world).waiting;
  auto known = waiting.load();
  while (!waiting.compare_exchange_weak(known, known - std::min<std::uint64_t>(known, keys.size()))) {
    // nop
  }
  auto writer = world->writer.get();
  if (!writer) return; // the rows are found again and delivered twice, which is allowed
  self->state.busy = true;
  self->request(writer, store_deadline, make_ref(std::move(write)))
      .then(
          [=](atom::ok) {
            self->state.busy = false;
            show(self, world);
            work(self, world, give);
          },
          [=](const caf::error& error) {
            self->state.busy = false;
            self->state.last_error = error_text(error);
          });
}

/// Of the keys in order, with the owner of each: which go. Whoever has most waiting loses the oldest of it,
/// so nobody pushes out what others tell.
std::vector<std::string> surplus_of(std::vector<std::pair<std::string, std::string>>& rows,
                                    std::uint64_t surplus) {
  std::map<std::string, std::uint64_t> shares;
  for (const auto& [key, owner] : rows)
    shares[owner] += 1;
  auto above = [&](std::uint64_t level) {
    std::uint64_t sum = 0;
    for (const auto& [owner, share] : shares)
      sum += share - std::min(share, level);
    return sum;
  };
  std::uint64_t level = 0;
  for (std::uint64_t step = std::uint64_t(1) << 40; step > 0; step /= 2)
    if (above(level + step) >= surplus) level += step;
  std::vector<std::string> gone;
  for (auto& [key, owner] : rows) {
    if (gone.size() >= surplus) break;
    auto& share = shares[owner];
    if (share <= level) continue;
    --share;
    gone.push_back(std::move(key));
  }
  return gone;
}

/// At the limit rows go, and a hundredth more, as each look reads them all.
bool drop_surplus(Self self, const WorldPtr& world, const GiveJob& give) {
  auto& s = self->state;
  const auto& sink = sink_of(self, world);
  const auto waiting = sink.waiting->load();
  if (waiting <= world->settings.outbox_limit) return false;
  std::vector<std::pair<std::string, std::string>> rows;
  auto scanned = world->store->scan(Table::outbox, KeyBuilder{}.text(sink.name).str(),
                                    [&](std::string_view key, std::string_view value) {
                                      auto owner = outbox_owner(value);
                                      rows.emplace_back(key, owner ? std::move(*owner) : std::string{});
                                      return true;
                                    });
  const auto limit = world->settings.outbox_limit;
  if (rows.size() <= limit) { // some that were counted are not there any more
    *sink.waiting = rows.size();
    return false;
  }
  const auto keys = surplus_of(rows, rows.size() - limit + limit / 100);
  if (!scanned || keys.empty()) return false;
  s.dropped += keys.size();
  world->counters.outbox_dropped += keys.size();
  spdlog::error("sink {}: more than {} revisions wait; {} are dropped, the oldest of the gateways "
                "that have most",
                sink.name, world->settings.outbox_limit, keys.size());
  erase_rows(self, world, give, keys);
  return true;
}

void work(Self self, const WorldPtr& world, const GiveJob& give) {
  auto& s = self->state;
  if (s.busy || world->now() < s.retry_at) return;
  if (drop_surplus(self, world, give)) return;
  const auto& sink = sink_of(self, world);
  SinkJob job;
  std::vector<std::string> damaged;
  auto scanned = world->store->scan(
      Table::outbox, KeyBuilder{}.text(sink.name).str(), [&](std::string_view key, std::string_view value) {
        auto bytes = decode_outbox(value);
        auto alert = bytes ? decode_alert(*bytes) : Result<Alert>{bytes.error()};
        if (alert)
          job.items.push_back({std::string{key}, std::move(*alert)});
        else
          damaged.emplace_back(key);
        return job.items.size() < job_items;
      });
  if (!scanned) {
    s.last_error = scanned.error().message;
    return;
  }
  if (!damaged.empty()) {
    s.dropped += damaged.size();
    world->counters.outbox_dropped += damaged.size();
    spdlog::error("sink {}: {} damaged rows of the outbox are dropped", sink.name, damaged.size());
    return erase_rows(self, world, give, damaged);
  }
  if (job.items.empty()) {
    *sink.waiting = 0;
    return;
  }
  std::vector<std::string> keys;
  for (const auto& item : job.items)
    keys.push_back(item.key);
  const auto attempt = ++s.attempt;
  auto me = caf::actor_cast<NotifierActor>(self);
  s.busy = true;
  const bool taken = give(std::move(job), [me, attempt, keys](const SinkJobResult& result) {
    SinkResult told;
    told.attempt = attempt;
    told.delivered.assign(keys.begin(), keys.begin() + std::ptrdiff_t(result.delivered));
    told.error = result.delivery.error;
    told.refused =
        result.delivery.outcome == Delivery::Outcome::refused ? keys[result.delivered] : std::string{};
    caf::anon_send(me, make_ref(std::move(told)));
  });
  if (!taken) s.busy = false; // a job of the life before is still under way; the next look finds it over
}

void take_result(Self self, const WorldPtr& world, const GiveJob& give, const SinkResult& result) {
  auto& s = self->state;
  if (result.attempt != s.attempt) return;
  s.busy = false;
  s.delivered += result.delivered.size();
  world->counters.outbox_delivered += result.delivered.size();
  auto gone = result.delivered;
  if (!gone.empty()) {
    s.failures = s.refusals = 0;
    s.retry_at = 0;
  }
  if (!result.refused.empty() && ++s.refusals >= refusals_limit) {
    gone.push_back(result.refused);
    ++s.dropped;
    world->counters.outbox_dropped += 1;
    spdlog::error("sink {}: a revision was refused {} times and is dropped: {}", sink_of(self, world).name,
                  s.refusals, result.error);
    s.refusals = 0;
  } else if (!result.error.empty()) {
    ++s.failures;
    ++s.retries;
    world->counters.outbox_retries += 1;
    const auto jitter = double(hash64(std::to_string(world->now())) % 1'000) / 1'000;
    const auto wait = backoff_after(s.failures, jitter);
    if (s.failures == 1 || result.error != s.last_error)
      spdlog::warn("sink {}: {}; next try in {}", sink_of(self, world).name, result.error,
                   human_duration(wait));
    s.retry_at = world->now() + wait;
  }
  s.last_error = result.error;
  show(self, world);
  if (!gone.empty())
    erase_rows(self, world, give, gone);
  else
    work(self, world, give);
}

} // namespace

Duration backoff_after(std::uint32_t failures, double jitter) {
  constexpr Duration longest = 300 * second;
  const auto doublings = std::min<std::uint32_t>(failures == 0 ? 0 : failures - 1, 20);
  const auto wait = std::min<Duration>(second << doublings, longest);
  return wait - Duration(double(wait) / 4 * std::clamp(jitter, 0.0, 1.0));
}

NotifierActor::behavior_type notifier(Self self, WorldPtr world, std::size_t sink, GiveJob give) {
  self->state.sink = sink;
  show(self, world);
  self->send(self, atom::wake_v);
  self->delayed_send(self, look_every, atom::tick_v);
  return {
      [=](atom::inspect) {
        const auto& s = self->state;
        JsonWriter out;
        out.object()
            .field("sink", sink_of(self, world).name)
            .field("waiting", sink_of(self, world).waiting->load());
        out.field("delivered", s.delivered).field("dropped", s.dropped).field("retries", s.retries);
        out.field("failures_in_a_row", s.failures)
            .field("next_try", s.retry_at == 0 ? std::string{} : rfc3339(s.retry_at))
            .field("busy", s.busy);
        out.field("last_error", s.last_error).end_object();
        return make_ref(InspectAnswer{out.take()});
      },
      [=](atom::wake) { work(self, world, give); },
      [=](atom::tick) {
        work(self, world, give);
        self->delayed_send(self, look_every, atom::tick_v);
      },
      [=](const Ref<SinkResult>& result) { take_result(self, world, give, *result); },
  };
}

} // namespace iris
