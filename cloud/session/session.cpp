#include "cloud/session/session.hpp"
#include "actors/instrumented_actor.hpp"
#include "actors/query.hpp"
#include "actors/query_codec.hpp"
#include "cloud/session/session_clock.hpp"
#include "cloud/session/session_codec.hpp"
#include "core/alert/json_writer.hpp"
#include "core/link/payload.hpp"

#include <spdlog/spdlog.h>

namespace iris {
namespace {

using Self = SessionActor::stateful_pointer<SessionState>;
using Peer = std::shared_ptr<const SessionPeer>;
using namespace std::chrono_literals;

constexpr auto aggregator_deadline = 40s;
constexpr auto push_deadline = 30s;
constexpr std::size_t questions_limit = 16; ///< of one operator, those that wait included
/// An answer may have nearly 1 MiB. So what waits for one peer stays below the link's 4 MiB.
constexpr std::size_t answers_at_once = 3, unsent_limit = 512 << 10;
constexpr auto look_again = 20ms;
constexpr std::size_t longest_reason = 200; ///< characters of what a peer wrote, in the log
constexpr unsigned hellos_limit = 2;
constexpr std::size_t waiting_limit = 1'024; ///< documents for one gateway

std::string label_of(const SessionPeer& peer) {
  auto kind = peer.identity.role == Role::operator_ ? "operator " : "gateway ";
  return kind + peer.identity.tenant + "/" + peer.identity.name;
}

void notify_frontdesk(Self self, const WorldPtr& world, const Peer& peer, bool up) {
  auto& s = self->state;
  world->frontdesk.send(
      self, make_ref(SessionNotice{up, s.number, peer->identity, peer->address, s.version, world->now(),
                                   up ? caf::actor_cast<SessionActor>(self) : SessionActor{}}));
}

wire::Welcome refuse(Self self, const WorldPtr& world, const Peer& peer, const std::string& why) {
  world->counters.sessions_refused += 1;
  spdlog::warn("{} at {} refused: {}", label_of(*peer), peer->address, why);
  set_state(self, "refused: " + why);
  // The refusal has to reach the peer before the connection ends.
  self->state.refused = true;
  self->delayed_send(self, 1s, atom::down_v, "refused: " + why);
  WelcomeOut welcome;
  welcome.version = world->version;
  welcome.refusal = why;
  return {encode_welcome(welcome)};
}

void greet(Self self, const WorldPtr& world, const Peer& peer) {
  self->state.welcomed = true;
  set_state(self, label_of(*peer) + " at " + peer->address);
  spdlog::info("{} at {} connected, version {}", label_of(*peer), peer->address,
               printable(self->state.version));
  notify_frontdesk(self, world, peer, true);
}

wire::Welcome welcome_message(const CloudWorld& world, const SessionPeer& peer, SessionTerms terms) {
  WelcomeOut welcome;
  welcome.version = world.version;
  welcome.terms = std::move(terms);
  welcome.credit_batches = world.settings.credit_batches;
  welcome.credit_bytes = world.settings.credit_bytes;
  welcome.scale = world.settings.training.scale;
  welcome.baseline_key = world.signing.public_key;
  welcome.tenant = peer.identity.tenant;
  if (peer.identity.role == Role::gateway) welcome.gateway = peer.identity.name;
  return {encode_welcome(welcome)};
}

caf::result<wire::Welcome> take_hello(Self self, const WorldPtr& world, const Peer& peer,
                                      const wire::Hello& message) {
  auto& s = self->state;
  // A gateway whose spool cannot go on in its epoch says it once more, for a new one.
  if (++s.hellos > hellos_limit) {
    const std::string why = "says hello again and again";
    if (s.hellos == hellos_limit + 1) {
      world->counters.sessions_cut += 1;
      spdlog::warn("{} cut off: {}", label_of(*peer), why);
      peer->close(why);
    }
    return caf::make_error(caf::sec::runtime_error, why);
  }
  auto hello = decode_hello(message.bytes);
  if (!hello) return refuse(self, world, peer, printable(hello.error().message, longest_reason));
  const std::string who = peer->identity.role == Role::operator_ ? "the shell" : "the gateway";
  if (auto why = version_refusal(hello->major, hello->minor, who, "the cloud"); !why.empty())
    return refuse(self, world, peer, why);
  s.version = hello->start.version;
  s.minor = hello->minor;
  if (peer->identity.role == Role::operator_) {
    greet(self, world, peer);
    return welcome_message(*world, *peer, {});
  }
  s.uplink = caf::actor_cast<UplinkActor>(self->current_sender());
  s.aggregator = aggregator_of(world, peer->identity.tenant, peer->identity.name);
  if (!s.uplink || !s.aggregator) return refuse(self, world, peer, "the cloud is starting again; try again");
  hello->start.number = s.number;
  hello->start.session = caf::actor_cast<SessionActor>(self);
  auto promise = self->make_response_promise<wire::Welcome>();
  self->request(s.aggregator, aggregator_deadline, make_ref(std::move(hello->start)))
      .then(
          [=](const Ref<SessionTerms>& terms) mutable {
            if (!terms->refusal.empty()) {
              promise.deliver(refuse(self, world, peer, terms->refusal));
              return;
            }
            if (!self->state.welcomed) greet(self, world, peer);
            promise.deliver(welcome_message(*world, *peer, *terms));
            if (self->state.minor >= link_minor_clock && self->state.clock_asked == 0)
              sample_clock(self, world);
          },
          [=](const caf::error& error) mutable {
            promise.deliver(
                refuse(self, world, peer, "the cloud cannot take the session now: " + error_text(error)));
          });
  return promise;
}

caf::result<wire::Ack> take_batch(Self self, const WorldPtr& world, const Peer& peer,
                                  const wire::Batch& batch) {
  auto& s = self->state;
  auto promise = self->make_response_promise<wire::Ack>();
  auto refuse_batch = [&](const std::string& why) {
    world->counters.sessions_cut += 1;
    spdlog::warn("{} cut off: {}", label_of(*peer), why);
    peer->close(why);
    promise.deliver(caf::make_error(caf::sec::runtime_error, why));
  };
  const auto size = batch.bytes.size();
  if (!s.welcomed || !s.aggregator) {
    refuse_batch("a batch before Welcome");
  } else if (s.flying_batches >= world->settings.credit_batches ||
             s.flying_bytes > std::size_t(world->settings.credit_bytes) + (1 << 20)) {
    refuse_batch("more under way than its credit allows");
  } else {
    ++s.flying_batches;
    s.flying_bytes += size;
    ++s.batches;
    BatchIn in{s.number, batch.epoch, batch.lane, batch.seq, batch.bytes};
    self->request(s.aggregator, aggregator_deadline, make_ref(std::move(in)))
        .then(
            [=](const wire::Ack& ack) mutable {
              --self->state.flying_batches;
              self->state.flying_bytes -= size;
              promise.deliver(ack);
            },
            [=](const caf::error& error) mutable {
              // Not durable, and the aggregator starts anew: so must the session.
              promise.deliver(error);
              peer->close("the cloud cannot take batches now: " + error_text(error));
            });
  }
  return promise;
}

void push_next(Self self, const WorldPtr& world, const Peer& peer) {
  auto& s = self->state;
  if (s.pushing || s.waiting.empty() || !s.uplink) return;
  auto push = std::move(s.waiting.begin()->second);
  s.waiting.erase(s.waiting.begin());
  s.pushing = true;
  ++s.pushes;
  world->counters.pushes += 1;
  auto what = push.kind == PushOut::Kind::baseline
                  ? "baseline " + std::to_string(push.version) + " of " + printable(push.name)
                  : std::string{"indicators"};
  self->request(s.uplink, push_deadline, wire::Push{encode_push(push)})
      .then(
          [=](const wire::PushAck& message) {
            self->state.pushing = false;
            auto answer = decode_push_ack(message.bytes);
            if (!answer || !answer->accepted) {
              ++self->state.pushes_refused;
              world->counters.pushes_refused += 1;
              spdlog::warn("{} did not take {}: {}", label_of(*peer), what,
                           printable(answer ? answer->reason : answer.error().message, longest_reason));
            }
            push_next(self, world, peer);
          },
          [=](const caf::error&) {
            self->state.pushing = false;
            peer->close(what + " was not answered in time");
          });
}

[[nodiscard]] std::size_t unsent(const SessionPeer& peer) {
  return peer.buffered ? peer.buffered->load() : 0;
}

/// Begins with questions as long as their answers will find room.
void next_question(Self self, const Peer& peer) {
  auto& s = self->state;
  while (!s.questions.empty() && s.queries < answers_at_once && unsent(*peer) < unsent_limit) {
    auto ask = std::move(s.questions.front());
    s.questions.pop_front();
    ++s.queries;
    ask();
  }
  // The end of a question looks again; but nobody tells that bytes have gone out.
  if (s.questions.empty() || s.queries > 0 || s.looking) return;
  s.looking = true;
  self->delayed_send(self, look_again, atom::wake_v);
}

caf::result<Ref<QueryAnswer>> ask_gateway(Self self, const Peer& peer, const Ref<QueryRequest>& query) {
  auto promise = self->make_response_promise<Ref<QueryAnswer>>();
  if (unsent(*peer) > 2 * unsent_limit) {
    promise.deliver(make_ref(answer_error(Errc::unavailable, "the gateway does not take what it is sent")));
    return promise;
  }
  if (!self->state.uplink) {
    promise.deliver(make_ref(answer_error(Errc::unavailable, "the gateway has not said hello yet")));
    return promise;
  }
  self->request(self->state.uplink, std::chrono::milliseconds(query->deadline_ms),
                wire::Query{encode_query(*query)})
      .then(
          [=](const wire::Reply& reply) mutable {
            auto answer = decode_reply(reply.bytes);
            promise.deliver(make_ref(answer ? std::move(*answer)
                                            : answer_error(answer.error().code, answer.error().message)));
          },
          [=](const caf::error&) mutable {
            promise.deliver(make_ref(answer_error(Errc::unavailable, "the gateway did not answer in time")));
          });
  return promise;
}

caf::result<wire::Reply> take_query(Self self, const WorldPtr& world, const Peer& peer,
                                    const wire::Query& message) {
  auto& s = self->state;
  auto promise = self->make_response_promise<wire::Reply>();
  auto fail = [&](Errc code, const std::string& why) {
    promise.deliver(wire::Reply{encode_reply(answer_error(code, why))});
    return promise;
  };
  if (peer->identity.role != Role::operator_) return fail(Errc::refused, "only operators ask questions");
  if (!s.welcomed) return fail(Errc::refused, "say hello first");
  if (s.queries + s.questions.size() >= questions_limit)
    return fail(Errc::limit, "too many questions at once");
  auto query = decode_query(message.bytes);
  if (!query) return fail(query.error().code, query.error().message);
  auto desk = world->frontdesk.get();
  if (!desk) return fail(Errc::unavailable, "the front desk is starting again; try again");
  // Rights come from the certificate, whatever the message says.
  query->tenant = peer->identity.tenant;
  query->admin = peer->identity.admin;
  query->asked_by = "operator " + peer->identity.tenant + "/" + peer->identity.name;
  query->deadline_ms = std::clamp<std::uint32_t>(query->deadline_ms, 100, 30'000);
  world->counters.queries += 1;
  const auto deadline = std::chrono::milliseconds(query->deadline_ms) + 2s;
  s.questions.push_back([=, query = make_ref(std::move(*query))] {
    auto answered = promise;
    self->request(desk, deadline, query)
        .then(
            [=](const Ref<QueryAnswer>& answer) mutable {
              --self->state.queries;
              answered.deliver(wire::Reply{encode_reply(*answer)});
              next_question(self, peer);
            },
            [=](const caf::error& error) mutable {
              --self->state.queries;
              answered.deliver(wire::Reply{encode_reply(answer_error(Errc::unavailable, error_text(error)))});
              next_question(self, peer);
            });
  });
  next_question(self, peer);
  return promise;
}

} // namespace

SessionActor::behavior_type session(Self self, WorldPtr world, SessionPeer given) {
  auto peer = std::make_shared<const SessionPeer>(std::move(given));
  self->state.number = world->next_session++;
  return {
      [=](atom::inspect) {
        const auto& s = self->state;
        JsonWriter out;
        out.object()
            .field("peer", label_of(*peer))
            .field("address", peer->address)
            .field("version", s.version);
        out.field("welcomed", s.welcomed).field("batches", s.batches);
        out.field("batches_under_way", std::uint64_t(s.flying_batches));
        out.field("bytes_under_way", std::uint64_t(s.flying_bytes)).field("pushes", s.pushes);
        out.field("pushes_refused", s.pushes_refused)
            .field("pushes_waiting", std::uint64_t(s.waiting.size()));
        if (const auto clock = s.clock.best())
          out.field("clock_off_ms", clock->offset / millisecond)
              .field("clock_round_trip_ms", clock->round_trip / millisecond);
        out.field("clock_samples", std::uint64_t(s.clock.size()))
            .field("protocol_minor", std::uint64_t(s.minor));
        return make_ref(InspectAnswer{out.end_object().take()});
      },
      [=](const wire::Hello& hello) { return take_hello(self, world, peer, hello); },
      [=](const wire::Batch& batch) { return take_batch(self, world, peer, batch); },
      [=](const wire::Query& query) { return take_query(self, world, peer, query); },
      [=](const Ref<PushOut>& push) {
        auto& s = self->state;
        auto name = (push->kind == PushOut::Kind::baseline ? "b" : "i") + push->name;
        if (s.waiting.size() >= waiting_limit && s.waiting.count(name) == 0)
          return peer->close("too many documents wait for it");
        auto& slot = s.waiting[name];
        if (slot.version < push->version || push->kind == PushOut::Kind::indicators) slot = *push;
        push_next(self, world, peer);
      },
      [=](const Ref<QueryRequest>& query) { return ask_gateway(self, peer, query); },
      [=](atom::wake) {
        if (peer->identity.role != Role::operator_) return sample_clock(self, world);
        self->state.looking = false;
        next_question(self, peer);
      },
      [=](atom::down, const std::string& why) {
        auto& s = self->state;
        if (s.aggregator) self->send(s.aggregator, atom::down_v, s.number);
        if (s.welcomed) {
          spdlog::info("{} at {} is gone: {}", label_of(*peer), peer->address, why);
          notify_frontdesk(self, world, peer, false);
        }
        if (s.refused) peer->close(why);
        self->quit();
      },
  };
}

} // namespace iris
