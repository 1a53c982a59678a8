#pragma once
#include "actors/directory.hpp"
#include "actors/interfaces.hpp"
#include "actors/slot.hpp"

#include <caf/send.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace iris {

/// A child to look after. `start` makes a new life from persisted state; `publish` puts it, or an empty
/// pointer while the child is down, where others find it.
struct Supervise {
  std::string name; ///< for people: "spool", "trainer edgex-core-data"
  std::function<caf::strong_actor_ptr()> start;
  std::function<void(const caf::strong_actor_ptr&)> publish;
  caf::strong_actor_ptr first; ///< the life that is there already
};

/// A child that crashes again and again.
struct CrashReport {
  std::string name, last_error;
  std::uint32_t crashes = 0; ///< in a row, without a quiet minute between them
  std::uint64_t actor = 0;   ///< id of the life that ended
  std::chrono::milliseconds retry_in{0};
};

struct SupervisorOptions {
  std::chrono::milliseconds first_backoff{100};
  std::chrono::milliseconds last_backoff{30'000}; ///< doubled from crash to crash up to this
  std::chrono::seconds quiet{60};                 ///< a life of this length starts the count anew
  std::chrono::milliseconds grace{5'000};         ///< of an orderly end, for all children together
  std::uint32_t report_from = 3;                  ///< crashes in a row
  std::size_t limit = 65'536;                     ///< children; more are refused and counted
  /// Called in the supervisor's own context; must not block.
  std::function<void(const CrashReport&)> on_trouble;
};

struct SupervisorState;
[[nodiscard]] SupervisorActor spawn_supervisor(caf::actor_system& system, Directory& directory,
                                               SupervisorOptions options);

/// Starts a child at once, in the caller's context, fills the slot, and has it looked after. An exception of
/// the first start is the caller's: a program that cannot start says so instead of trying for ever.
template <class Handle>
Handle supervise(const SupervisorActor& supervisor, std::string name, std::function<Handle()> factory,
                 Slot<Handle> slot) {
  Handle first = factory();
  slot.set(first);
  Supervise child;
  child.name = std::move(name);
  child.start = [factory = std::move(factory)] { return caf::actor_cast<caf::strong_actor_ptr>(factory()); };
  child.publish = [slot](const caf::strong_actor_ptr& life) mutable {
    slot.set(life ? caf::actor_cast<Handle>(life) : Handle{});
  };
  child.first = caf::actor_cast<caf::strong_actor_ptr>(first);
  caf::anon_send(supervisor, make_ref(std::move(child)));
  return first;
}

/// Ends all children, the youngest first, then the supervisor; false when the grace period was not enough and
/// the rest was killed. Blocks; not to be called by an actor.
bool shut_down(caf::actor_system& system, const SupervisorActor& supervisor,
               std::chrono::milliseconds at_most);

} // namespace iris
