#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace iris {

/// Bytes that the tables of many entities share, so that all of them together have a bound and not only each.
/// Costs are estimates of what an entry takes with its nodes. Any thread.
class TableBudget {
public:
  explicit TableBudget(std::size_t bytes) : left_{std::int64_t(bytes)} {}
  [[nodiscard]] bool take(std::size_t bytes) {
    if (left_.fetch_sub(std::int64_t(bytes), std::memory_order_relaxed) >= std::int64_t(bytes)) return true;
    give(bytes);
    refused_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  void force(std::size_t bytes) { left_.fetch_sub(std::int64_t(bytes), std::memory_order_relaxed); }
  void give(std::size_t bytes) { left_.fetch_add(std::int64_t(bytes), std::memory_order_relaxed); }
  /// Negative where tables that had little took their minimum.
  [[nodiscard]] std::int64_t left() const { return left_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t refused() const { return refused_.load(std::memory_order_relaxed); }

private:
  std::atomic<std::int64_t> left_;
  std::atomic<std::uint64_t> refused_{0};
};

/// What one table holds of a budget; gives it back at its end. Without a budget everything is granted.
class BudgetShare {
public:
  BudgetShare() = default;
  explicit BudgetShare(std::shared_ptr<TableBudget> budget) : budget_{std::move(budget)} {}
  BudgetShare(BudgetShare&& other) noexcept
      : budget_{std::move(other.budget_)}, held_{std::exchange(other.held_, 0)} {}
  BudgetShare& operator=(BudgetShare&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(held_, other.held_);
    return *this;
  }
  ~BudgetShare() { clear(); }

  /// @param forced granted in any case: the few entries that every table may have.
  [[nodiscard]] bool grow(std::size_t bytes, bool forced = false) {
    if (!budget_) return true;
    if (forced)
      budget_->force(bytes);
    else if (!budget_->take(bytes))
      return false;
    held_ += bytes;
    return true;
  }
  void shrink(std::size_t bytes) {
    if (!budget_) return;
    budget_->give(bytes);
    held_ -= bytes;
  }
  void clear() {
    if (budget_) budget_->give(std::exchange(held_, 0));
  }

private:
  std::shared_ptr<TableBudget> budget_;
  std::size_t held_ = 0;
};

} // namespace iris
