#pragma once
#include <cstdint>

namespace iris {

/// What a node under load does no longer do, in this order; each includes those before. Processes,
/// containers and flows that are judged already go first in worth and are never shed.
enum class Shedding : std::uint8_t {
  nothing,
  labels,  ///< application protocols of new flows are not looked for
  content, ///< nor commands to field devices. DNS answers always are: without names a peer looks new
  packets, ///< captures rest: the kernel drops what does not fit its ring, and counts it
};

} // namespace iris
