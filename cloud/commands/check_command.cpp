#include "actors/control_socket.hpp"
#include "cloud/commands/commands.hpp"
#include "cloud/commands/common.hpp"
#include "cloud/intelligence/intelligence.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/store/store.hpp"
#include "core/learn/signed_baseline.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

namespace iris {
namespace {

class Report {
public:
  void good(const std::string& what, const std::string& how) { line("ok", what, how); }
  void bad(const std::string& what, const std::string& why) {
    line("FAULT", what, why);
    failed_ = true;
  }
  void note(const std::string& what, const std::string& how) { line("note", what, how); }
  [[nodiscard]] int code() const { return failed_ ? 1 : 0; }

private:
  static void line(const char* mark, const std::string& what, const std::string& how) {
    std::printf("%-6s %-14s %s\n", mark, what.c_str(), how.c_str());
  }
  bool failed_ = false;
};

void check_authority(Report& report, const CloudPaths& paths) {
  for (const auto* name : {pki::ca_certificate, pki::ca_key, pki::revocations, pki::server_certificate,
                           pki::server_key, pki::signing_key}) {
    auto path = paths.pki() + "/" + name;
    if (!std::filesystem::exists(path)) return report.bad("authority", path + " is missing");
  }
  auto key = load_signing_key(paths.pki());
  if (!key) return report.bad("authority", key.error().message);
  report.good("authority", paths.pki());
}

void check_database(Report& report, const CloudPaths& paths) {
  auto store = Store::open(paths.database());
  if (store) return report.good("database", paths.database() + ", no process runs");
  if (store.error().code != Errc::locked) return report.bad("database", store.error().message);
  QueryRequest request;
  request.verb = "sessions";
  auto answer = ask_control_socket(paths.control(), request);
  if (answer && answer->status == 0)
    report.good("database",
                "in use by a running iris-cloud with " + std::to_string(answer->lines.size()) + " sessions");
  else
    report.bad("database", store.error().message + "; and nothing answers at " + paths.control());
}

} // namespace

int check_main(int argc, char** argv) {
  CLI::App app{
      "Looks whether a cloud can run: configuration, authority, database, threat lists. Changes nothing.",
      "iris-cloud check"};
  ConfigFlags flags{app};
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  CloudPaths paths{flags.data};
  Report report;
  if (auto good = check_data_directory(paths); !good) return fail(good.error());
  auto config = flags.load(paths);
  if (config)
    report.good("configuration", flags.config_path(paths));
  else
    report.bad("configuration", config.error().message);
  check_authority(report, paths);
  check_database(report, paths);
  if (config) {
    std::vector<std::string> problems;
    auto intelligence = load_intelligence({config->threat_lists, config->mmdb}, problems);
    for (const auto& line : problems)
      report.bad("intelligence", line);
    if (problems.empty())
      report.good("intelligence", std::to_string(intelligence->indicators.size()) + " entries of " +
                                      std::to_string(config->threat_lists.size()) + " lists, " +
                                      std::to_string(intelligence->databases.size()) + " address databases");
    std::string names;
    for (const auto& sink : config->sinks)
      names += (names.empty() ? "" : ", ") + sink.name;
    if (config->sinks.empty())
      report.note("sinks", "none: alerts stay in the database");
    else
      report.good("sinks", std::to_string(config->sinks.size()) + ": " + names);
  }
  return report.code();
}

} // namespace iris
