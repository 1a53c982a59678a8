#pragma once
#include "cloud/world.hpp"

namespace iris {

struct IntelligenceState {
  static inline const char* name = "intelligence";
  std::string loaded, seen; ///< stamps of the files
  std::uint64_t loads = 0;
  std::vector<std::string> problems; ///< of the last load
};

/// Loads the lists and address databases, looks every second whether a file has changed, and tells the
/// aggregators of connected gateways. Spawned detached, since it reads files.
IntelligenceActor::behavior_type
intelligence_actor(IntelligenceActor::stateful_pointer<IntelligenceState> self, WorldPtr world,
                   IntelligenceFiles files);

} // namespace iris
