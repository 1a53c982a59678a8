#pragma once
#include "core/base/time.hpp"
#include "core/net/socket_owners.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <unordered_set>
#include <vector>

namespace iris {

struct SocketSourceOptions {
  Duration window = 10 * second; ///< TimeScale::window
  int windows = 3;               ///< between two looks; the first two follow on each other
};

struct SocketSourceStatistics {
  std::uint64_t looks = 0, sockets = 0; ///< of the last look: sockets told
  std::uint64_t namespaces = 0;         ///< of containers, at the last look
  std::uint64_t cut = 0;                ///< looks in which something was left out at a limit
};

/// Looks now and then into /proc which ports the containers listen on, each in its own network namespace, and
/// who of several in one namespace (the host's, above all) has which socket. So listening ports are known
/// that were opened before us, or where no eBPF tells them. Has a thread of its own. `deliver` is called from
/// there.
class SocketSource {
public:
  [[nodiscard]] static std::unique_ptr<SocketSource>
  start(const SocketSourceOptions& options, std::function<void(std::vector<SocketEvent>)> deliver);
  virtual ~SocketSource() = default; ///< stops and joins
  virtual void set_window(Duration window) = 0;
  /// A container started: the next two looks follow soon, since its ports are new.
  virtual void look_soon() = 0;
  [[nodiscard]] virtual SocketSourceStatistics statistics() const = 0;
};

/// One look. `unconnected`: UDP sockets by inode that were there at the look before, kept from look to look:
/// one that is there twice waits for callers, one for a single question does not.
[[nodiscard]] std::vector<SocketEvent> look_at_sockets(SocketSourceStatistics& statistics,
                                                       std::unordered_set<std::uint64_t>& unconnected);

} // namespace iris
