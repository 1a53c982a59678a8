#pragma once
#include "cloud/messages.hpp"
#include "cloud/world.hpp"

#include <functional>
#include <map>

namespace iris {

/// Whom a session is for. The identity comes from the certificate and is all that is believed.
struct SessionPeer {
  std::uint64_t connection = 0;
  Identity identity;
  std::string address;
  std::function<void(std::string why)> close; ///< ends the connection; from any thread
};

struct SessionState {
  static inline const char* name = "session";
  std::uint64_t number = 0;
  bool welcomed = false, refused = false;
  unsigned hellos = 0;
  std::string version;
  AggregatorActor aggregator;
  UplinkActor uplink; ///< the gateway's end
  std::size_t flying_batches = 0, flying_bytes = 0, queries = 0;
  std::map<std::string, PushOut> waiting; ///< newest document of each name
  bool pushing = false;
  std::uint64_t batches = 0, pushes = 0, pushes_refused = 0;
};

/// One per connection; the only actor that the peer can address. Speaks for a gateway with its aggregator,
/// and for an operator with the front desk.
SessionActor::behavior_type session(SessionActor::stateful_pointer<SessionState> self, WorldPtr world,
                                    SessionPeer peer);

} // namespace iris
