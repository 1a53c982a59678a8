#pragma once
#include "cloud/messages.hpp"
#include "cloud/world.hpp"

#include <map>
#include <set>
#include <string>

namespace iris {

struct AlertManagerState {
  static inline const char* name = "alert_manager";
  static constexpr std::size_t index_limit = 200'000; ///< alerts; the oldest leave the index, not the store
  struct Entry {
    std::string tenant, gateway;
    Timestamp last = 0;
    std::uint32_t revision = 0;
  };
  std::map<std::string, Entry> by_id;
  std::set<std::pair<Timestamp, std::string>> by_time;
  std::uint64_t forgotten = 0;
};

/// Knows where every alert of the shard is. Lists and shows them within the asker's tenant and sends commands
/// to the aggregator that owns the alert. Arguments of "alerts": state=open, gateway=ID, detector=ID,
/// severity=LEAST, limit=N (default 100, at most 1000); newest first.
AlertManagerActor::behavior_type alert_manager(AlertManagerActor::stateful_pointer<AlertManagerState> self,
                                               WorldPtr world);

} // namespace iris
