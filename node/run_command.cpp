#include "node/run_command.hpp"

#include "actors/control_socket.hpp"
#include "actors/interfaces.hpp"
#include "actors/logging.hpp"
#include "node/gateway.hpp"
#include "node/version.hpp"

#include <caf/scoped_actor.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>

namespace iris {

int run_main(int argc, char** argv) {
  NodeOptions options;
  if (auto code = parse_node_options(argc, argv, options)) return *code;
  if (auto logging = start_logging(options.log_level); !logging) {
    std::fprintf(stderr, "iris-node: %s\n", logging.error().message.c_str());
    return 2;
  }
  // Before any thread exists, so that all inherit it: signals are taken by sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  auto gateway = Gateway::start(options);
  if (!gateway) {
    std::fprintf(stderr, "iris-node: %s\n", gateway.error().message.c_str());
    return 1;
  }
  auto& running = **gateway;
  auto control =
      ControlSocket::listen(options.data + "/control.sock", [&running](const QueryRequest& request) {
        caf::scoped_actor self{running.system()};
        QueryAnswer answer = answer_error(Errc::unavailable, "the inspector does not answer");
        if (auto inspector = running.inspector().get())
          self->request(inspector, std::chrono::milliseconds(request.deadline_ms), make_ref(request))
              .receive([&](const Ref<QueryAnswer>& got) { answer = *got; }, [](const caf::error&) {});
        return answer;
      });
  if (!control) spdlog::warn("no control socket: {}", control.error().message);
  spdlog::info("iris-node {} watches {}", version(), running.name());
  int signal = 0;
  sigwait(&signals, &signal);
  spdlog::info("stopping");
  return 0;
}

} // namespace iris
