// How many packets a second pass through decoder, flow table and traffic watch, from memory and from a
// capture file, and how long other tools take for the same file. Usage: bench_packets [PACKETS]
#include "node/replay/replay.hpp"
#include "node/sources/capture_file.hpp"
#include "node/sources/packet_pipeline.hpp"
#include "tests/captures/gateway_traffic.hpp"
#include "tests/captures/pcap_writer.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace iris;

namespace {

double seconds_of(const auto& work) {
  auto begun = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
}

/// The shortest of three runs: what the machine's other work disturbs least.
double best_of_three(const auto& work) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i)
    best = std::min(best, seconds_of(work));
  return best;
}

struct Recording {
  struct Record {
    std::size_t offset;
    std::uint32_t size;
    Timestamp at;
  };
  std::vector<std::uint8_t> bytes;
  std::vector<Record> records;

  explicit Recording(std::size_t packets) {
    GatewayTraffic traffic;
    records.reserve(packets);
    for (std::size_t i = 0; i < packets; ++i) {
      auto frame = traffic.next();
      records.push_back({bytes.size(), std::uint32_t(frame.bytes.size()), frame.at});
      bytes.insert(bytes.end(), frame.bytes.begin(), frame.bytes.end());
    }
  }
  [[nodiscard]] std::span<const std::uint8_t> frame(const Record& record) const {
    return {bytes.data() + record.offset, record.size};
  }
};

/// @returns seconds, or a negative number where the tool is not installed or fails.
double run_tool(const std::vector<std::string>& command) {
  std::string line;
  for (const auto& word : command)
    line += word + " ";
  if (std::system(("command -v " + command[0] + " >/dev/null 2>&1").c_str()) != 0) return -1;
  bool good = true;
  auto best = best_of_three([&] { good = std::system((line + " >/dev/null 2>&1").c_str()) == 0 && good; });
  return good ? best : -1;
}

} // namespace

int main(int argc, char** argv) {
  std::size_t packets = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2'000'000;
  Recording recording{packets};
  auto report = [&](const char* what, double seconds) {
    std::printf("%-44s %8.3f s  %6.2f M packets/s  %5.0f ns a packet\n", what, seconds,
                double(packets) / seconds / 1e6, seconds * 1e9 / double(packets));
    std::fflush(stdout);
  };

  std::uint64_t sum = 0;
  report("decode, from memory", best_of_three([&] {
           PacketView view;
           for (const auto& record : recording.records)
             if (decode(link_type::ethernet, recording.frame(record), record.size, view) == Decoded::ip)
               sum += view.dport;
         }));
  std::uint64_t flows = 0;
  report("decode and flow table, from memory", best_of_three([&] {
           FlowTable table{{}};
           std::vector<Flow> out;
           PacketView view;
           for (const auto& record : recording.records) {
             table.advance(record.at, out);
             if (decode(link_type::ethernet, recording.frame(record), record.size, view) == Decoded::ip)
               table.add(view, record.at, out);
             if (out.size() > 1'024) {
               out.clear();
               table.harvested();
             }
           }
           flows = table.stats().flows;
         }));
  PipelineStats stats;
  report("the whole pipeline, from memory", best_of_three([&] {
           PacketPipeline pipeline{{}};
           PacketHarvest harvest;
           for (const auto& record : recording.records) {
             pipeline.packet(link_type::ethernet, recording.frame(record), record.size, record.at);
             if (pipeline.harvest().flows.size() > 1'024) pipeline.take(harvest);
           }
           pipeline.flush();
           stats = pipeline.stats();
         }));
  std::printf("  %llu flows, %llu reports, %llu alarms (decoder check %llu)\n", (unsigned long long)flows,
              (unsigned long long)stats.flows.reports, (unsigned long long)stats.watch.alarms,
              (unsigned long long)sum);

  auto path = (std::filesystem::temp_directory_path() / ("iris-bench-" + std::to_string(getpid()) + ".pcap"))
                  .string();
  {
    PcapWriter writer{path};
    for (const auto& record : recording.records)
      writer.write(recording.frame(record), record.at);
    if (!writer.close()) {
      std::fprintf(stderr, "bench_packets: cannot write %s\n", path.c_str());
      return 1;
    }
  }
  report("reading the capture file alone", best_of_three([&] {
           auto file = CaptureFile::open(path);
           CapturedFrame frame;
           while (file && (*file)->next(frame))
             sum += frame.wire_length;
         }));
  auto replayed = [&](bool labels) {
    return best_of_three([&] {
      ReplayOptions options;
      options.captures = {path};
      options.label_applications = labels;
      ReplayStats ignored;
      static_cast<void>(replay(options, ignored, [](const std::string&) {}));
    });
  };
  double ours = replayed(false);
  report("iris-node replay --no-dpi, whole run", ours);
  report("iris-node replay, application labels too", replayed(true));

  struct Rival {
    const char* name;
    std::vector<std::string> command;
    double budget;
  };
  for (const auto& rival :
       std::vector<Rival>{{"softflowd", {"softflowd", "-r", path, "-n", "127.0.0.1:9995", "-d"}, 0.6},
                          {"argus", {"argus", "-r", path, "-w", "/dev/null"}, 0.35},
                          {"tcpdump", {"tcpdump", "-r", path, "-w", "/dev/null"}, 1.6}}) {
    auto theirs = run_tool(rival.command);
    if (theirs < 0) {
      std::printf("%-44s not installed here, or it failed\n", rival.name);
      continue;
    }
    report(rival.name, theirs);
    std::printf("  iris takes %.2f of its time, budget %.2f: %s\n", ours / theirs, rival.budget,
                ours / theirs <= rival.budget ? "kept" : "NOT KEPT");
  }
  std::filesystem::remove(path);
}
