#pragma once
#include <cstdint>

namespace iris {

/// Of the session protocol (schemas/link.capnp). Peers of the same major and at most one minor apart
/// understand each other; another is refused with a line that says which side to upgrade.
inline constexpr std::uint16_t link_major = 1;
inline constexpr std::uint16_t link_minor = 0;

} // namespace iris
