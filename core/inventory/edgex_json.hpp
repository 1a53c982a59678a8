#pragma once
#include "core/base/address.hpp"
#include "core/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// A device as EdgeX core-metadata knows it. Credentials in its addressable are never read.
struct EdgexDevice {
  std::string name, service, profile;
  std::vector<std::string> labels;
  std::string protocol; ///< EdgeX's key: "BACnet-IP", "TCP" (SNMP, really UDP), "modbus-tcp", "Onvif" …
  std::vector<IpAddress> addresses; ///< none for serial, virtual and broker devices
  std::vector<std::string> hosts;   ///< host names that stand where an address could
  std::uint16_t port = 0;           ///< 0 where it does not say
  std::string mac;                  ///< "aa:bb:cc:dd:ee:ff", lower case; "" where it does not say
};

struct EdgexDevicePage {
  std::vector<EdgexDevice> devices;
  std::int64_t total = -1; ///< of all pages; -1 where the API has no paging (v1)
};

/// GET /api/v1/device (a bare array), /api/v2/device/all and /api/v3/device/all (an object).
/// At most 1024 devices of one page are taken.
[[nodiscard]] Result<EdgexDevicePage> parse_edgex_devices(std::string_view json);

} // namespace iris
