#pragma once
#include "actors/interfaces.hpp"
#include "actors/query.hpp"
#include "actors/spawn.hpp"

#include <stdexcept>

namespace iris::test {

/// An actor whose behaviour a message chooses.
struct ProbeState {
  int seen = 0;
};

inline InspectorActor::behavior_type probe_actor(InspectorActor::stateful_pointer<ProbeState> self) {
  set_state(self, "ready");
  return {
      [self](atom::inspect) {
        return make_ref(InspectAnswer{"{\"seen\":" + std::to_string(self->state.seen) + "}"});
      },
      [self](const Ref<QueryRequest>& query) {
        if (query->verb == "throw") throw std::runtime_error{query->arguments.at(0)};
        if (query->verb == "quit") self->quit();
        if (query->verb == "fail") self->quit(caf::make_error(caf::sec::invalid_argument));
        ++self->state.seen;
        return make_ref(QueryAnswer{0, query->verb, {}, false});
      },
  };
}

inline QueryRequest question(std::string verb, std::vector<std::string> arguments = {}) {
  QueryRequest request;
  request.verb = std::move(verb);
  request.arguments = std::move(arguments);
  return request;
}

inline ActorMeta meta(std::string name, std::uint32_t bound = 100'000) {
  ActorMeta result;
  result.kind = "probe";
  result.name = std::move(name);
  result.bound = bound;
  return result;
}

inline InspectorActor spawn_probe(caf::actor_system& system, Directory& directory, std::string name,
                                  std::uint32_t bound = 100'000) {
  return spawn_in<InspectorActor, ProbeState>(system, directory, meta(std::move(name), bound), probe_actor);
}

} // namespace iris::test
