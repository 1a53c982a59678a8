#pragma once
#include "actors/instrumented_actor.hpp"

#include <tuple>

namespace iris {

/// Spawns an actor and enters it into the directory; the only way in which Iris spawns one.
///
///   auto spool = spawn_in<SpoolActor, SpoolState>(system, directory, {.kind = "spool"}, spool_actor,
///   config); auto packet = spawn_in<PacketActor, PacketState, caf::detached>(…);
///
/// `fun(self, args...)` is a free function of `typename Interface::template stateful_pointer<State>` that
/// returns `typename Interface::behavior_type`. `args` are copied or moved into the actor and handed over
/// when it starts; what must stay a reference is given as
/// std::ref. An exception in `fun` ends the actor like one in a handler. Inside of an actor pass
/// `self->home_system()`, and `self->id()` as parent.
template <class Interface, class State, caf::spawn_options Os = caf::no_spawn_options, class Fun,
          class... Args>
Interface spawn_in(caf::actor_system& system, Directory& directory, ActorMeta meta, Fun fun, Args&&... args) {
  using Base = typename Interface::base;
  using Actor = InstrumentedActor<State, Base>;
  caf::actor_config config;
  config.init_fun = caf::actor_config::init_fun_type{caf::actor_config::init_fun_type::make_wrapper(
      [fun = std::move(fun),
       args = std::make_tuple(std::forward<Args>(args)...)](caf::local_actor* self) mutable -> caf::behavior {
        auto* actor = static_cast<Actor*>(self);
        try {
          auto behavior = std::apply(
              [&](auto&&... xs) {
                return fun(static_cast<typename Interface::template stateful_pointer<State>>(actor),
                           std::forward<decltype(xs)>(xs)...);
              },
              std::move(args));
          return std::move(behavior.unbox());
        } catch (...) {
          actor->record().last_error.store(current_exception_text());
          throw;
        }
      })};
  return system.spawn_impl<Actor, Os>(config, directory, std::move(meta));
}

} // namespace iris
