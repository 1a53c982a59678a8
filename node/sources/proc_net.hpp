#pragma once
#include "core/base/address.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// One line of /proc/PID/net/{tcp,tcp6,udp,udp6}.
struct ProcSocket {
  std::uint8_t protocol = 6; ///< IANA number
  IpAddress local, remote;
  std::uint16_t local_port = 0, remote_port = 0;
  std::uint8_t state = 0;  ///< TCP's, 10: listens; UDP: 7 without a remote side
  std::uint64_t inode = 0; ///< 0: of no process any more
};

/// Parses such a file; lines that are none are left out. `limit`: sockets at most.
[[nodiscard]] std::vector<ProcSocket> parse_proc_net(std::string_view file, std::uint8_t protocol,
                                                     std::size_t limit = 65'536);

/// Whether this is a port that callers are awaited at. A UDP socket without a remote side counts only below
/// the ports that the kernel hands out by itself (32768), or as BACnet's, since a client's looks the same.
[[nodiscard]] bool awaits_callers(const ProcSocket& socket);

} // namespace iris
