#pragma once
#include "actors/interfaces.hpp"
#include "cloud/world.hpp"

#include <caf/typed_response_promise.hpp>

#include <vector>

namespace iris {

struct StoreState {
  static inline const char* name = "store";
  std::vector<Ref<StoreWrite>> writes;
  std::vector<caf::typed_response_promise<atom::ok>> promises;
  bool scheduled = false;
  std::uint64_t commits = 0, writes_total = 0, failures = 0;
  std::size_t largest = 0; ///< writes in one commit
};

/// Writes that arrive while one commit syncs wait in the mailbox and go to disk together with the next: the
/// busier, the larger the commits. Spawned detached, since a sync blocks.
StoreActor::behavior_type store_actor(StoreActor::stateful_pointer<StoreState> self, WorldPtr world);

} // namespace iris
