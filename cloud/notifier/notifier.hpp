#pragma once
#include "cloud/notify/sink_thread.hpp"
#include "cloud/world.hpp"

#include <functional>
#include <string>

namespace iris {

struct NotifierState {
  static inline const char* name = "notifier";
  std::size_t sink = 0; ///< index in CloudWorld::sinks
  std::uint64_t attempt = 0;
  bool busy = false;
  Timestamp retry_at = 0;                   ///< nothing is tried before
  std::uint32_t failures = 0, refusals = 0; ///< in a row; of the row at the front
  std::uint64_t delivered = 0, dropped = 0, retries = 0;
  std::string last_error;
};

/// Takes a job and calls back when it is over: SinkThread::give, or at once in tests. False when it is busy.
using GiveJob = std::function<bool(SinkJob, std::function<void(SinkJobResult)>)>;

/// Works off the outbox of one sink in order. A row is erased after it was delivered, so each revision
/// arrives at least once, and after a crash perhaps twice. What the sink refuses for good is dropped after 10
/// tries, and what is beyond the outbox's limit from its old end; both are counted and logged.
NotifierActor::behavior_type notifier(NotifierActor::stateful_pointer<NotifierState> self, WorldPtr world,
                                      std::size_t sink, GiveJob give);

/// Before try number `failures`: 1 s, 2 s, 4 s … 5 min, each less up to a quarter by `jitter` (0..1).
[[nodiscard]] Duration backoff_after(std::uint32_t failures, double jitter);

} // namespace iris
