#include "node/uplink_actor.hpp"

#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "actors/query_codec.hpp"
#include "core/alert/json_writer.hpp"
#include "core/base/hash.hpp"
#include "core/intel/indicator_set.hpp"
#include "core/learn/signed_baseline.hpp"

#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>
#include <spdlog/spdlog.h>

namespace iris {
namespace {

using Self = UplinkActor::stateful_pointer<UplinkState>;
using World = std::shared_ptr<const UplinkWorld>;
using namespace std::chrono_literals;

constexpr auto local_deadline = 5s;
constexpr auto cloud_deadline = 30s;

void pump(Self self, World world);
void say_hello(Self self, World world, bool fresh);

void give_up(Self self, const World& world, const std::string& reason, bool later = false) {
  spdlog::warn("link: {}", reason);
  self->state.last_error = reason;
  world->give_up(reason, later);
}

/// An answer that did not come, or one that says what is wrong.
std::string late_or(const caf::error& error, const char* late, const char* wrong) {
  if (error == caf::sec::request_timeout) return late;
  return std::string{wrong} + ": " + caf::to_string(error);
}

void send_batch(Self self, World world, const SpooledBatch& batch) {
  auto& s = self->state;
  auto lane = std::size_t(batch.lane);
  auto generation = s.generation;
  auto size = batch.bytes.size();
  s.lanes[lane].sent = batch.seq;
  ++s.flying_batches;
  s.flying_bytes += size;
  ++s.batches_sent;
  self->request(s.session, cloud_deadline,
                wire::Batch{s.epoch, std::uint8_t(batch.lane), batch.seq, batch.bytes})
      .then(
          [=](const wire::Ack& ack) {
            auto& now = self->state;
            if (generation != now.generation) return;
            --now.flying_batches;
            now.flying_bytes -= size;
            ++now.batches_acked;
            if (ack.epoch != now.epoch || ack.lane != lane)
              return give_up(self, world, "the cloud acknowledged another lane");
            if (ack.seq > now.lanes[lane].acked) {
              now.lanes[lane].acked = ack.seq;
              self->send(world->spool(), make_ref(SpoolAck{ack.epoch, Lane(lane), ack.seq}));
            }
            if (ack.seq < batch.seq) { // it has a gap: go back to what it has
              ++now.resends;
              now.lanes[lane].sent = ack.seq;
            }
            pump(self, world);
          },
          [=](const caf::error& error) {
            if (generation != self->state.generation) return;
            give_up(self, world,
                    late_or(error, "the cloud did not acknowledge a batch in time",
                            "the cloud could not take a batch, its log says why"));
          });
}

void read_lane(Self self, World world, Lane lane) {
  auto& s = self->state;
  auto& out = s.lanes[std::size_t(lane)];
  if (out.reading || s.flying_batches >= s.credit_batches || s.flying_bytes >= s.credit_bytes) return;
  out.reading = true;
  auto generation = s.generation;
  SpoolRead read{lane, out.sent, s.credit_batches - s.flying_batches, s.credit_bytes - s.flying_bytes};
  self->request(world->spool(), local_deadline, make_ref(read))
      .then(
          [=](const Ref<SpooledBatches>& found) {
            auto& now = self->state;
            if (generation != now.generation) return;
            now.lanes[std::size_t(lane)].reading = false;
            if (found->epoch == 0) { // the spool was damaged and has begun anew
              ++now.generation;      // the other lane's answer says the same: one Hello is enough
              now.welcomed = false;
              now.flying_batches = now.flying_bytes = 0;
              now.lanes = {};
              return say_hello(self, world, true);
            }
            if (found->epoch != now.epoch || now.lanes[std::size_t(lane)].sent != read.after) return;
            for (const auto& batch : found->batches) {
              if (now.flying_batches >= now.credit_batches || now.flying_bytes >= now.credit_bytes) break;
              send_batch(self, world, batch);
            }
            if (!found->batches.empty()) pump(self, world);
          },
          [=](const caf::error&) {
            if (generation == self->state.generation) self->state.lanes[std::size_t(lane)].reading = false;
          });
}

/// Sends what credit allows; findings first.
void pump(Self self, World world) {
  if (!self->state.welcomed) return;
  read_lane(self, world, Lane::findings);
  read_lane(self, world, Lane::counts);
}

/// Whom the spool keeps account with: this cloud, under this name. A copied disk that enrolled anew, or a
/// gateway that moved, owes the other one nothing.
std::string account_of(const WelcomeIn& welcome) {
  if (welcome.baseline_key.empty() || welcome.gateway.empty()) return {};
  return welcome.baseline_key.substr(0, 32) + to_hex(hash64(welcome.tenant + "/" + welcome.gateway));
}

void settle(Self self, World world, const WelcomeIn& welcome) {
  auto generation = self->state.generation;
  self->request(world->spool(), local_deadline,
                make_ref(SpoolEpoch{welcome.epoch, welcome.applied, welcome.chain_key, welcome.scale.day,
                                    welcome.before, account_of(welcome)}))
      .then(
          [=](const Ref<SpoolState>& spool) {
            auto& s = self->state;
            if (generation != s.generation) return;
            if (spool->epoch == 0) return say_hello(self, world, true);
            s.epoch = welcome.epoch;
            for (std::size_t i = 0; i < lane_count; ++i)
              s.lanes[i] = {spool->acked[i], spool->acked[i], false};
            s.credit_batches = welcome.credit_batches;
            s.credit_bytes = welcome.credit_bytes;
            if (s.baseline_key.empty()) s.baseline_key = welcome.baseline_key;
            s.terms = {welcome.scale, welcome.tenant, welcome.site, s.baseline_key};
            s.welcomed = true;
            self->send(world->router(), make_ref(s.terms));
            self->send(world->spool(), make_ref(SpoolPut{"terms", encode_terms(s.terms)}));
            if (world->terms_changed) world->terms_changed(s.terms);
            spdlog::info("link: session with the cloud, epoch {}", s.epoch);
            set_state(self, "connected, epoch " + std::to_string(s.epoch));
            pump(self, world);
          },
          [=](const caf::error& error) {
            if (generation == self->state.generation)
              give_up(self, world,
                      late_or(error, "the spool does not answer", "the spool cannot begin an epoch"));
          });
}

void say_hello(Self self, World world, bool fresh) {
  auto generation = self->state.generation;
  self->request(world->spool(), local_deadline, atom::state_v)
      .then(
          [=](const Ref<SpoolState>& spool) {
            auto& s = self->state;
            if (generation != s.generation) return;
            HelloOut hello;
            hello.version = world->version;
            hello.spool = *spool;
            if (fresh) hello.spool.epoch = 0;
            hello.baselines.assign(s.baselines.begin(), s.baselines.end());
            hello.intelligence = s.intelligence;
            hello.now = world->now();
            hello.instance = world->instance;
            hello.site = world->site;
            self->request(s.session, cloud_deadline, wire::Hello{encode_hello(hello)})
                .then(
                    [=](const wire::Welcome& answer) {
                      if (generation != self->state.generation) return;
                      auto refusal = welcome_refusal(answer.bytes);
                      if (!refusal) return give_up(self, world, refusal.error().message);
                      if (!refusal->why.empty()) return give_up(self, world, refusal->why, refusal->version);
                      auto welcome = decode_welcome(answer.bytes);
                      if (!welcome) return give_up(self, world, welcome.error().message);
                      settle(self, world, *welcome);
                    },
                    [=](const caf::error&) {
                      if (generation == self->state.generation)
                        give_up(self, world, "the cloud did not answer Hello");
                    });
          },
          [=](const caf::error&) {
            if (generation == self->state.generation) give_up(self, world, "the spool does not answer");
          });
}

/// A baseline is used only when the cloud's key signed it and its number is higher than what is held.
wire::PushAck take_baseline(Self self, const World& world, const PushIn& push) {
  auto& s = self->state;
  auto baseline = open_signed(push.bytes.data(), push.bytes.size(), s.baseline_key);
  if (!baseline) {
    ++s.pushes_refused;
    spdlog::warn("link: baseline refused: {}", baseline.error().message);
    return {encode_push_ack(false, baseline.error().message)};
  }
  auto& held = s.baselines[baseline->profile];
  if (baseline->version <= held) {
    ++s.pushes_refused;
    return {encode_push_ack(false, "version " + std::to_string(held) + " is held")};
  }
  held = baseline->version;
  auto profile = baseline->profile;
  self->send(world->router(), make_ref(std::move(*baseline)));
  self->send(world->spool(), make_ref(SpoolPut{"baseline/" + profile, push.bytes}));
  return {encode_push_ack(true, "")};
}

wire::PushAck take_indicators(Self self, const World& world, const PushIn& push) {
  auto indicators = IndicatorSet::decode(push.bytes.data(), push.bytes.size());
  if (!indicators) {
    ++self->state.pushes_refused;
    return {encode_push_ack(false, indicators.error().message)};
  }
  self->state.intelligence = push.version;
  self->send(world->router(), make_ref(std::move(*indicators)));
  self->send(world->spool(), make_ref(SpoolPut{"indicators", push.bytes}));
  return {encode_push_ack(true, "")};
}

} // namespace

UplinkActor::behavior_type uplink_actor(Self self, UplinkWorld given,
                                        std::map<std::string, std::uint64_t> held,
                                        std::uint64_t intelligence) {
  auto world = std::make_shared<const UplinkWorld>(std::move(given));
  self->state.baselines = std::move(held);
  self->state.intelligence = intelligence;
  self->state.baseline_key = world->baseline_key;
  return {
      [=](atom::inspect) {
        const auto& s = self->state;
        JsonWriter json;
        json.object()
            .field("connected", s.welcomed)
            .field("epoch", s.epoch)
            .field("last_error", s.last_error);
        for (std::size_t i = 0; i < lane_count; ++i)
          json.key(i == 0 ? "findings" : "counts")
              .object()
              .field("sent", s.lanes[i].sent)
              .field("acked", s.lanes[i].acked)
              .end_object();
        json.field("credit_batches", s.credit_batches).field("under_way", std::uint64_t(s.flying_batches));
        json.field("under_way_bytes", std::uint64_t(s.flying_bytes)).field("batches_sent", s.batches_sent);
        json.field("batches_acked", s.batches_acked).field("resends", s.resends).field("pushes", s.pushes);
        json.field("pushes_refused", s.pushes_refused).end_object();
        return make_ref(InspectAnswer{json.take()});
      },
      [=](atom::up, const caf::strong_actor_ptr& session) {
        auto& s = self->state;
        ++s.generation;
        s.session = caf::actor_cast<SessionActor>(session);
        s.welcomed = false;
        s.flying_batches = s.flying_bytes = 0;
        s.lanes = {};
        say_hello(self, world, false);
      },
      [=](atom::down, const std::string& reason) {
        auto& s = self->state;
        ++s.generation;
        s.session = nullptr;
        s.welcomed = false;
        s.last_error = reason;
        set_state(self, "not connected: " + reason);
      },
      [=](atom::wake) { pump(self, world); },
      [=](const wire::Push& message) -> wire::PushAck {
        ++self->state.pushes;
        auto push = decode_push(message.bytes);
        if (!push) {
          ++self->state.pushes_refused;
          return {encode_push_ack(false, push.error().message)};
        }
        switch (push->kind) {
        case PushIn::Kind::baseline:
          return take_baseline(self, world, *push);
        case PushIn::Kind::indicators:
          return take_indicators(self, world, *push);
        case PushIn::Kind::credit:
          self->state.credit_batches = std::clamp<std::uint32_t>(push->credit_batches, 1, 1'024);
          self->state.credit_bytes = std::clamp<std::uint32_t>(push->credit_bytes, 64 << 10, 4 << 20);
          pump(self, world);
          break;
        case PushIn::Kind::clock:
          return {encode_push_ack(true, "", world->now())};
        }
        return {encode_push_ack(true, "")};
      },
      [=](const wire::Query& message) -> caf::result<wire::Reply> {
        auto promise = self->make_response_promise<wire::Reply>();
        auto query = decode_query(message.bytes);
        if (!query) {
          promise.deliver(wire::Reply{encode_reply(answer_error(query.error().code, query.error().message))});
          return promise;
        }
        self->request(world->inspector(), std::chrono::milliseconds(query->deadline_ms), make_ref(*query))
            .then(
                [=](const Ref<QueryAnswer>& answer) mutable {
                  promise.deliver(wire::Reply{encode_reply(*answer)});
                },
                [=](const caf::error&) mutable {
                  promise.deliver(wire::Reply{encode_reply(
                      answer_error(Errc::unavailable, "the gateway's inspector does not answer"))});
                });
        return promise;
      },
      [=](atom::tick) { pump(self, world); },
  };
}

} // namespace iris
