#include "node/record_command.hpp"

#include "actors/actor_config.hpp"
#include "actors/logging.hpp"
#include "actors/spawn.hpp"
#include "actors/supervisor.hpp"
#include "core/base/clock_line.hpp"
#include "node/options.hpp"
#include "node/recorder_actor.hpp"
#include "node/recording/packet_recorder.hpp"
#include "node/source_hub.hpp"
#include "node/sources/node_clock.hpp"
#include "node/version.hpp"

#include <CLI/CLI.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <ctime>
#include <unistd.h>

namespace iris {
namespace {

using namespace std::chrono_literals;

struct RecordOptions {
  NodeOptions sources;
  std::string out, span;
  bool packets = false;
  int snapshot = recorded_frame;
  Duration length = 0; ///< 0: until it is stopped
  RecordingLimits limits;
};

std::optional<int> parse(int argc, char** argv, RecordOptions& options) {
  CLI::App app{
      "Keeps all that the sources see of this gateway in a file that `iris-node replay` judges; needs no "
      "cloud and no enrolment.",
      "iris-node record"};
  app.add_option("--out", options.out, "File to append to; made where there is none")->required();
  app.add_flag("--pcap", options.packets,
               "Keep every packet too; `iris-node replay --write-pcap` takes them out");
  app.add_option("--snapshot", options.snapshot, "Bytes kept of each packet")
      ->check(CLI::Range(64, recorded_frame))
      ->capture_default_str();
  app.add_option("--max-bytes", options.limits.bytes, "Bound of the file, bytes; recording ends there")
      ->check(CLI::Range(std::uint64_t{1} << 20, std::uint64_t{1} << 40))
      ->capture_default_str();
  app.add_option("--for", options.span, "How long, such as 90s or 1h (default: until it is stopped)");
  add_source_options(app, options.sources);
  try {
    app.parse(argc, argv);
    if (!options.span.empty()) {
      const auto length = parse_duration(options.span);
      if (!length || *length <= 0)
        throw CLI::ValidationError{"--for", "not a duration such as 90s, 5m or 1h: " + options.span};
      options.length = *length;
    }
    if (options.packets && options.sources.no_packets)
      throw CLI::ValidationError{"--pcap", "there are no packets with --no-packets"};
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return std::nullopt;
}

std::string summary(const std::string& path, const Recorder::Figures& figures) {
  auto line = path + ": " + std::to_string(figures.batches) + " batches";
  if (figures.packets != 0) line += " and " + std::to_string(figures.packets) + " packets";
  line += " recorded, the file has " + human_bytes(figures.bytes);
  if (figures.lost.batches + figures.lost.packets != 0)
    line += "; " + std::to_string(figures.lost.batches) + " batches and " +
            std::to_string(figures.lost.packets) + " packets were lost";
  return line;
}

/// Until a signal, the end of its time, or the recording's own end.
void wait(const RecordOptions& options, const Recorder& recorder, const sigset_t& signals) {
  const bool terminal = ::isatty(STDERR_FILENO) != 0;
  const auto begun = node_clock().now();
  while (options.length == 0 || node_clock().now() - begun < options.length) {
    const timespec pause{0, 500'000'000};
    if (::sigtimedwait(&signals, nullptr, &pause) > 0) break;
    const auto figures = recorder.figures();
    if (!figures.ended.empty()) break;
    if (terminal) std::fprintf(stderr, "\r\x1b[K%s", summary(options.out, figures).c_str());
  }
  if (terminal) std::fputs("\r\x1b[K", stderr);
}

} // namespace

int record_main(int argc, char** argv) {
  RecordOptions options;
  if (auto code = parse(argc, argv, options)) return *code;
  if (auto logging = start_logging(options.sources.log_level); !logging) {
    std::fprintf(stderr, "iris-node record: %s\n", logging.error().message.c_str());
    return 2;
  }
  sigset_t signals; // before any thread exists, so that all inherit it
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  options.sources.data.clear(); // nothing is kept but the recording

  RecordedStart start{"gateway", version(), {}};
  for (const auto& text : options.sources.local) {
    const auto network = parse_cidr(text);
    if (!network) {
      std::fprintf(stderr, "iris-node record: --local %s: not a network such as 192.0.2.0/24\n",
                   text.c_str());
      return 2;
    }
    start.local.push_back(*network);
  }
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) == 0 && host[0] != 0) start.gateway = host;
  auto opened = Recorder::start(options.out, options.limits);
  if (!opened) {
    std::fprintf(stderr, "iris-node record: %s\n", opened.error().message.c_str());
    return 1;
  }
  auto recorder = std::move(*opened);
  const auto moment = [] { return FrameMoment{node_clock().now(), node_clock().shift()}; };
  recorder->take(moment(), start);

  Directory directory;
  ActorConfig config{ActorConfig::Options{}};
  caf::actor_system system{config};
  auto supervisor = spawn_supervisor(system, directory, {});
  Slot<RouterActor> router;
  supervise<RouterActor>(
      supervisor, "recorder",
      [&] {
        return spawn_in<RouterActor, RecorderState>(system, directory, {.kind = "recorder"}, recorder_actor,
                                                    recorder, std::function<FrameMoment()>{moment});
      },
      router);
  SourceHubWorld world{&system, &directory, supervisor, router, {}, 0};
  if (options.packets) {
    world.snapshot = options.snapshot;
    world.taps = [recorder](const std::string& interface) {
      return std::vector<std::shared_ptr<PacketTap>>{
          std::make_shared<PacketRecorder>(recorder, interface, [] { return node_clock().shift(); })};
    };
  }
  int exit = 0;
  if (auto sources = SourceHub::start(options.sources, world); !sources) {
    std::fprintf(stderr, "iris-node record: %s\n", sources.error().message.c_str());
    exit = 1;
  } else {
    spdlog::info("recording to {}{}", options.out, options.packets ? ", packets too" : "");
    wait(options, *recorder, signals);
  }
  caf::scoped_actor self{system}; // what the sources gave last is through when the recorder answers
  if (auto handle = router.get())
    self->request(handle, 2s, atom::inspect_v)
        .receive([](const Ref<InspectAnswer>&) {}, [](const caf::error&) {});
  shut_down(system, supervisor, 5s);
  router.clear();
  world.taps = {};
  recorder->finish();
  if (exit == 0) std::fprintf(stderr, "%s\n", summary(options.out, recorder->figures()).c_str());
  return exit;
}

} // namespace iris
