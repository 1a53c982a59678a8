#pragma once
#include "actors/atoms.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

namespace iris {

/// How an Iris program sets up its actor system. CAF's own files, flags and environment are not read.
struct ActorConfig : caf::actor_system_config {
  struct Options {
    bool remote = false;        ///< load the middleman; the link needs it, replay and tests do not
    bool deterministic = false; ///< the testing scheduler: nothing runs until a test says so
    std::size_t threads = 2;
  };
  ActorConfig();
  explicit ActorConfig(const Options& options);
};

/// Takes CAF's own servants out of the registry, where any peer could name them. Call it once, right after
/// the actor system was made.
void close_registry(caf::actor_system& system);

} // namespace iris
