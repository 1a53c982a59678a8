#include "core/detect/suspects.hpp"

#include "core/base/hash.hpp"

#include <new>

namespace iris {

std::uint64_t SuspectTable::hash_of(const SuspectKey& key) const {
  char bytes[36];
  std::memcpy(bytes, key.a.bytes.data(), 16);
  std::memcpy(bytes + 16, key.b.bytes.data(), 16);
  std::memcpy(bytes + 32, &key.port, 2);
  bytes[34] = char(key.protocol);
  bytes[35] = char(key.kind);
  return hash64({bytes, sizeof bytes}, seed_);
}

Suspect* SuspectTable::find(const SuspectKey& key) {
  auto hash = hash_of(key);
  auto tag = std::uint32_t(hash >> 32) | 1U;
  auto base = std::size_t(hash % sets) * ways;
  for (std::size_t i = base; i < base + ways; ++i)
    if (tags_[i] == tag && at(i).key == key) return &at(i);
  return nullptr;
}

Suspect* SuspectTable::find_or_make(const SuspectKey& key, Timestamp now, std::uint64_t& evicted) {
  auto hash = hash_of(key);
  auto tag = std::uint32_t(hash >> 32) | 1U;
  auto base = std::size_t(hash % sets) * ways;
  constexpr auto nowhere = sets * ways;
  auto place = nowhere;
  for (std::size_t i = base; i < base + ways; ++i) {
    if (tags_[i] == tag && at(i).key == key) return &at(i);
    if (tags_[i] == 0) {
      if (place == nowhere || tags_[place] != 0) place = i;
    } else if (!at(i).alarmed() && (place == nowhere || (tags_[place] != 0 && at(i).last < at(place).last))) {
      place = i;
    }
  }
  if (place == nowhere) return ++evicted, nullptr;
  if (tags_[place] != 0) ++evicted;
  tags_[place] = tag;
  auto* suspect = new (memory_[place].bytes) Suspect;
  suspect->key = key;
  suspect->last = suspect->window.start = now;
  return suspect;
}

} // namespace iris
