#include "actors/actor_config.hpp"

#include <caf/actor_registry.hpp>
#include <caf/io/middleman.hpp>

namespace iris {

ActorConfig::ActorConfig() : ActorConfig{Options{}} {
  // nop
}

ActorConfig::ActorConfig(const Options& options) {
  add_message_types<caf::id_block::iris>();
  // Work stealing polls: 100 timers a second cost it a quarter of a core, work sharing 0.4 %.
  set("scheduler.policy", caf::atom(options.deterministic ? "testing" : "sharing"));
  set("scheduler.max-threads", options.threads);
  set("scheduler.max-throughput", std::size_t{50});
  if (options.deterministic) set("logger.inline-output", true);
  if (options.remote) {
    load<caf::io::middleman>();
    // The link makes and eats heartbeats itself (docs/link.md). CAF's would kill connections in their
    // handshake, and then every idle one, since it hears none of ours.
    set("middleman.heartbeat-interval", caf::timespan{0});
    set("middleman.connection-timeout", caf::timespan{0});
    set("middleman.enable-automatic-connections", false);
    set("middleman.workers", std::size_t{1});
  }
}

void close_registry(caf::actor_system& system) {
  system.registry().erase(caf::atom("SpawnServ"));
  system.registry().erase(caf::atom("ConfigServ"));
}

} // namespace iris
