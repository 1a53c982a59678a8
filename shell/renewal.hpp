#pragma once
#include "core/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace iris {

struct LinkChannelOptions;

enum class Renewal : std::uint8_t {
  not_due, ///< or expired: the cloud would not take it any more
  busy,    ///< another shell is at it
  renewed,
};

/// Renews the operator's certificate in its bundle when two thirds of its life are over at `now` (seconds
/// since 1970), by the way that gateways renew theirs. Blocks for options.patience at most, for each address.
/// An error leaves the bundle as it is; while the certificate lasts the shell can go on without.
/// With `at_once` also before that: the cloud allows it to whom an authority signed that has a successor.
[[nodiscard]] Result<Renewal> renew_when_due(const LinkChannelOptions& options, std::int64_t now,
                                             bool at_once = false);

} // namespace iris
