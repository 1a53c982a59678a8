#pragma once
#include "actors/query.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "cloud/alerts/alert_manager.hpp"
#include "cloud/frontdesk/frontdesk.hpp"
#include "cloud/messages.hpp"
#include "cloud/session/session.hpp"
#include "cloud/store_actor.hpp"
#include "cloud/world.hpp"
#include "tests/fixtures/deterministic.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <deque>

namespace iris::test {

inline constexpr Timestamp noon = 1'764'000'000 * second;

/// What a gateway's uplink in a test heard; it says hello to the session it is given and takes every push.
struct FakeGateway {
  std::vector<wire::Welcome> welcomes;
  std::vector<wire::Push> pushes;
  std::vector<wire::Query> questions;
  bool silent = false; ///< answers no question
};
struct FakeUplinkState {};
UplinkActor::behavior_type fake_uplink(UplinkActor::stateful_pointer<FakeUplinkState> self,
                                       std::shared_ptr<FakeGateway> heard);

/// A whole cloud without link, threads or time of its own. Its database outlives it in `dir`.
struct Cloud : Deterministic {
  const TempDir& dir;
  WorldPtr world = std::make_shared<CloudWorld>();
  Timestamp clock = noon;
  bool writes_fail = false; ///< from now on the store says no
  bool writes_hang =
      false; ///< written, but the answer never comes: a crash between write and acknowledgement

  bool writes_wait = false; ///< the store stalls, until land_writes()

  explicit Cloud(const TempDir& place, std::vector<std::string> sinks = {"hook"});
  ~Cloud();

  AggregatorActor aggregator(const std::string& gateway = "gw-1", const std::string& tenant = "acme") {
    auto handle = aggregator_of(world, tenant, gateway);
    settle();
    return handle;
  }
  SessionTerms hello(const AggregatorActor& who, std::uint64_t epoch, std::uint64_t last = 0,
                     std::uint64_t number = 1, SessionActor session = {});
  /// -1 for an error.
  std::int64_t send(const AggregatorActor& who, std::uint64_t epoch, std::uint64_t seq,
                    std::vector<char> bytes, std::uint8_t lane = 0);
  QueryAnswer query(std::string verb, std::vector<std::string> arguments = {}, std::string tenant = "*",
                    bool admin = true);
  SessionActor open_session(Role role, const std::string& tenant, const std::string& name,
                            std::vector<std::string>& closed, bool admin = false);
  std::vector<Alert> stored_alerts();
  std::size_t rows(Table table);
  /// What the store kept waiting goes to disk, in order; the first of it perhaps fails.
  void land_writes(bool first_fails = false);
};

/// One batch with a finding a cause.
std::vector<char> findings(const std::vector<std::string>& causes,
                           const std::string& service = "edgex-mongo");
std::vector<char> batch_of(const std::vector<Finding>& findings,
                           const std::vector<std::vector<char>>& deltas = {});
Finding finding(const std::string& cause, const std::string& service = "edgex-mongo");

/// bytes of link.capnp Hello.
std::vector<char> hello_bytes(std::uint16_t major, std::uint16_t minor, std::uint64_t epoch = 0);
struct WelcomeSeen {
  std::string refusal, tenant;
  std::uint64_t epoch = 0, credit_batches = 0;
  std::array<std::uint64_t, 2> applied{};
};
WelcomeSeen read_welcome(const std::vector<char>& bytes);

} // namespace iris::test
