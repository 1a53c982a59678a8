#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// One thing that a node needs, or is better with.
struct MachineCheck {
  enum class State : std::uint8_t { ok, limited, missing };
  std::string id;   ///< stable, for programs: "ebpf"
  std::string what; ///< for people: "eBPF programs"
  State state = State::ok;
  std::string found;      ///< what there is, or why not
  std::string costs;      ///< what is not seen without it, and what to do; "" where it is ok
  bool essential = false; ///< where it is missing, the node is of no use
};
[[nodiscard]] const char* to_string(MachineCheck::State state);

struct CheckOptions {
  std::string data = "/var/lib/iris", docker_socket = "/var/run/docker.sock";
  std::vector<std::string> lan_interfaces;
  std::uint64_t spool_bytes = 256ull << 20;
};

struct MachineChecks {
  std::vector<MachineCheck> checks;
  std::string process_source; ///< what `--process-source=auto` would take
  /// Whether nothing essential is missing.
  [[nodiscard]] bool good() const;
};

/// Tries things out: loads the BPF programs, opens sockets, asks the engine. Takes about a second, changes
/// nothing.
[[nodiscard]] MachineChecks check_machine(const CheckOptions& options);

/// Those of the capabilities that a node uses which are missing in the text of a /proc/PID/status, each with
/// what it costs.
[[nodiscard]] std::vector<MachineCheck> missing_capabilities(std::string_view status);

} // namespace iris
