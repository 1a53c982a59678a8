#pragma once
#include "core/base/address.hpp"

#include <string>
#include <vector>

namespace iris {

/// One address of one network interface of this host.
struct HostInterface {
  std::string name;
  IpAddress address;
  Cidr network;
  bool up = false, loopback = false;
};

/// All of them as they are now; an interface without an address appears with an unspecified one.
[[nodiscard]] std::vector<HostInterface> host_interfaces();

/// What to capture on.
struct CapturePlan {
  std::vector<std::string> bridges; ///< of container networks
  std::vector<std::string> lan;
  friend bool operator==(const CapturePlan&, const CapturePlan&) = default;
};

/// Container bridges are the interfaces in whose network a container has its address. LAN interfaces are the
/// ones asked for, or else every other one that is up and has an address of its own in a private network;
/// never loopback, never one end of a container's cable.
[[nodiscard]] CapturePlan plan_capture(const std::vector<HostInterface>& interfaces,
                                       const std::vector<IpAddress>& container_addresses,
                                       const std::vector<std::string>& wanted_lan);

} // namespace iris
