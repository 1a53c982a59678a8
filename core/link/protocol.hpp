#pragma once
#include <cstdint>
#include <string>

namespace iris {

/// Of the session protocol (schemas/link.capnp). A minor version adds fields and kinds that the one before it
/// does without; so each side uses what came with a minor version only with a peer that has it.
inline constexpr std::uint16_t link_major = 1;
inline constexpr std::uint16_t link_minor = 1;
inline constexpr std::uint16_t link_minor_clock = 1; ///< since then a gateway answers Push.clock

/// Empty when the two can work together: same major version, minor versions at most one apart. Otherwise one
/// line that says which side to upgrade, such as "the gateway speaks link protocol 2.0, the cloud 1.1:
/// upgrade the cloud". `they` has the version given, `we` speak ours.
[[nodiscard]] std::string version_refusal(std::uint16_t major, std::uint16_t minor, const std::string& they,
                                          const std::string& we);

} // namespace iris
