#pragma once
#include "cloud/store/rows.hpp"
#include "core/alert/finding.hpp"
#include "core/learn/delta.hpp"
#include "core/link/chain.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iris {

/// One batch of a gateway. Entries that are damaged are left out and told of; a batch is never refused as a
/// whole, since the gateway would send the same one for ever.
struct BatchContent {
  std::vector<Finding> findings;
  std::vector<ServiceDelta> deltas;
  std::vector<LossRow> losses;
  std::optional<BatchSeal> seal;
  LaneChain::Found found;           ///< for the seal
  std::vector<std::string> damaged; ///< one line each, at most 8
  std::size_t damaged_total = 0;
};
[[nodiscard]] BatchContent decode_batch(const std::vector<char>& bytes);

} // namespace iris
