#pragma once
#include <bitset>
#include <cstdint>

namespace iris {

/// Tells which side of a flow is the server where its beginning was not seen: ports that were opened before,
/// else the usual order of port numbers. 16 KiB, fixed.
class PortRoles {
public:
  void learn(std::uint8_t protocol, std::uint16_t server_port) { seen(protocol).set(server_port); }
  /// How much a port looks like a server's: higher is more.
  [[nodiscard]] int rank(std::uint8_t protocol, std::uint16_t port) const;

private:
  [[nodiscard]] std::bitset<65536>& seen(std::uint8_t protocol) { return protocol == 6 ? tcp_ : others_; }
  [[nodiscard]] const std::bitset<65536>& seen(std::uint8_t protocol) const {
    return protocol == 6 ? tcp_ : others_;
  }
  std::bitset<65536> tcp_, others_;
};

} // namespace iris
