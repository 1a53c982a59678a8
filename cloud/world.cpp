#include "cloud/world.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "cloud/aggregator/aggregator.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/trainer/trainer_actor.hpp"

namespace iris {

std::string cell_key(const std::string& tenant, const std::string& name) { return tenant + "/" + name; }

AggregatorActor aggregator_of(const WorldPtr& world, const std::string& tenant, const std::string& gateway) {
  auto key = cell_key(tenant, gateway);
  return world->aggregators.get(key, [&](const Slot<AggregatorActor>& slot) {
    std::function<AggregatorActor()> make = [world, tenant, gateway, key] {
      // What a gateway has under way is bounded by its credit.
      ActorMeta meta{"aggregator", key, world->supervisor->id(), 100'000, MailboxPolicy::drop_newest};
      return spawn_in<AggregatorActor, AggregatorState>(*world->system, *world->directory, meta, aggregator,
                                                        world, tenant, gateway);
    };
    supervise(world->supervisor, "aggregator " + key, make, slot);
  });
}

TrainerActor trainer_of(const WorldPtr& world, const std::string& tenant, const std::string& profile) {
  auto key = cell_key(tenant, profile);
  return world->trainers.get(key, [&](const Slot<TrainerActor>& slot) {
    std::function<TrainerActor()> make = [world, tenant, profile, key] {
      ActorMeta meta{"trainer", key, world->supervisor->id(), 100'000, MailboxPolicy::drop_newest};
      return spawn_in<TrainerActor, TrainerState>(*world->system, *world->directory, meta, trainer, world,
                                                  tenant, profile);
    };
    supervise(world->supervisor, "trainer " + key, make, slot);
  });
}

Result<void> load_outbox(CloudWorld& world) {
  std::uint64_t next = 1;
  for (auto& sink : world.sinks) {
    const auto prefix = KeyBuilder{}.text(sink.name).str();
    std::uint64_t count = 0;
    auto scanned = world.store->scan(Table::outbox, prefix, [&](std::string_view key, std::string_view) {
      ++count;
      next = std::max(next, KeyReader{key.substr(prefix.size())}.u64() + 1);
      return true;
    });
    if (!scanned) return scanned.error();
    *sink.waiting = count;
  }
  world.next_outbox = next;
  return {};
}

void add_audit(CloudWorld& world, StoreWrite& write, const std::string& tenant, const std::string& by,
               const std::string& what, const std::string& target, const std::string& detail) {
  write.put(Table::audit, audit_key(tenant, world.now(), world.next_audit++),
            encode(AuditRow{by, what, target, detail}));
}

} // namespace iris
