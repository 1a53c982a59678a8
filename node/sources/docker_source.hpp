#pragma once
#include "core/base/observation.hpp"
#include "core/inventory/container.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace iris {

/// One change of a container, with all that is known about the container after it.
struct ContainerReport {
  ContainerFacts facts; ///< the last known ones where the container is gone already; id and name at the least
  ContainerEvent event; ///< exit code, asked_for, out_of_memory, published, privileged filled in
};

struct DockerSourceOptions {
  std::string socket = "/var/run/docker.sock";
  Duration request_timeout = 10 * second;
  Duration relist = 60 * second;        ///< how often the list is compared with what the events said
  Duration asked_window = 120 * second; ///< a death so long after a stop or kill counts as asked for
  Duration first_retry = 250 * millisecond, last_retry = 15 * second;
  /// Asked where the file `socket` does not exist; empty: nobody.
  std::string other_socket = "/run/podman/podman.sock";
  std::string proc = "/proc"; ///< where containers are looked for while no engine answers
  /// How long an engine may be away before that: one that is just starting brings the names itself.
  Duration scan_after = 10 * second, scan_interval = 2 * second;
};

/// All are called from the source's thread.
struct DockerSourceSinks {
  /// First all containers that exist (ContainerAction::listed), then changes, each at once.
  std::function<void(std::vector<ContainerReport>)> deliver;
  /// A command that somebody runs in a container through the engine (`docker exec`, health probes); redacted.
  std::function<void(std::string container, std::string command, Timestamp at)> exec;
  std::function<void(SensorHealth)> health;
};

struct DockerSourceStatistics {
  bool connected = false;
  std::string engine, api; ///< versions
  std::uint64_t events = 0, inspections = 0, reconnects = 0, oversized = 0, unreadable = 0;
  std::uint64_t left_out = 0; ///< containers that were not taken up at the limit
  std::size_t containers = 0;
  std::size_t by_groups = 0; ///< known by their control groups only, since no engine answers
};

/// Follows the container engine by its API over its socket: lists, inspects, streams events, and after a
/// disconnect resubscribes from the last event and compares with the list. Never gives up; a missing engine
/// is a SensorHealth, and containers that it did not tell of are then found by their control groups
/// (ContainerScan).
class DockerSource {
public:
  [[nodiscard]] static std::unique_ptr<DockerSource> start(const DockerSourceOptions& options,
                                                           DockerSourceSinks sinks);
  virtual ~DockerSource() = default; ///< stops and joins; no sink is called afterwards
  [[nodiscard]] virtual DockerSourceStatistics statistics() const = 0;
};

} // namespace iris
