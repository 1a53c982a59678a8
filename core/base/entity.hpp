#pragma once
#include "core/base/address.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace iris {

enum class EntityKind : std::uint8_t {
  unknown,
  service,  ///< a container, named by its compose/EdgeX service name
  device,   ///< a LAN endpoint, named by EdgeX core-metadata where it can be
  gateway,  ///< the host itself
  internet, ///< an address outside
};
[[nodiscard]] const char* to_string(EntityKind kind); ///< "service", …

/// Who does something, or to whom it is done. Immutable once shared.
struct Entity {
  EntityKind kind = EntityKind::unknown;
  std::string name;      ///< "edgex-core-data", "kmc-thermostat", or the address where there is no name
  std::string image;     ///< image reference; services only
  std::string digest;    ///< image id, "sha256:…"; services only
  std::string container; ///< 64 hex digits; services only
  IpAddress address;     ///< what it was seen under; unspecified for none
  std::string alias;     ///< what a device calls itself (DHCP, mDNS); for people to read, never to judge by
  friend bool operator==(const Entity&, const Entity&) = default;
};
using EntityPtr = std::shared_ptr<const Entity>;

/// The service profile a baseline is kept under: name and image digest; devices and gateways have no digest.
[[nodiscard]] std::string profile_of(const Entity& entity);

} // namespace iris
