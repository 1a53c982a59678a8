#pragma once
#include "core/base/observation.hpp"
#include "core/inventory/container.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace iris {

struct UsageSample {
  std::string container; ///< 64 hex digits
  Timestamp at = 0;      ///< end of the window
  Usage usage;
};

struct UsageSourceOptions {
  Duration window = 10 * second;
};

struct UsageSourceSinks {
  std::function<void(std::vector<UsageSample>)> deliver; ///< one batch a window
  std::function<void(SensorHealth)> health;
};

/// Processor time, memory and tasks of every running container, window by window, from its control groups
/// (version 1 and 2). Sees host groups only: needs the host's /sys/fs/cgroup (read-only does) and its cgroup
/// and pid namespaces.
class UsageSource {
public:
  [[nodiscard]] static std::unique_ptr<UsageSource> start(const UsageSourceOptions& options,
                                                          UsageSourceSinks sinks);
  virtual ~UsageSource() = default; ///< stops and joins; no sink is called afterwards

  virtual void container_started(const ContainerFacts& facts) = 0; ///< its pid is needed
  virtual void container_gone(const std::string& id) = 0;
  virtual void set_window(Duration window) = 0; ///< the present one ends now
};

} // namespace iris
