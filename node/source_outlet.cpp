#include "node/source_outlet.hpp"

#include "actors/supervisor.hpp"
#include "node/messages.hpp"
#include "node/source_actor.hpp"
#include "node/sources/node_clock.hpp"

#include <caf/scoped_actor.hpp>

namespace iris {

void SourceOutlet::health(SensorHealth report) const {
  to_router(HealthBatch{{std::move(report)}, node_clock().now()});
}

std::vector<std::shared_ptr<PacketTap>> SourceOutlet::taps(const std::string& interface) const {
  if (!world_.taps) return {};
  return world_.taps(interface);
}

Slot<SourceActor> SourceOutlet::stand_in(const std::string& kind, const std::string& name,
                                         std::function<std::string()> describe) const {
  Slot<SourceActor> slot;
  auto* system = world_.system;
  auto* directory = world_.directory;
  supervise<SourceActor>(
      world_.supervisor, kind + (name.empty() ? "" : " " + name),
      [=] {
        return spawn_in<SourceActor, SourceActorState>(*system, *directory, {.kind = kind, .name = name},
                                                       source_actor, describe);
      },
      slot);
  return slot;
}

void SourceOutlet::end(const std::vector<Slot<SourceActor>>& stand_ins) const {
  caf::scoped_actor self{*world_.system};
  for (const auto& slot : stand_ins)
    if (auto handle = slot.get()) {
      caf::anon_send_exit(handle, caf::exit_reason::user_shutdown);
      self->wait_for(handle);
    }
}

} // namespace iris
