#pragma once
#include "core/base/observation.hpp"
#include "core/base/result.hpp"
#include "core/inventory/container.hpp"
#include "core/inventory/edgex_json.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace iris {

struct EdgexSourceOptions {
  std::string url; ///< "http://HOST:PORT" of core-metadata; empty: the container's address and EdgeX's ports
  Duration interval = 60 * second; ///< between two questions
  Duration request_timeout = 5 * second;
  std::size_t device_limit = 16384; ///< most devices taken of all pages
  std::string cache;                ///< file that keeps the devices over a restart; empty: none
  std::string neighbours =
      "/proc/net/arp"; ///< where devices are looked up that are known by hardware address
};

struct EdgexSourceSinks {
  std::function<void(std::vector<EdgexDevice>)> deliver; ///< all devices; only when something changed
  std::function<void(SensorHealth)> health;
};

/// Asks EdgeX core-metadata for the names of the LAN's devices: API v3 and v2 (port 59881), v1 (port 48081).
/// Where it is absent or wants a token, devices keep the names that it gave last, also before this start, or
/// those of their addresses, and nothing else changes.
class EdgexSource {
public:
  /// An Error where the URL does not parse or its host has no address.
  [[nodiscard]] static Result<std::unique_ptr<EdgexSource>> start(const EdgexSourceOptions& options,
                                                                  EdgexSourceSinks sinks);
  virtual ~EdgexSource() = default; ///< stops and joins; no sink is called afterwards

  /// Every container may be told; the one that is core-metadata is taken.
  virtual void container_started(const ContainerFacts& facts) = 0;
  virtual void container_gone(const std::string& id) = 0;
};

/// Whether this container is core-metadata of any EdgeX generation.
[[nodiscard]] bool is_core_metadata(const ContainerFacts& facts);

} // namespace iris
