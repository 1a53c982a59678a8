#pragma once
#include "core/alert/finding.hpp"

namespace iris {

/// The one scale of all findings, in bits of surprise. A first key after 16 quiet days has 5 bits, after 45
/// days (or 15 days on three gateways) 6.5, after a year 9.5. Detectors that need no baseline bring bits of
/// their own on it.
///   below 3 info, from 3 low, from 4 medium, from 6.5 high, from 9 critical
[[nodiscard]] constexpr Severity severity_of(double bits) {
  return bits >= 9     ? Severity::critical
         : bits >= 6.5 ? Severity::high
         : bits >= 4   ? Severity::medium
         : bits >= 3   ? Severity::low
                       : Severity::info;
}

} // namespace iris
