#include "actors/logging.hpp"
#include "actors/query_codec.hpp"
#include "core/base/terminal_text.hpp"
#include "shell/bundle.hpp"
#include "shell/channel.hpp"
#include "shell/interactive.hpp"
#include "shell/renewal.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <thread>
#include <unistd.h>

namespace {

using namespace iris;

struct Options {
  std::string bundle, server, socket, log;
  std::vector<std::string> commands;
  bool json = false, renew = false;
  double timeout = 10; ///< seconds
  double watch = 0;    ///< seconds; 0 for once
};

int fail(const Error& error) {
  std::fputs(("iris-shell: " + terminal_safe(error.message) + "\n").c_str(), stderr);
  return int(exit_of(error.code));
}

std::string default_bundle() {
  const char* home = std::getenv("HOME");
  return home != nullptr && *home == '/' ? std::string{home} + "/.config/iris" : std::string{};
}

LinkChannelOptions link_options(const Options& options) {
  LinkChannelOptions link;
  link.bundle = options.bundle.empty() ? default_bundle() : options.bundle;
  link.server = options.server;
  link.patience = std::chrono::milliseconds{std::int64_t(options.timeout * 1'000)};
  return link;
}

/// --renew: the operator's next certificate, and nothing else.
int renew(const Options& options) {
  const auto link = link_options(options);
  if (auto bundle = read_bundle(link.bundle, link.server.empty()); !bundle) return fail(bundle.error());
  const auto renewed = renew_when_due(link, std::time(nullptr), true);
  if (!renewed) return fail(renewed.error());
  if (*renewed == Renewal::busy) return fail({Errc::locked, "another iris-shell renews it at this moment"});
  if (*renewed == Renewal::not_due)
    return fail({Errc::expired, "the certificate in " + link.bundle +
                                    " has ended or cannot be read: have yourself revoked and added again"});
  std::printf("the certificate in %s is renewed\n", link.bundle.c_str());
  return 0;
}

Result<std::unique_ptr<Channel>> open_channel(const Options& options) {
  if (!options.socket.empty()) return open_socket_channel(options.socket);
  auto link = link_options(options);
  if (link.bundle.empty())
    return Error{Errc::invalid,
                 "say where the operator's certificate is: --bundle DIR, or --socket PATH for a process "
                 "on this machine"};
  if (auto renewed = renew_when_due(link, std::time(nullptr)); !renewed)
    (void)fail(renewed.error()); // a line; until it ends it connects as well as before
  return open_link_channel(std::move(link));
}

/// Connects when something is asked: `detectors` and `help` need nobody.
class LazyChannel final : public Channel {
public:
  explicit LazyChannel(const Options& options) : options_{options} {
    // nop
  }
  Result<void> connect() {
    if (channel_) return {};
    auto opened = open_channel(options_);
    if (!opened) return opened.error();
    channel_ = std::move(*opened);
    return {};
  }
  Result<QueryAnswer> ask(const QueryRequest& request) override {
    if (auto connected = connect(); !connected) return connected.error();
    return channel_->ask(request);
  }
  [[nodiscard]] bool open() const override { return !options_.socket.empty(); }
  [[nodiscard]] std::string name() const override { return channel_ ? channel_->name() : "iris"; }

private:
  const Options& options_;
  std::unique_ptr<Channel> channel_;
};

/// Every command once; the exit code of the first that failed.
Exit run_all(Runner& runner, const std::vector<std::string>& commands) {
  auto exit = Exit::ok;
  for (const auto& command : commands) {
    const auto outcome = runner.run(command);
    if (exit == Exit::ok) exit = outcome.exit;
    if (!show(outcome)) return Exit::failed;
    if (outcome.quit) break;
  }
  return exit;
}

Exit watch(Runner& runner, const Options& options) {
  const bool clear = ::isatty(STDOUT_FILENO) != 0 && !options.json;
  while (true) {
    if (clear) std::fputs("\x1b[H\x1b[2J", stdout);
    runner.set_width(terminal_width());
    const auto exit = run_all(runner, options.commands);
    if (exit == Exit::usage || std::ferror(stdout) != 0) return exit;
    std::this_thread::sleep_for(std::chrono::duration<double>{options.watch});
  }
}

int run(const Options& options) {
  LazyChannel channel{options};
  const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  RenderOptions render;
  render.json = options.json;
  render.colour = terminal && std::getenv("NO_COLOR") == nullptr;
  render.width = terminal_width();
  Runner runner{channel, render, std::uint32_t(options.timeout * 1'000)};
  if (options.watch > 0) return int(watch(runner, options));
  if (!options.commands.empty()) return int(run_all(runner, options.commands));
  if (::isatty(STDIN_FILENO) == 0) return int(run_script(runner));
  if (auto connected = channel.connect(); !connected) return fail(connected.error());
  return int(run_interactive(runner, channel.name()));
}

} // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{
      "Ask the Iris cloud, a gateway through it, or a process on this machine what it sees and does.\n"
      "Without -c it reads commands from the terminal or, one a line, from a pipe; `help` lists them."};
  app.name("iris-shell");
  app.set_version_flag("--version", "iris-shell " IRIS_VERSION);
  app.add_option("--bundle", options.bundle,
                 "Folder with the operator's ca.pem, cert.pem, key.pem and addresses.txt\n"
                 "(default ~/.config/iris)")
      ->envname("IRIS_BUNDLE");
  app.add_option("--server", options.server, "HOST:PORT of the cloud instead of the bundle's addresses")
      ->envname("IRIS_SERVER");
  app.add_option("--socket", options.socket,
                 "Control socket of an iris-cloud or iris-node on this machine; goes before the others");
  app.add_option("-c,--command", options.commands, "Run this command and exit; may be given several times")
      ->allow_extra_args(false);
  app.add_flag("--renew", options.renew,
               "Renew the operator's certificate and exit. Else it is renewed when two thirds of its life\n"
               "are over; before that the cloud allows it after `iris-cloud ca roll`");
  app.add_flag("--json", options.json, "One JSON object a line instead of tables");
  app.add_option("--timeout", options.timeout, "Seconds to connect, and to wait for an answer")
      ->check(CLI::Range(0.1, double(deadline_limit_ms) / 1'000))
      ->capture_default_str();
  app.add_option("--watch", options.watch, "Run the commands again every so many seconds")
      ->check(CLI::Range(0.5, 86'400.0));
  app.add_option("--log-level", options.log, "trace, debug, info, warn, error or off (default warn)")
      ->envname("IRIS_LOG_LEVEL");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : int(Exit::usage);
  }
  if (options.watch > 0 && options.commands.empty())
    return fail({Errc::invalid, "--watch needs at least one -c COMMAND"});
  if (auto logging = start_logging(options.log.empty() ? "warn" : options.log); !logging)
    return fail(logging.error());
  try {
    return options.renew ? renew(options) : run(options);
  } catch (const std::exception& problem) {
    return fail({Errc::io, problem.what()});
  }
}
