#pragma once
#include "core/inventory/edgex_json.hpp"

#include <span>
#include <string_view>
#include <vector>

namespace iris {

/// As a gateway keeps them on its disk: inventory.capnp DeviceList. Host names are left out: their addresses
/// are among the addresses.
[[nodiscard]] std::vector<char> encode_devices(const std::vector<EdgexDevice>& devices);
[[nodiscard]] Result<std::vector<EdgexDevice>> decode_devices(std::span<const char> bytes);

/// One entry of the kernel's table of neighbours.
struct Neighbour {
  IpAddress address;
  std::string mac; ///< "aa:bb:cc:dd:ee:ff"
};
/// The text of /proc/net/arp; entries that are incomplete are left out. At most 4096.
[[nodiscard]] std::vector<Neighbour> parse_neighbours(std::string_view arp);
/// A device that EdgeX knows by its hardware address has the addresses at which that is now.
void locate_by_mac(std::vector<EdgexDevice>& devices, const std::vector<Neighbour>& neighbours);

} // namespace iris
