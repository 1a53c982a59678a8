#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"
#include "actors/slot.hpp"
#include "node/collector_actor.hpp"
#include "node/router/routing.hpp"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

namespace iris {

class EvidenceRing;
class Recorder;

/// What the cloud and the sources said last; outlives the router, for a life that starts after a crash. Only
/// the router that lives touches it.
struct RouterMemory {
  std::map<std::string, BaselinePtr> baselines; ///< by profile
  std::shared_ptr<const IndicatorSet> indicators;
  std::shared_ptr<const LinkTerms> terms;
  // What the sources said, who tell it again only when it changes:
  std::map<std::string, ContainerFacts> containers; ///< by id
  std::shared_ptr<const DeviceList> devices;
  std::shared_ptr<const HostAddresses> addresses;
};

struct RouterWorld {
  std::string gateway;
  Directory* directory = nullptr;
  SupervisorActor supervisor;
  Slot<SpoolActor> spool;
  std::shared_ptr<LossLedger> losses;
  std::function<Timestamp()> now;
  /// What makes a time of this gateway the wall's, as of now (ClockLine::shift); none: the same. All in here
  /// runs on a time that never jumps; what leaves is in wall time.
  std::function<Duration()> wall_shift;
  std::size_t pair_limit = 256;
  std::vector<Cidr> local;
  std::shared_ptr<RouterMemory> memory;
  std::string version;                    ///< of the program, for a recording
  std::shared_ptr<Recorder> recorder;     ///< null: nothing is recorded
  std::shared_ptr<EvidenceRing> evidence; ///< null: none is kept
  std::shared_ptr<TableBudget> budget = std::make_shared<TableBudget>(PairLimits::all_pairs);
  std::shared_ptr<TableBudget> waiting =
      std::make_shared<TableBudget>(waiting_limit);    ///< sent to pairs, not done
  static constexpr std::size_t waiting_limit = 50'000; ///< observations
  Duration idle_device = 600 * second; ///< a pair of a device that is quiet for so long is retired
  Duration quiet_device = 30 * second; ///< where there is no room, one that is quiet for so long gives way
  Duration gone_service = 60 * second; ///< the same for a container that is gone
};

/// A pair of collector and scorer, supervised, for one service profile or device.
struct RouterPair {
  std::shared_ptr<PairWorld> world;
  Slot<CollectorActor> collector;
  Slot<ScorerActor> scorer;
  Timestamp last_seen = 0;
  EntityPtr latest; ///< who was seen then: the container of a profile changes when it is made anew
};

struct RouterState {
  static inline const char* name = "router";
  Routing routing;
  std::unordered_map<std::string, RouterPair> pairs; ///< by profile
  std::uint64_t observations = 0, without_pair = 0, retired = 0;
  std::uint64_t overflow = 0, overflow_told = 0; ///< observations of pairs that did not keep up
  /// Devices that get a pair in one second beyond the first pairs, since each costs two actors.
  static constexpr std::uint32_t new_devices_limit = 16, few_pairs = 64;
  std::uint32_t new_devices = 0;
};

RouterActor::behavior_type router_actor(RouterActor::stateful_pointer<RouterState> self,
                                        std::shared_ptr<const RouterWorld> world);

} // namespace iris
