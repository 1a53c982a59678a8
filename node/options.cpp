#include "node/options.hpp"

#include "actors/config_file.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>

namespace iris {

void add_source_options(CLI::App& app, NodeOptions& options) {
  app.add_option("--docker-socket", options.docker_socket, "Unix socket of the Docker engine")
      ->envname("IRIS_DOCKER_SOCKET")
      ->capture_default_str();
  app.add_option(
         "--lan-interface", options.lan_interfaces,
         "Network interface towards the field devices; repeatable (default: all with a private address)")
      ->envname("IRIS_LAN_INTERFACE")
      ->delimiter(',');
  app.add_option("--local", options.local,
                 "Network that is the site's own beside the private ranges; repeatable")
      ->envname("IRIS_LOCAL")
      ->delimiter(',');
  app.add_option("--process-source", options.process_source,
                 "How processes are seen: auto takes the first of ebpf, connector and procfs that works")
      ->envname("IRIS_PROCESS_SOURCE")
      ->check(CLI::IsMember({"auto", "ebpf", "connector", "procfs", "off"}))
      ->capture_default_str();
  app.add_option("--metadata-url", options.metadata_url,
                 "EdgeX core-metadata, http://HOST:PORT (default: the container edgex-core-metadata)")
      ->envname("IRIS_METADATA_URL");
  app.add_option("--metadata-interval", options.metadata_interval,
                 "How often core-metadata is asked for its devices, seconds")
      ->envname("IRIS_METADATA_INTERVAL")
      ->check(CLI::Range(1U, 86'400U))
      ->capture_default_str();
  app.add_option("--max-memory", options.max_memory_mib, "MiB of memory above which the node sheds work")
      ->envname("IRIS_MAX_MEMORY")
      ->check(CLI::Range(64U, 1'048'576U))
      ->capture_default_str();
  app.add_option("--max-cpu", options.max_cpu, "Percent of one core above which the node sheds work")
      ->envname("IRIS_MAX_CPU")
      ->check(CLI::Range(1U, 100'000U))
      ->capture_default_str();
  app.add_flag("--no-packets", options.no_packets, "Do not capture packets")->envname("IRIS_NO_PACKETS");
  app.add_flag("--no-dpi", options.no_dpi, "Do not name the application protocols of flows")
      ->envname("IRIS_NO_DPI");
  app.add_option("--log-level", options.log_level, "trace, debug, info, warn, error")
      ->envname("IRIS_LOG_LEVEL")
      ->check(CLI::IsMember({"trace", "debug", "info", "warn", "error"}))
      ->capture_default_str();
}

std::optional<int> parse_node_options(int argc, char** argv, NodeOptions& options) {
  CLI::App app{
      "Watches this gateway's containers and devices, judges what they do and reports to the Iris cloud.",
      "iris-node run"};
  app.add_option("--config", options.config, "TOML file; a key is the long name of a flag without the dashes")
      ->envname("IRIS_CONFIG");
  app.add_option("--data", options.data, "Where certificates and the spool live")
      ->envname("IRIS_DATA")
      ->capture_default_str();
  app.add_option("--syslog", options.syslog, "Also write findings here: unix:/dev/log or udp:ADDRESS:PORT")
      ->envname("IRIS_SYSLOG");
  app.add_option("--site", options.site, "Name of the site, for people")->envname("IRIS_SITE");
  app.add_option("--spool-bytes", options.spool_bytes, "Bound of what waits for the cloud, bytes")
      ->envname("IRIS_SPOOL_BYTES")
      ->check(CLI::Range(std::uint64_t{1} << 20, std::uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--spool-age", options.spool_age, "Longest time that something waits for the cloud, seconds")
      ->envname("IRIS_SPOOL_AGE")
      ->check(CLI::Range(std::uint64_t{60}, std::uint64_t{3'650} * 86'400))
      ->capture_default_str();
  app.add_option("--max-entities", options.max_entities, "Services and devices that are judged at once")
      ->envname("IRIS_MAX_ENTITIES")
      ->check(CLI::Range(1U, 65'536U))
      ->capture_default_str();
  add_source_options(app, options);
  app.add_option("--evidence-bytes", options.evidence_bytes,
                 "Memory for the last hour of observations, for `iris-shell evidence`; 0 keeps none")
      ->envname("IRIS_EVIDENCE_BYTES")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 30))
      ->capture_default_str();
  app.add_option("--record", options.record, "Append all that the sources see to this file (docs/formats.md)")
      ->envname("IRIS_RECORD");
  app.add_flag("--record-packets", options.record_packets, "Record every packet too")
      ->envname("IRIS_RECORD_PACKETS");
  app.add_option("--record-bytes", options.record_bytes, "Bound of that file, bytes; recording ends there")
      ->envname("IRIS_RECORD_BYTES")
      ->check(CLI::Range(std::uint64_t{1} << 20, std::uint64_t{1} << 40))
      ->capture_default_str();
  try {
    app.parse(argc, argv);
    if (!options.config.empty())
      if (auto applied = apply_config_file(app, options.config); !applied) {
        std::fprintf(stderr, "iris-node: %s\n", applied.error().message.c_str());
        return 2;
      }
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

} // namespace iris
