#pragma once
#include "core/base/observation.hpp"
#include "core/base/result.hpp"
#include "core/inventory/container.hpp"
#include "core/net/socket_owners.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace iris {

struct ProcessEvent {
  std::string container; ///< 64 hex digits; "" for the host
  Timestamp at = 0;
  std::int64_t boot_at = 0;
  std::variant<ProcessStart, ProcessExit> what;
};

enum class ProcessSensorChoice : std::uint8_t { automatic, ebpf, connector, procfs };

struct ProcessSourceOptions {
  ProcessSensorChoice sensor = ProcessSensorChoice::automatic;
  /// Deliver the processes that already run as starts too; their `started` lies before now.
  bool announce_running = true;
  std::size_t table_limit = 32768; ///< processes remembered
};

/// Both are called from the source's thread and must not block for long.
struct ProcessSourceSinks {
  std::function<void(std::vector<ProcessEvent>)> deliver;
  std::function<void(std::vector<SocketEvent>)> sockets; ///< may be empty
  std::function<void(SensorHealth)> health;
};

struct ProcessSourceStatistics {
  std::uint64_t forks = 0, execs = 0, exits = 0, sockets = 0;
  std::uint64_t lost = 0;         ///< events that the kernel dropped
  std::uint64_t lost_sockets = 0; ///< the same of sockets
  std::uint64_t unread = 0;       ///< execs whose arguments were gone (connector only)
  std::uint64_t evicted = 0;      ///< processes forgotten at the table's limit
  std::uint64_t strayed = 0; ///< starts outside of their container's control group, kept in the container
  std::uint64_t commands_dropped = 0; ///< news of containers that were lost at the limit
  std::uint64_t redacted = 0;
  std::uint64_t processes = 0; ///< in the table now
};

/// Watches every process of the machine: chooses a sensor, attributes, redacts, finds out where files came
/// from, and delivers within 20 ms. Has one thread of its own, which sleeps when nothing happens.
class ProcessSource {
public:
  /// With `automatic`, the connector is taken where BPF is refused; the reason is told by a SensorHealth.
  [[nodiscard]] static Result<std::unique_ptr<ProcessSource>> start(const ProcessSourceOptions& options,
                                                                    ProcessSourceSinks sinks);
  virtual ~ProcessSource() = default; ///< stops and joins; no sink is called afterwards

  /// What the engine says about a container that runs; gives origins their time and their mounts.
  virtual void container_started(const ContainerFacts& facts) = 0;
  /// One that exists but does not run, just made or stopped: where its files come from is known before it
  /// starts, else its first programs would be judged by a guess at one start and by its mounts at another.
  virtual void container_stopped(const ContainerFacts& facts) = 0;
  virtual void container_gone(const std::string& id) = 0; ///< removed
  [[nodiscard]] virtual const char* sensor() const = 0;   ///< "ebpf", "connector" or "procfs"
  [[nodiscard]] virtual ProcessSourceStatistics statistics() const = 0;
};

} // namespace iris
