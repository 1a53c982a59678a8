#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace iris {

struct SinkConfig {
  enum class Kind : std::uint8_t { webhook, syslog } kind{};
  std::string name;
  std::string url;          ///< webhook: http://host[:port]/path or https://…
  std::string address;      ///< syslog: host:port
  bool tls = false;         ///< syslog
  std::string ca;           ///< PEM file that the server is checked against; the system's when empty
  std::string secret;       ///< webhook: key of the signature; no header when empty
  std::string tenant = "*"; ///< whose alerts it gets
  Duration timeout = 10 * second;
};

/// What `iris-cloud run` needs to know. Defaults are those of production.
struct CloudConfig {
  std::vector<std::string> listen{"0.0.0.0:7443"};
  std::vector<std::string> public_addresses{
      "localhost:7443"}; ///< host:port that gateways reach this cloud under
  std::string health;    ///< "address:port"; empty: none
  std::string log_level = "info";
  std::vector<std::string> threat_lists, mmdb;
  TimeScale scale;
  std::uint32_t quorum = 3, trust_days = 2, budget = 7, looks = 7;
  double horizon_days = 7, min_days = 2, alpha = 0.05, report_bits = 3;
  std::uint32_t alerts_per_gateway = 10'000, outbox_limit = 100'000, credit_batches = 64;
  std::uint32_t connections = 12'000, strangers = 1'024, strangers_per_address = 32;
  std::uint32_t shells_per_operator = 8, pending_per_identity = 4;
  Duration late_after = 60 * second, away_after = 900 * second, retire_after = 600 * second;
  Duration gateway_life = 30 * 86'400 * second, operator_life = 365 * 86'400 * second,
           server_life = 730 * 86'400 * second; ///< of certificates
  std::string backup_dir;                       ///< empty: no backups by itself
  Duration backup_every = 1'800 * second;
  std::vector<SinkConfig> sinks;
};

/// One setting: its name in the file, its flag and what it means. The environment variable is IRIS_ and the
/// flag's name in capitals. For every one: flag before environment before file.
struct OptionSpec {
  const char* key;  ///< "learning.day"
  const char* flag; ///< "--learning-day"
  const char* help;
  bool list = false;
};
[[nodiscard]] std::span<const OptionSpec> cloud_options();
[[nodiscard]] std::string environment_name(const OptionSpec& option);

/// A value and where it was given, for errors: "--learning-day", "IRIS_LEARNING_DAY", "iris-cloud.toml:12".
struct RawSetting {
  std::vector<std::string> texts;
  std::string where;
};
struct RawConfig {
  std::map<std::string, RawSetting> settings; ///< by key
  std::vector<std::map<std::string, RawSetting>> sinks;
};

/// Unknown keys, wrong types and broken TOML are errors that name file and line.
[[nodiscard]] Result<RawConfig> read_config_file(const std::string& path);
/// `over` comes before `under`.
[[nodiscard]] RawConfig merged(RawConfig over, RawConfig under);
[[nodiscard]] Result<CloudConfig> build_config(const RawConfig& raw);

/// What `iris-cloud init` writes.
[[nodiscard]] std::string default_config_text(const std::vector<std::string>& listen,
                                              const std::vector<std::string>& public_addresses);

} // namespace iris
