#include "cloud/session/session_clock.hpp"
#include "actors/instrumented_actor.hpp"
#include "cloud/session/session_codec.hpp"

namespace iris {
namespace {

using Self = SessionActor::stateful_pointer<SessionState>;
using namespace std::chrono_literals;

constexpr auto answer_deadline = 30s;
constexpr std::chrono::seconds in_burst{1}, usual{64};

void plan_next(Self self) {
  const bool burst = self->state.clock_asked < ClockFilter::stages;
  self->delayed_send(self, burst ? in_burst : usual, atom::wake_v);
}

} // namespace

void sample_clock(Self self, const WorldPtr& world) {
  auto& s = self->state;
  ++s.clock_asked;
  const auto sent = world->now();
  self->request(s.uplink, answer_deadline, wire::Push{encode_clock_question()})
      .then(
          [=](const wire::PushAck& message) {
            auto& now = self->state;
            auto answer = decode_push_ack(message.bytes);
            if (answer && now.clock.add(sent, answer->clock, world->now())) {
              const auto best = *now.clock.best();
              self->send(now.aggregator, make_ref(ClockReading{now.number, best.offset, best.round_trip}));
            }
            plan_next(self);
          },
          // The link's heartbeats see to a peer that is gone.
          [=](const caf::error&) { plan_next(self); });
}

} // namespace iris
