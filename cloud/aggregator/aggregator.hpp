#pragma once
#include "cloud/aggregator/ledger.hpp"
#include "cloud/world.hpp"

#include <caf/typed_response_promise.hpp>

#include <array>
#include <deque>
#include <memory>

namespace iris {

struct AggregatorState {
  static inline const char* name = "aggregator";
  /// A batch that was applied in memory already when it came again; answered when it is durable.
  struct Waiter {
    std::uint8_t lane;
    std::uint64_t seq;
    caf::typed_response_promise<wire::Ack> promise;
  };
  std::unique_ptr<GatewayLedger> ledger;
  std::string tenant, gateway;
  std::array<std::uint64_t, 2> durable{}; ///< of the current epoch
  SessionActor session;
  std::uint64_t session_number = 0;
  std::map<std::string, std::uint64_t> held; ///< profile -> baseline version the gateway has or is being sent
  std::uint64_t intelligence = 0;
  std::deque<Waiter> waiters;        ///< of the present session, bounded by its credit
  std::shared_ptr<WriteChain> chain; ///< of what is written
  std::size_t writing = 0;           ///< writes under way
  Timestamp idle_since = 0;
};

/// One gateway: applies its batches exactly once and owns its alerts. Made when it is first needed, goes home
/// when it had no session for long.
AggregatorActor::behavior_type aggregator(AggregatorActor::stateful_pointer<AggregatorState> self,
                                          WorldPtr world, std::string tenant, std::string gateway);

} // namespace iris
