#pragma once
#include "actors/actor_record.hpp"

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace iris {

using ActorRecordPtr = std::shared_ptr<ActorRecord>;

/// Every actor of this process: one object a program, made before its actor system and destroyed after it,
/// passed by reference. Its lock is taken when an actor starts or ends and when someone lists; never for a
/// message.
class Directory {
public:
  static constexpr std::size_t ended_limit = 64; ///< lives kept after their end, oldest forgotten first

  struct Entry {
    ActorRecordPtr record;
    caf::weak_actor_ptr actor; ///< empty for one that has ended
  };

  ActorRecordPtr enter(ActorMeta meta, std::uint64_t id, caf::weak_actor_ptr actor);
  /// `error` is empty for an orderly end.
  void leave(const ActorRecordPtr& record, std::string_view error);

  [[nodiscard]] std::vector<Entry> list() const;           ///< those alive, by id
  [[nodiscard]] std::vector<ActorRecordPtr> ended() const; ///< newest first
  [[nodiscard]] Entry find(std::uint64_t id) const;        ///< alive or ended; record is null for none
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] std::uint64_t total_spawned() const;
  [[nodiscard]] const TickScale& scale() const { return scale_; }

private:
  TickScale scale_;
  mutable std::mutex mutex_;
  std::unordered_map<std::uint64_t, Entry> actors_;
  std::deque<ActorRecordPtr> ended_;
  std::uint64_t spawned_ = 0;
};

} // namespace iris
