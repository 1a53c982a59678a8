#pragma once
#include "core/base/time.hpp"

#include <string>
#include <vector>

namespace iris {

/// Everything that `iris-node run` can be told. Flag before environment before file.
struct NodeOptions {
  std::string data = "/var/lib/iris";
  std::string config;
  std::string docker_socket = "/var/run/docker.sock";
  std::vector<std::string>
      lan_interfaces;             ///< empty: those with a route to anywhere else but the container bridges
  std::vector<std::string> local; ///< CIDRs that count as the site's own beside the private ranges
  std::string process_source = "auto"; ///< auto, ebpf, connector
  std::string metadata_url;            ///< core-metadata; empty: found among the containers
  std::string syslog; ///< "unix:/dev/log" or "HOST:PORT": findings go there as well; empty: nowhere
  std::string site;
  std::string log_level = "info";
  std::uint64_t spool_bytes = 256ull << 20;
  std::uint32_t max_entities = 256; ///< pairs of collector and scorer
  bool no_packets = false;
};

} // namespace iris
