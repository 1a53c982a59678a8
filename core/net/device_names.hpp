#pragma once
#include "core/base/time.hpp"
#include "core/net/packet.hpp"

#include <optional>
#include <span>
#include <string>

namespace iris {

/// What a device on the local network calls itself. For people only: anyone may call himself anything.
struct DeviceName {
  static constexpr std::size_t limit = 63; ///< bytes; letters, digits, '-', '_' and '.', others become '-'
  IpAddress address;
  Timestamp at = 0;
  std::string name;
};

/// From a DHCP request (RFC 2131, 2132: host name, or the client's full name of RFC 4702) by the client
/// itself: the name and the address that it has or asks for. Nothing for other messages, and where the
/// sender's link address is not the client's, which would name somebody else.
[[nodiscard]] std::optional<DeviceName> parse_dhcp_name(const PacketView& view);

/// From an answer of multicast DNS (RFC 6762): the name under ".local" whose address is the sender's own.
[[nodiscard]] std::optional<DeviceName> parse_mdns_name(const PacketView& view);

} // namespace iris
