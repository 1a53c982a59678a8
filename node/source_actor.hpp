#pragma once
#include "actors/interfaces.hpp"

#include <functional>
#include <string>

namespace iris {

struct SourceActorState {
  static inline const char* name = "source";
};

/// Stands for a source, which has a thread of its own, where people look for actors: answers what it is
/// doing.
/// @param describe one JSON object; called in the actor's context, must not block
SourceActor::behavior_type source_actor(SourceActor::stateful_pointer<SourceActorState> self,
                                        std::function<std::string()> describe);

} // namespace iris
