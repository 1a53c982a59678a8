#include "actors/directory.hpp"

#include <algorithm>

namespace iris {

ActorRecordPtr Directory::enter(ActorMeta meta, std::uint64_t id, caf::weak_actor_ptr actor) {
  auto record = std::make_shared<ActorRecord>(std::move(meta), id);
  const std::lock_guard lock{mutex_};
  ++spawned_;
  actors_[id] = Entry{record, std::move(actor)};
  return record;
}

void Directory::leave(const ActorRecordPtr& record, std::string_view error) {
  if (!error.empty()) record->last_error.store(error);
  record->end();
  Entry entry; // its weak pointer is released after the lock
  const std::lock_guard lock{mutex_};
  if (const auto found = actors_.find(record->id()); found != actors_.end()) {
    entry = std::move(found->second);
    actors_.erase(found);
    ended_.push_front(record);
    if (ended_.size() > ended_limit) ended_.pop_back();
  }
}

std::vector<Directory::Entry> Directory::list() const {
  std::vector<Entry> entries;
  {
    const std::lock_guard lock{mutex_};
    entries.reserve(actors_.size());
    for (const auto& [id, entry] : actors_)
      entries.push_back(entry);
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.record->id() < b.record->id(); });
  return entries;
}

std::vector<ActorRecordPtr> Directory::ended() const {
  const std::lock_guard lock{mutex_};
  return {ended_.begin(), ended_.end()};
}

Directory::Entry Directory::find(std::uint64_t id) const {
  const std::lock_guard lock{mutex_};
  if (const auto found = actors_.find(id); found != actors_.end()) return found->second;
  for (const auto& record : ended_)
    if (record->id() == id) return Entry{record, {}};
  return {};
}

std::size_t Directory::size() const {
  const std::lock_guard lock{mutex_};
  return actors_.size();
}

std::uint64_t Directory::total_spawned() const {
  const std::lock_guard lock{mutex_};
  return spawned_;
}

} // namespace iris
