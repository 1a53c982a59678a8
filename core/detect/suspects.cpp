#include "core/detect/suspects.hpp"

#include <new>

namespace iris {

std::uint64_t SuspectTable::hash_of(const SuspectKey& key) const {
  // Two rounds of folded multiplication; the seed keeps others from aiming at one set.
  auto fold = [](std::uint64_t left, std::uint64_t right) {
    auto product = static_cast<unsigned __int128>(left) * right;
    return std::uint64_t(product) ^ std::uint64_t(product >> 64);
  };
  std::uint64_t a[2], b[2];
  std::memcpy(a, key.a.bytes.data(), 16);
  std::memcpy(b, key.b.bytes.data(), 16);
  auto rest = std::uint64_t(key.port) << 16 | std::uint64_t(key.protocol) << 8 | std::uint64_t(key.kind);
  auto mixed = fold(a[0] ^ seed_ ^ 0xa0761d6478bd642fULL, a[1] ^ 0xe7037ed1a0b428dbULL) ^
               fold(b[0] ^ seed_ ^ 0x8ebc6af09c88c6e3ULL, b[1] ^ 0x589965cc75374cc3ULL);
  return fold(mixed ^ rest, seed_ ^ 0x1d8e4e27c47d124fULL);
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
