#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"

#include <functional>
#include <map>
#include <string>

namespace iris {

struct QueryAnswer;
struct QueryRequest;
/// What else the process can tell, by verb; answered at once in the inspector, so within a tenth of a second.
using InspectorVerbs = std::map<std::string, std::function<QueryAnswer(const QueryRequest&)>>;

/// Answers "actors" (one object an actor) and "actor ID" (its record, its last messages and what it says
/// about itself; ID is the number, `kind`, or `kind/name`). The objects are described in docs/shell.md.
[[nodiscard]] InspectorActor spawn_inspector(caf::actor_system& system, Directory& directory,
                                             std::uint64_t parent = 0, InspectorVerbs verbs = {});

} // namespace iris
