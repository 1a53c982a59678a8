#pragma once
#include "core/base/address.hpp"
#include "core/base/observation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iris {

struct PublishedPort {
  std::string host_ip; ///< "0.0.0.0", "127.0.0.1", "::"; "" where the engine gives none
  std::uint16_t host_port = 0, container_port = 0;
  std::uint8_t protocol = 6; ///< IANA number
  /// Whether hosts other than the gateway itself reach it.
  [[nodiscard]] bool reachable_from_outside() const;
  friend bool operator==(const PublishedPort&, const PublishedPort&) = default;
};
/// "0.0.0.0:27017->27017/tcp"
[[nodiscard]] std::string to_string(const PublishedPort& port);

struct ContainerMount {
  std::string type; ///< "bind", "volume", "tmpfs"
  std::string source, destination;
  bool writable = false;
};

struct ContainerNetwork {
  std::string name;
  IpAddress address; ///< unspecified where it has none
  IpAddress address6;
  std::string mac;
};

/// What a data store asks of whoever reaches it, as far as its settings tell.
enum class Login : std::uint8_t {
  unknown,
  none,           ///< nothing: whoever reaches it is in
  known_password, ///< the one of its documentation
};

/// What the engine says about one container. Environment variables and labels are read, but not kept: they
/// hold secrets.
struct ContainerFacts {
  std::string id;      ///< 64 hex digits
  std::string name;    ///< without the leading slash
  std::string service; ///< the compose service where the name was made up by compose, else the name
  std::string image;   ///< as it was asked for: "edgexfoundry/docker-core-data:0.2.1"
  std::string digest;  ///< image id, "sha256:…"
  std::string hostname;
  std::uint32_t pid = 0; ///< of its first process; 0 when it does not run
  std::vector<ContainerNetwork> networks;
  std::string network_mode; ///< "bridge", "host", "container:…"
  std::string pid_mode;     ///< "host" or ""
  std::string ipc_mode;
  std::vector<PublishedPort> ports;
  bool privileged = false;
  bool read_only = false;
  bool security_off = false;  ///< EDGEX_SECURITY_SECRET_STORE=false in its environment
  bool engine_socket = false; ///< an engine's socket is mounted: as good as root on the host
  bool memory_limited = false;
  Login login = Login::unknown;
  std::vector<std::string> capabilities;     ///< added ones, without "CAP_"
  std::vector<std::string> security_options; ///< "no-new-privileges", "seccomp=unconfined" …
  std::vector<std::string> devices;          ///< of the host
  std::vector<ContainerMount> mounts;
  std::string user;
  std::vector<std::string> command;     ///< path and arguments of the first process, secrets redacted
  std::vector<std::string> healthcheck; ///< the probe's command; empty for none
  int stop_signal = 15;                 ///< what `docker stop` sends first
  std::string upper_dir;                ///< overlay2: the writable layer on the host
  std::string status;                   ///< "created", "running", "exited", …
  bool running = false;
  bool out_of_memory = false;
  int exit_code = 0;
  std::uint32_t restarts = 0;
  Timestamp created_at = 0, started_at = 0;
  bool is_edgex = false;
  /// A label is named as an event attribute, so that the engine's events cannot be trusted for this
  /// container.
  bool shadows_events = false;

  [[nodiscard]] bool host_network() const { return network_mode == "host"; }
};

/// One thing that the engine reported about a container.
struct ContainerEvent {
  std::string id;
  std::string name;  ///< as the engine says, may be empty
  std::string image; ///< the same
  Timestamp at = 0;
  ContainerChange change;
  std::string network; ///< of connected and disconnected
  std::string before;  ///< of renamed: the service's name until then
};

} // namespace iris
