#pragma once
#include "actors/interfaces.hpp"
#include "cloud/store/store.hpp"
#include "core/alert/alert.hpp"
#include "core/learn/baseline.hpp"
#include "core/link/epoch_taken.hpp"
#include "core/link/identity.hpp"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <vector>

/// What the cloud's actors pass to each other by Ref. Nothing here leaves the process.
namespace iris {

/// A gateway's Hello, decoded and checked, with the session that it came over.
struct SessionStart {
  struct Lane {
    std::uint64_t first = 0, last = 0; ///< oldest unacknowledged and newest seq in the spool; 0 for none
  };
  std::uint64_t number = 0; ///< of the session; grows
  SessionActor session;
  std::string version, site;
  std::uint64_t epoch = 0;
  std::array<Lane, 2> lanes{};
  std::map<std::string, std::uint64_t> baselines; ///< profile -> version the gateway holds
  std::uint64_t intelligence = 0;                 ///< version it holds
  Timestamp clock = 0;                            ///< the gateway's wall clock at Hello
  bool seals = false;                             ///< it seals its batches
};

/// What the gateway may go on from.
struct SessionTerms {
  std::string refusal; ///< empty: welcome
  std::uint64_t epoch = 0;
  std::array<std::uint64_t, 2> applied{};
  std::string site;
  std::string chain_key;            ///< with a new epoch
  std::optional<EpochTaken> before; ///< with a new epoch: what we have of an earlier one, where we know it
};

struct BatchIn {
  std::uint64_t session = 0;
  std::uint64_t epoch = 0;
  std::uint8_t lane = 0;
  std::uint64_t seq = 0;
  std::vector<char> bytes; ///< link.capnp Batch
};

/// A document for a gateway; a newer one of the same name replaces one that waits.
struct PushOut {
  enum class Kind : std::uint8_t { baseline, indicators } kind{};
  std::string name; ///< profile of a baseline
  std::uint64_t version = 0;
  std::shared_ptr<const std::vector<char>> bytes;
};

/// A session came or went.
struct SessionNotice {
  bool up = false;
  std::uint64_t number = 0;
  Identity identity;
  std::string address, version;
  Timestamp since = 0;
  SessionActor session;
};

struct AlertCommand {
  std::string id;
  AlertState state{};
  std::string asked_by;
};

/// The guard closed a connection of this gateway.
struct PeerViolation {
  std::string kind;   ///< "violation destination", "clone", …; one alert each
  std::string reason; ///< of the last one, with its details
  std::uint64_t count = 1;
  Timestamp at = 0;
};

/// A gateway's clock against ours, as its session measured it.
struct ClockReading {
  std::uint64_t session = 0;
  Duration offset = 0; ///< the gateway's minus ours
  Duration round_trip = 0;
};

/// New evidence of one gateway about one profile is durable.
struct DeltaIn {
  std::string gateway;
};

/// Alerts as they are now in the store.
struct AlertChanges {
  std::vector<Alert> alerts;
  std::vector<std::string> deleted; ///< ids, to make room
};

/// A candidate of the trainer, or why there is none.
struct Trained {
  std::shared_ptr<const Baseline> candidate; ///< null: nothing new, or an error
  std::vector<std::string> gateways;         ///< that showed the profile
  std::string error;
  bool changed = false; ///< says something that the published one does not
};

/// How a try of a sink's thread ended.
struct SinkResult {
  std::uint64_t attempt = 0;
  std::vector<std::string> delivered; ///< keys of outbox rows
  std::string error;                  ///< of the row after them; empty when all were delivered
  std::string refused;                ///< key of that row where the sink said that it never will take it
};

} // namespace iris
