#pragma once
#include <string>

namespace iris {

/// The container that this program runs in, 64 hex digits; empty outside of one. Docker mounts files of the
/// container's own directory (hostname, resolv.conf) into it, which shows also where its control group is
/// hidden.
[[nodiscard]] std::string own_container();

} // namespace iris
