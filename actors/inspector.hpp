#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"

namespace iris {

/// Answers "actors" (one object an actor) and "actor ID" (its record, its last messages and what it says
/// about itself; ID is the number, `kind`, or `kind/name`). The objects are described in docs/shell.md.
[[nodiscard]] InspectorActor spawn_inspector(caf::actor_system& system, Directory& directory,
                                             std::uint64_t parent = 0);

} // namespace iris
