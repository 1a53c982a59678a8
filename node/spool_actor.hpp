#pragma once
#include "actors/interfaces.hpp"
#include "node/spool/messages.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>

namespace iris {

/// Called by the spool's actor, on its thread.
struct SpoolEvents {
  std::function<void()> wake;                             ///< something new is on disk
  std::function<void(const Finding&)> finding;            ///< with every one, at once (a local syslog)
  std::function<void(const Finding&, bool kept)> settled; ///< when it is on disk, or lost; may be empty
  std::function<void(const std::vector<char>& encoded, bool kept)> delta; ///< the same of every delta
};

struct SpoolActorState {
  static inline const char* name = "spool";
  std::shared_ptr<Spool> spool;
  std::function<Timestamp()> now;
  std::uint64_t failed_writes = 0;
  Timestamp complained = 0; ///< when an error was logged last
  std::uint64_t complaints_hidden = 0;
  std::optional<EpochTaken> wanted; ///< of an epoch that cannot go on, until a new one has begun
  /// Deltas that wait for the next synced write: at most this long and this many bytes.
  static constexpr std::chrono::milliseconds group_time{250};
  static constexpr std::size_t group_bytes = 256 << 10;
  std::vector<std::vector<char>> waiting;
  std::size_t waiting_bytes = 0;
  /// Findings that a full disk refused wait for room in memory, so that filling a gateway's disk hides
  /// nothing.
  struct Held {
    Finding finding;
    std::vector<char> encoded;
  };
  static constexpr std::size_t held_bytes = 4 << 20; ///< what comes beyond it is lost, and told
  std::deque<Held> held;
  std::size_t held_now = 0; ///< bytes
};

/// Owns the spool; runs detached, since every write of findings waits for the disk.
SpoolActor::behavior_type spool_actor(SpoolActor::stateful_pointer<SpoolActorState> self,
                                      std::shared_ptr<Spool> spool, std::function<Timestamp()> now,
                                      SpoolEvents events);

} // namespace iris
