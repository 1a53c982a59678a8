#include "actors/control_socket.hpp"
#include "actors/link/tls_context.hpp"
#include "actors/ticks.hpp"
#include "cloud/commands/commands.hpp"
#include "cloud/commands/common.hpp"
#include "cloud/intelligence/intelligence.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "cloud/store/look.hpp"
#include "core/learn/signed_baseline.hpp"
#include "core/link/openssl_ptr.hpp"

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

Result<void> authority_problem(const CloudPaths& paths) {
  const auto in = [&](const char* name) { return paths.pki() + "/" + name; };
  for (const auto* name : {pki::ca_certificate, pki::ca_key, pki::revocations, pki::server_certificate,
                           pki::server_key, pki::signing_key})
    if (!std::filesystem::exists(in(name))) return Error{Errc::not_found, in(name) + " is missing"};
  if (auto key = load_signing_key(paths.pki()); !key) return key.error();
  auto tls = TlsContext::load(
      TlsContext::Use::server,
      {in(pki::server_certificate), in(pki::server_key), in(pki::ca_certificate), in(pki::revocations)},
      true);
  if (!tls) return tls.error();
  const auto now = TickScale::wall_now();
  if ((*tls)->expires() <= now / second)
    return Error{Errc::expired,
                 in(pki::server_certificate) + " is expired since " + rfc3339((*tls)->expires() * second)};
  // A certificate for nobody, which is thrown away: shows that the authority can sign.
  auto made = pki::issue(paths.pki(), {Role::operator_, "check", "check", false}, now, 60 * second);
  if (!made) return made.error();
  // … and that the running cloud would take it, whatever its list of revocations is like.
  if (auto taken = (*tls)->takes_client(made->certificate.pem); !taken)
    return Error{Errc::refused, "a certificate signed now would be refused: " + taken.error().message};
  return {};
}

void check_authority(Report& report, const CloudPaths& paths) {
  if (auto good = authority_problem(paths); !good) return report.bad("authority", good.error().message);
  report.good("authority", paths.pki());
}

void check_database(Report& report, const CloudPaths& paths) {
  QueryRequest request;
  request.verb = "sessions";
  if (auto answer = ask_control_socket(paths.control(), request); answer && answer->status == 0)
    return report.good("database", "in use by a running iris-cloud with " +
                                       std::to_string(answer->lines.size()) + " sessions");
  if (auto good = look_into_database(paths.database()); !good)
    return report.bad("database", good.error().message);
  report.good("database", paths.database() + ", no iris-cloud answers");
}

void check_sinks(Report& report, const std::vector<SinkConfig>& sinks) {
  if (sinks.empty()) return report.note("sinks", "none: alerts stay in the database");
  std::string names;
  bool good = true;
  for (const auto& sink : sinks) {
    names += (names.empty() ? "" : ", ") + sink.name;
    if (sink.ca.empty()) continue;
    auto pem = pki::read_file(sink.ca);
    if (pem && ossl::read_cert(*pem)) continue;
    ERR_clear_error();
    good = false;
    report.bad("sinks", sink.name + ": ca: " +
                            (pem ? sink.ca + " holds no certificate in PEM form" : pem.error().message));
  }
  if (good) report.good("sinks", std::to_string(sinks.size()) + ": " + names);
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
    check_sinks(report, config->sinks);
  }
  return report.code();
}

} // namespace iris
