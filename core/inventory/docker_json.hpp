#pragma once
#include "core/base/result.hpp"
#include "core/inventory/container.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// One line of GET /containers/json.
struct ContainerListing {
  std::string id, name, state;
};

struct EngineVersion {
  std::string engine;  ///< "20.10.24"
  std::string api;     ///< highest API version it speaks, "1.41"
  std::string api_min; ///< lowest, "1.12"; "1.12" where it is too old to say
  /// podman's compatible API: its events do not say that a container was told to stop, nor with which signal.
  bool podman = false;
};

/// GET /version. The API version to use is the lower of the engine's and `ours`; an Error where they do not
/// overlap.
[[nodiscard]] Result<EngineVersion> parse_engine_version(std::string_view json);
[[nodiscard]] Result<std::string> choose_api(const EngineVersion& engine, std::string_view ours,
                                             std::string_view ours_min);

[[nodiscard]] Result<std::vector<ContainerListing>> parse_container_list(std::string_view json);
/// GET /containers/{id}/json.
[[nodiscard]] Result<ContainerFacts> parse_container(std::string_view json);

/// One line of GET /events, of Docker or of podman, whose names for some things differ. Only Type, Action and
/// Actor are read, since newer engines no longer send the old fields.
struct EngineEvent {
  enum class Kind : std::uint8_t {
    change, ///< `event` is filled in
    exec,   ///< someone runs `exec_command` in the container through the engine (health probes too)
    other,  ///< nothing that we watch
  } kind = Kind::other;
  ContainerEvent event;
  std::string exec_command; ///< secrets redacted
};
[[nodiscard]] Result<EngineEvent> parse_engine_event(std::string_view line);

/// Whether a container belongs to EdgeX, by its name, image or network.
[[nodiscard]] bool is_edgex_container(std::string_view name, std::string_view image,
                                      const std::vector<ContainerNetwork>& networks);

} // namespace iris
