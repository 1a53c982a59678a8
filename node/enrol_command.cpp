#include "node/enrol_command.hpp"

#include "actors/link/enrol.hpp"
#include "actors/link/tls_context.hpp"
#include "actors/ticks.hpp"
#include "node/enrolment.hpp"
#include "node/version.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <filesystem>

namespace iris {
namespace {

int fail(const Error& error) {
  std::fprintf(stderr, "iris-node: %s\n", error.message.c_str());
  return error.code == Errc::unavailable ? 3 : 1;
}

std::string address_lines(const JoinToken& token) {
  std::string text;
  for (const auto& address : token.addresses)
    text += address + "\n";
  return text;
}

/// What a node that runs in this folder may be connected as; empty for nothing.
struct Before {
  std::string identity, ca;
};
Before what_it_is(const EnrolmentFiles& files) {
  const auto tls =
      TlsContext::load(TlsContext::Use::client, {files.certificate(), files.key(), files.ca(), ""});
  const auto ca = read_small_file(files.ca());
  if (!tls || !ca) return {};
  return {to_uri((*tls)->identity()), *ca};
}

} // namespace

int enrol_main(int argc, char** argv) {
  CLI::App app{"Joins this gateway to an Iris cloud. The key is made here and never leaves this machine.",
               "iris-node enroll"};
  std::string join, data = "/var/lib/iris";
  bool again = false;
  app.add_option("--join", join, "The line that `iris-cloud token create` printed")
      ->envname("IRIS_JOIN")
      ->required();
  app.add_option("--data", data, "Where certificates and the spool live")
      ->envname("IRIS_DATA")
      ->capture_default_str();
  app.add_flag("--again", again, "Replace the certificate that is there");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  EnrolmentFiles files{data};
  if (auto settled = settle_enrolment(files); !settled) return fail(settled.error());
  if (std::filesystem::exists(data + "/iris-cloud.toml"))
    return fail(
        {Errc::refused,
         data + " is the data directory of an iris-cloud; give the node another one with --data DIR"});
  if (files.complete() && !again) {
    std::printf("already enrolled: %s (use --again to replace it)\n", files.certificate().c_str());
    return 0;
  }
  auto token = parse_token(join);
  if (!token) return fail(token.error());
  if (expired(*token, TickScale::wall_now()))
    return fail({Errc::expired, "the token expired at " + rfc3339(token->expires) +
                                    "; ask for a new one (or set this clock)"});
  std::error_code problem;
  std::filesystem::create_directories(data, problem);
  if (problem) return fail({Errc::io, data + ": cannot make the directory: " + problem.message()});
  auto pending = PendingEnrolment::begin(files, join);
  if (!pending) return fail(pending.error());
  auto request = make_request(pending->key());
  if (!request) return fail(request.error());
  auto granted = enrol(*token, *request, version());
  if (granted && !granted->error.empty())
    granted = Error{Errc::refused, "the cloud refuses: " + granted->error};
  if (!granted) {
    std::fprintf(stderr, "iris-node: the new key stays in %s/enrolling for the next try\n", data.c_str());
    return fail(granted.error());
  }
  const auto before = what_it_is(files);
  auto finished = pending->finish(granted->certificate, granted->ca, address_lines(*token));
  if (!finished)
    return fail({finished.error().code,
                 finished.error().message + "; the same command with the same token goes on from here"});
  std::printf("enrolled as %s\n", granted->identity.c_str());
  if (!before.identity.empty())
    std::printf("%s\n", before.identity == granted->identity && share_authority(before.ca, granted->ca)
                            ? "an iris-node that runs here takes it within a minute"
                            : "restart an iris-node that runs here: it goes on as what it was until then");
  return 0;
}

} // namespace iris
