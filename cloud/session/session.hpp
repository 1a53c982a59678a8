#pragma once
#include "cloud/messages.hpp"
#include "cloud/world.hpp"
#include "core/link/clock_filter.hpp"

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <memory>

namespace iris {

/// Whom a session is for. The identity comes from the certificate and is all that is believed.
struct SessionPeer {
  std::uint64_t connection = 0;
  Identity identity;
  std::string address;
  std::function<void(std::string why)> close;               ///< ends the connection; from any thread
  std::shared_ptr<const std::atomic<std::size_t>> buffered; ///< bytes that wait for it; null: unknown
};

struct SessionState {
  static inline const char* name = "session";
  std::uint64_t number = 0;
  bool welcomed = false, refused = false;
  unsigned hellos = 0;
  std::uint16_t minor = 0; ///< of the protocol that the peer speaks
  std::string version;
  AggregatorActor aggregator;
  UplinkActor uplink; ///< the gateway's end
  std::size_t flying_batches = 0, flying_bytes = 0, queries = 0;
  std::map<std::string, PushOut> waiting; ///< newest document of each name
  bool pushing = false;
  std::deque<std::function<void()>> questions; ///< that wait until earlier answers have gone out
  bool looking = false;                        ///< a look at `questions` is under way
  ClockFilter clock;                           ///< of the gateway
  std::uint64_t clock_asked = 0;
  std::uint64_t batches = 0, pushes = 0, pushes_refused = 0;
};

/// One per connection; the only actor that the peer can address. Speaks for a gateway with its aggregator,
/// and for an operator with the front desk.
SessionActor::behavior_type session(SessionActor::stateful_pointer<SessionState> self, WorldPtr world,
                                    SessionPeer peer);

} // namespace iris
