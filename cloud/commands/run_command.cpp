#include "actors/logging.hpp"
#include "actors/ticks.hpp"
#include "cloud/commands/commands.hpp"
#include "cloud/commands/common.hpp"

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <ctime>

namespace iris {

int run_main(int argc, char** argv) {
  CLI::App app{"Runs the cloud until SIGTERM or SIGINT. For every setting a flag comes before the "
               "environment (IRIS_...), "
               "and that before the configuration file.",
               "iris-cloud run"};
  ConfigFlags flags{app};
  bool create_store = false;
  app.add_flag("--create-store", create_store,
               "Make the database when there is none: the first start on a volume that got its authority "
               "from elsewhere")
      ->envname("IRIS_CREATE_STORE");
  if (auto code = parse(app, argc, argv); code >= 0) return code;
  CloudPaths paths{flags.data};
  auto config = flags.load(paths);
  if (!config) return fail(config.error());
  if (auto done = start_logging(config->log_level); !done) return fail(done.error());
  // Every thread that follows inherits this mask, so the signals come to sigtimedwait alone.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  const auto backup_dir = config->backup_dir;
  const auto backup_every = config->backup_every;
  auto program = CloudProgram::start(paths, std::move(*config), create_store);
  if (!program) return fail(program.error());
  auto next_backup = TickScale::wall_now() + backup_every;
  for (;;) {
    const timespec second_long{1, 0};
    auto signal = sigtimedwait(&signals, nullptr, &second_long);
    if (signal > 0) {
      spdlog::info("{}: ending", signal == SIGTERM ? "SIGTERM" : "SIGINT");
      break;
    }
    (*program)->look_after_certificates();
    (*program)->look_after_gateways();
    if (backup_dir.empty() || TickScale::wall_now() < next_backup) continue;
    next_backup = TickScale::wall_now() + backup_every;
    auto done = (*program)->backup();
    if (done)
      spdlog::info("backup made in {}", backup_dir);
    else
      spdlog::error("{}", done.error().message);
  }
  (*program).reset();
  spdlog::info("ended");
  return 0;
}

} // namespace iris
