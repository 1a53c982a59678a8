#pragma once
#include "core/net/packet.hpp"

#include <cstdint>

namespace iris {

/// Application protocols that are recognised here, since the library for the others does not know them.
/// Numbers are apart from the library's.
namespace application {
inline constexpr std::uint16_t unknown = 0;
inline constexpr std::uint16_t bacnet = 60'001; ///< BACnet/IP, ANSI/ASHRAE 135 annex J
inline constexpr std::uint16_t opc_ua = 60'002; ///< OPC UA TCP, IEC 62541-6 section 7.1
} // namespace application

/// By the content of one packet, whatever its ports. `application::unknown` where it is neither.
[[nodiscard]] std::uint16_t recognise_application(const PacketView& view);
/// Null for numbers that are not ours.
[[nodiscard]] const char* application_name(std::uint16_t application);

} // namespace iris
