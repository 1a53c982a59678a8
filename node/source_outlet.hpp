#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"
#include "actors/slot.hpp"
#include "actors/spawn.hpp"
#include "core/base/observation.hpp"

#include <caf/send.hpp>

#include <functional>
#include <string>
#include <utility>

namespace iris {

struct SourceHubWorld {
  caf::actor_system* system = nullptr;
  Directory* directory = nullptr;
  SupervisorActor supervisor;
  Slot<RouterActor> router;
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

  /// A supervised actor that answers for a source. @param describe as in source_actor.hpp
  [[nodiscard]] Slot<SourceActor> stand_in(const std::string& kind, const std::string& name,
                                           std::function<std::string()> describe) const;
  /// Ends stand-ins and waits for it: their answers look into the sources.
  void end(const std::vector<Slot<SourceActor>>& stand_ins) const;

private:
  SourceHubWorld world_;
};

} // namespace iris
