#include "core/net/port_roles.hpp"

namespace iris {

int PortRoles::rank(std::uint8_t protocol, std::uint16_t port) const {
  if (seen(protocol).test(port)) return 4;
  if (port == 0) return 0;
  if (port < 1024) return 3;
  if (port < 32'768) return 2; // Linux takes its ephemeral ports from 32768 on
  // EdgeX services of every generation listen within the ephemeral range (48060-48100, 49980-49999,
  // 59700-59999).
  bool edgex = (port >= 48'060 && port <= 48'100) || (port >= 49'980 && port <= 49'999) ||
               (port >= 59'700 && port <= 59'999);
  return edgex ? 1 : 0;
}

} // namespace iris
