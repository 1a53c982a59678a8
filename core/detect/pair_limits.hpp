#pragma once
#include "core/base/entity.hpp"
#include "core/base/table_budget.hpp"

#include <cstddef>
#include <memory>

namespace iris {

/// How much one collector and judge may remember. Their tables grow with what others send them, so a device,
/// of which there can be many, gets small ones, and all pairs together have a budget.
struct PairLimits {
  static constexpr std::size_t all_pairs = 64UL << 20; ///< bytes

  std::size_t behaviours = 4'096; ///< of the cache
  std::size_t flows = 8'192;      ///< the collector's; the judge has half of it
  std::size_t peers = 4'096;
  std::size_t habits = 8'192;
  std::size_t keys = 4'096; ///< of one window
  std::size_t causes = 512;
  std::size_t known = 8'192;
  std::shared_ptr<TableBudget> budget; ///< null: none

  [[nodiscard]] static PairLimits of(const Entity& entity, std::shared_ptr<TableBudget> budget) {
    PairLimits limits;
    if (entity.kind != EntityKind::service) limits = {512, 512, 512, 512, 512, 64, 512, nullptr};
    limits.budget = std::move(budget);
    return limits;
  }
};

} // namespace iris
