#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iris {

/// Everything that `iris-node run` can be told; see --help for the meaning. Flag before environment before
/// file.
struct NodeOptions {
  std::string data = "/var/lib/iris";
  std::string config;
  std::string docker_socket = "/var/run/docker.sock";
  std::vector<std::string> lan_interfaces;
  std::vector<std::string> local;
  std::string process_source = "auto";
  std::string metadata_url;
  std::uint32_t metadata_interval = 60; ///< seconds
  std::string syslog;
  std::string site;
  std::string log_level = "info";
  std::uint64_t spool_bytes = 256ull << 20;
  std::uint64_t spool_age = 7 * 86'400; ///< seconds
  std::uint32_t max_entities = 256;
  std::uint32_t max_memory_mib = 192;
  std::uint32_t max_cpu = 50; ///< percent of one core
  bool no_packets = false;
  bool no_dpi = false;
  std::uint64_t evidence_bytes = 8ULL << 20; ///< of the last hour of observations; 0: none is kept
  std::string record;                        ///< file that all observations are appended to
  bool record_packets = false;               ///< and every packet
  std::uint64_t record_bytes = 1ULL << 30;
};

/// The options about sources and the log, which `iris-node record` has too.
void add_source_options(CLI::App& app, NodeOptions& options);

/// @returns an exit code (0 after --help, 2 for wrong usage) or nothing when the program should go on.
[[nodiscard]] std::optional<int> parse_node_options(int argc, char** argv, NodeOptions& options);

} // namespace iris
