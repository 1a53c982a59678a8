#pragma once
#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace iris {

/// A hash table that forgets the entry that was used longest ago when it is full, and counts it.
template <class Key, class Value, class Hash = std::hash<Key>>
class BoundedTable {
public:
  explicit BoundedTable(std::size_t limit) : limit_{limit} {}

  /// The entry, made where it is missing; true where it was made.
  std::pair<Value&, bool> get(const Key& key) {
    if (auto known = index_.find(key); known != index_.end()) {
      order_.splice(order_.end(), order_, known->second);
      return {known->second->second, false};
    }
    if (order_.size() >= limit_) {
      index_.erase(order_.front().first);
      order_.pop_front();
      ++evicted_;
    }
    order_.emplace_back(key, Value{});
    index_.emplace(key, std::prev(order_.end()));
    return {order_.back().second, true};
  }
  void erase(const Key& key) {
    auto known = index_.find(key);
    if (known == index_.end()) return;
    order_.erase(known->second);
    index_.erase(known);
  }
  void clear() {
    index_.clear();
    order_.clear();
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }
  /// Least recently used first.
  auto begin() { return order_.begin(); }
  auto end() { return order_.end(); }

private:
  std::size_t limit_;
  std::uint64_t evicted_ = 0;
  std::list<std::pair<Key, Value>> order_;
  std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator, Hash> index_;
};

} // namespace iris
