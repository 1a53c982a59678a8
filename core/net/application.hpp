#pragma once
#include "core/net/packet.hpp"

#include <cstdint>

namespace iris {

/// Application protocols that are recognised here, since the library for the others does not know them or
/// takes other content for them.
/// Numbers are apart from the library's.
namespace application {
inline constexpr std::uint16_t unknown = 0;
inline constexpr std::uint16_t bacnet = 60'001; ///< BACnet/IP, ANSI/ASHRAE 135 annex J
inline constexpr std::uint16_t opc_ua = 60'002; ///< OPC UA TCP, IEC 62541-6 section 7.1
inline constexpr std::uint16_t mqtt = 60'003;   ///< MQTT 3.1 to 5.0, section 3.1: a client's CONNECT
inline constexpr std::uint16_t redis = 60'004;  ///< RESP: a command as an array of bulk strings
} // namespace application

/// By the content of one packet, whatever its ports. `application::unknown` where it is none.
[[nodiscard]] std::uint16_t recognise_application(const PacketView& view);
/// Null for numbers that are not ours.
[[nodiscard]] const char* application_name(std::uint16_t application);

} // namespace iris
