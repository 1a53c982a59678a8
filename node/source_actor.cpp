#include "node/source_actor.hpp"

#include "actors/query.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace iris {

SourceActor::behavior_type source_actor(SourceActor::stateful_pointer<SourceActorState>,
                                        std::function<std::string()> describe) {
  return {
      [describe = std::move(describe)](atom::inspect) { return make_ref(InspectAnswer{describe()}); },
  };
}

} // namespace iris
