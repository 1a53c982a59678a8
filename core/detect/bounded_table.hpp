#pragma once
#include "core/base/table_budget.hpp"

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace iris {

/// A hash table that forgets the entry that was used longest ago when it, or the budget, is full, and counts
/// it.
template <class Key, class Value, class Hash = std::hash<Key>>
class BoundedTable {
public:
  static constexpr std::size_t least = 16; ///< entries that it may have whatever the budget says
  /// @param extra bytes that an entry takes beside its own size.
  explicit BoundedTable(std::size_t limit, std::shared_ptr<TableBudget> budget = nullptr,
                        std::size_t extra = 0)
      : limit_{limit}, cost_{sizeof(Key) * 2 + sizeof(Value) + 80 + extra}, share_{std::move(budget)} {}

  /// The entry, made where it is missing; true where it was made.
  std::pair<Value&, bool> get(const Key& key) {
    if (auto known = index_.find(key); known != index_.end()) {
      order_.splice(order_.end(), order_, known->second);
      return {known->second->second, false};
    }
    if (order_.size() >= limit_ || !share_.grow(cost_, order_.size() < least)) {
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
    share_.shrink(cost_);
  }
  void clear() {
    index_.clear();
    order_.clear();
    share_.clear();
  }
  [[nodiscard]] std::size_t size() const { return order_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }
  /// Least recently used first.
  auto begin() { return order_.begin(); }
  auto end() { return order_.end(); }

private:
  std::size_t limit_;
  std::size_t cost_;
  BudgetShare share_;
  std::uint64_t evicted_ = 0;
  std::list<std::pair<Key, Value>> order_;
  std::unordered_map<Key, typename std::list<std::pair<Key, Value>>::iterator, Hash> index_;
};

} // namespace iris
