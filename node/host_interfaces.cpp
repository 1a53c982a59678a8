#include "node/host_interfaces.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

namespace iris {
namespace {

IpAddress address_of(const sockaddr* address) {
  if (address->sa_family == AF_INET)
    return IpAddress::v4(ntohl(reinterpret_cast<const sockaddr_in*>(address)->sin_addr.s_addr));
  IpAddress v6;
  std::memcpy(v6.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, 16);
  return v6;
}

std::uint8_t prefix_of(const sockaddr* mask) {
  int bits = 0;
  if (mask->sa_family == AF_INET)
    return std::uint8_t(96 + std::popcount(reinterpret_cast<const sockaddr_in*>(mask)->sin_addr.s_addr));
  for (auto byte : reinterpret_cast<const sockaddr_in6*>(mask)->sin6_addr.s6_addr)
    bits += std::popcount(byte);
  return std::uint8_t(bits);
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

} // namespace

std::vector<HostInterface> host_interfaces() {
  std::vector<HostInterface> found;
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return found;
  for (auto* at = list; at != nullptr; at = at->ifa_next) {
    HostInterface interface;
    interface.name = at->ifa_name;
    interface.up = (at->ifa_flags & IFF_UP) != 0;
    interface.loopback = (at->ifa_flags & IFF_LOOPBACK) != 0;
    auto family = at->ifa_addr != nullptr ? at->ifa_addr->sa_family : sa_family_t{AF_UNSPEC};
    if ((family == AF_INET || family == AF_INET6) && at->ifa_netmask != nullptr) {
      interface.address = address_of(at->ifa_addr);
      interface.network = Cidr{interface.address, prefix_of(at->ifa_netmask)};
    }
    found.push_back(std::move(interface));
  }
  freeifaddrs(list);
  return found;
}

CapturePlan plan_capture(const std::vector<HostInterface>& interfaces,
                         const std::vector<IpAddress>& container_addresses,
                         const std::vector<std::string>& wanted_lan) {
  CapturePlan plan;
  for (const auto& interface : interfaces) {
    if (!interface.up || interface.loopback || interface.address == IpAddress{}) continue;
    for (const auto& container : container_addresses)
      if (container != interface.address && interface.network.contains(container))
        add_once(plan.bridges, interface.name);
  }
  auto is_bridge = [&plan](const std::string& name) {
    return std::find(plan.bridges.begin(), plan.bridges.end(), name) != plan.bridges.end();
  };
  for (const auto& interface : interfaces) {
    if (!interface.up || interface.loopback || is_bridge(interface.name)) continue;
    if (!wanted_lan.empty()) {
      if (std::find(wanted_lan.begin(), wanted_lan.end(), interface.name) != wanted_lan.end())
        add_once(plan.lan, interface.name);
      continue;
    }
    if (interface.name.starts_with("veth") || interface.name.starts_with("docker") ||
        interface.name.starts_with("br-"))
      continue;
    if (scope_of(interface.address) == AddressScope::private_use) add_once(plan.lan, interface.name);
  }
  return plan;
}

} // namespace iris
