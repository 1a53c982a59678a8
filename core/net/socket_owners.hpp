#pragma once
#include "core/base/address.hpp"
#include "core/base/time.hpp"

#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace iris {

/// A socket that a process was seen to use: called somebody, sent its first datagram somewhere, or listens.
struct SocketUse {
  std::uint8_t protocol = 6; ///< IANA number
  bool host_network = false; ///< in the gateway's own network namespace
  bool listening = false;    ///< waits for calls; has no remote side
  IpAddress local, remote;   ///< unspecified: any, or none
  std::uint16_t local_port = 0, remote_port = 0;
  std::string container; ///< 64 hex digits; "" for the host
  std::uint32_t pid = 0; ///< 0 where only the container is known
  std::string exe;       ///< "" where not known
  Timestamp at = 0;      ///< when it was seen to be used
};

enum class SocketAction : std::uint8_t {
  called,    ///< a TCP connection was opened, or a UDP socket sent to somebody new
  listening, ///< waits for calls: since now, or still
  closed,    ///< no longer
};

/// What a source tells of one socket.
struct SocketEvent {
  SocketAction action{};
  SocketUse use;
  bool bound = true;        ///< the process asked for this local port; otherwise the kernel chose it
  bool looked_up = false;   ///< found in /proc, where `bound` cannot be known
  std::int64_t boot_at = 0; ///< CLOCK_BOOTTIME ns
};

/// Who has which socket, so that a flow of the host's network can be told as the container's that made it,
/// and any flow as a process's. Bounded: the port that was longest unused is forgotten, and counted.
class SocketOwners {
public:
  static constexpr std::size_t uses_of_port = 16; ///< the oldest goes
  static constexpr std::size_t exe_limit = 256;   ///< bytes
  static constexpr Duration slack = 2 * second;   ///< a flow's time and a socket's may differ by so much

  /// @param limit uses remembered
  explicit SocketOwners(std::size_t limit = 16'384) : limit_{limit} {}

  void opened(SocketUse use);
  /// A listening socket is no more: it is not said of flows that begin later.
  void closed(const SocketUse& use);
  void container_gone(std::string_view container);

  /// Who had this socket, for a flow that was under way at `at`. A call's remote side must be the same; a
  /// listening socket takes any. Among several the nearest in address, then the latest.
  /// @param container whose namespace the local address is in; "" for the gateway's own addresses
  /// @returns valid until the next change; null where nobody is known
  [[nodiscard]] const SocketUse* find(std::string_view container, std::uint8_t protocol,
                                      const IpAddress& local, std::uint16_t local_port,
                                      const IpAddress& remote, std::uint16_t remote_port, Timestamp at) const;

  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; }

private:
  struct Entry {
    SocketUse use;
    Timestamp until = 0; ///< 0: still there as far as is known
  };
  struct Port {
    std::vector<Entry> entries;
    std::list<std::uint64_t>::iterator age;
  };
  [[nodiscard]] static std::uint64_t key(std::string_view container, std::uint8_t protocol,
                                         std::uint16_t port);
  void forget(std::unordered_map<std::uint64_t, Port>::iterator port);

  std::size_t limit_;
  std::size_t size_ = 0;
  std::uint64_t evicted_ = 0;
  std::unordered_map<std::uint64_t, Port> ports_;
  std::list<std::uint64_t> ages_; ///< least recently used first
};

} // namespace iris
