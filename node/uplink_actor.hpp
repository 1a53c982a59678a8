#pragma once
#include "actors/interfaces.hpp"
#include "actors/terms.hpp"
#include "node/uplink/session_messages.hpp"

#include <array>
#include <functional>
#include <map>
#include <string>

namespace iris {

/// What the uplink needs of the rest of the gateway. Handles are asked for at every use, so that they survive
/// a restart of the actor behind them.
struct UplinkWorld {
  std::function<SpoolActor()> spool;
  std::function<InspectorActor()> inspector;
  std::function<RouterActor()> router;
  std::function<Timestamp()> now;
  /// Closes the connection; the pump connects again, `later` when asking again soon gains nothing.
  std::function<void(const std::string& reason, bool later)> give_up;
  std::function<void(const LinkTerms&)> terms_changed;
  std::string version, site;
  std::string baseline_key; ///< from the first session ever; empty before that
  std::uint64_t instance = 0;
};

struct UplinkState {
  static inline const char* name = "uplink";
  UplinkState() = default; // no aggregate: CAF would hand `self` to the first member
  struct LaneSend {
    std::uint64_t sent = 0, acked = 0;
    bool reading = false;
  };
  SessionActor session;
  std::uint64_t generation = 0; ///< answers of an earlier connection are ignored
  bool welcomed = false;
  std::uint64_t epoch = 0;
  std::array<LaneSend, lane_count> lanes;
  std::uint32_t credit_batches = 1, credit_bytes = 1 << 20;
  std::size_t flying_batches = 0, flying_bytes = 0;
  std::map<std::string, std::uint64_t> baselines; ///< profile -> version held
  std::uint64_t intelligence = 0;
  LinkTerms terms;
  std::string baseline_key; ///< the one that baselines must be signed with
  std::uint64_t batches_sent = 0, batches_acked = 0, resends = 0, pushes = 0, pushes_refused = 0;
  std::string last_error;
};

/// The gateway's side of a session: says Hello, sends what the spool holds within the cloud's credit,
/// findings before counts, and takes what the cloud pushes. `held` are the baselines and indicators that were
/// on disk at the start.
UplinkActor::behavior_type uplink_actor(UplinkActor::stateful_pointer<UplinkState> self, UplinkWorld world,
                                        std::map<std::string, std::uint64_t> held,
                                        std::uint64_t intelligence);

} // namespace iris
