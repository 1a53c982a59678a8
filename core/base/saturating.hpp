#pragma once
#include <cstdint>

namespace iris {

/// The sum, or the largest number where it does not fit: sums that wrap around could be made to fit what
/// someone claims. Both ends of the link sum like this, so that they agree.
[[nodiscard]] inline std::uint64_t saturating_add(std::uint64_t left, std::uint64_t right) {
  std::uint64_t sum = 0;
  return __builtin_add_overflow(left, right, &sum) ? UINT64_MAX : sum;
}

} // namespace iris
