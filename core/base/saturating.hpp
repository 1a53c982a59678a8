#pragma once
#include <cstdint>

namespace iris {

/// Adds, and stays at the largest number where the sum does not fit: sums that wrap around could be made to
/// fit what someone claims. Both ends of the link sum like this, so that they agree.
inline void add_saturating(std::uint64_t& to, std::uint64_t more) {
  if (__builtin_add_overflow(to, more, &to)) to = UINT64_MAX;
}

} // namespace iris
