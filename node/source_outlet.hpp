#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"
#include "actors/slot.hpp"
#include "actors/spawn.hpp"
#include "core/base/observation.hpp"

#include <caf/send.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace iris {

class PacketTap;

struct SourceHubWorld {
  caf::actor_system* system = nullptr;
  Directory* directory = nullptr;
  SupervisorActor supervisor;
  Slot<RouterActor> router;
  /// What sees every frame of a capture beside the sources, by interface; none for nothing.
  std::function<std::vector<std::shared_ptr<PacketTap>>(const std::string& interface)> taps;
  int snapshot = 0; ///< bytes of each frame that the taps need; 0: as few as the sources
};

/// What all sources share: the way of what they see to the router, and stand-ins in the directory. Its
/// members may be called from any thread.
class SourceOutlet {
public:
  explicit SourceOutlet(SourceHubWorld world) : world_{std::move(world)} {}

  template <class Batch>
  void to_router(Batch batch) const {
    auto message = make_ref(std::move(batch));
    world_.router.with([&](const RouterActor& router) { caf::anon_send(router, message); });
  }
  void health(SensorHealth report) const;
  [[nodiscard]] std::vector<std::shared_ptr<PacketTap>> taps(const std::string& interface) const;
  [[nodiscard]] int snapshot() const { return world_.snapshot; }

  /// A supervised actor that answers for a source. @param describe as in source_actor.hpp
  [[nodiscard]] Slot<SourceActor> stand_in(const std::string& kind, const std::string& name,
                                           std::function<std::string()> describe) const;
  /// Ends stand-ins and waits for it: their answers look into the sources.
  void end(const std::vector<Slot<SourceActor>>& stand_ins) const;

private:
  SourceHubWorld world_;
};

} // namespace iris
