// What a storm of execs costs, on the host and in a container: alone, watched by Iris (sensor, attribution,
// routing, learning and judging, all in this process), and beside auditd with a rule for every execve. Each
// round measures all of them one after the other, and the ratio is the median of the rounds', since machines
// are never quite idle. Fails where an exec was lost, cut or told as another container's. bench_execs [COUNT
// [ROUNDS]]
#include "core/detect/service_collector.hpp"
#include "core/detect/service_judge.hpp"
#include "core/inventory/docker_json.hpp"
#include "node/router/routing.hpp"
#include "node/sources/node_clock.hpp"
#include "node/sources/process_source.hpp"
#include "tests/bench/execs/audit.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <unordered_set>
#include <vector>

namespace {

using namespace iris;

constexpr double budget = 1.02;
constexpr const char* image = "iris-lab-base:bookworm";

std::string shell(const std::string& command) {
  std::string out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return out;
  char buffer[4096];
  for (std::size_t count; (count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    out.append(buffer, count);
  ::pclose(pipe);
  while (!out.empty() && out.back() == '\n')
    out.pop_back();
  return out;
}

/// Runs commands in a process that was made before any monitor: what a monitor starts itself it does not
/// watch.
class Helper {
public:
  Helper() {
    int to[2], from[2];
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) std::exit(1);
    if (::fork() == 0) {
      ::close(to[1]);
      FILE* in = ::fdopen(to[0], "r");
      char line[4096];
      while (in != nullptr && std::fgets(line, sizeof line, in) != nullptr) {
        const auto answer = shell(line) + '\n';
        if (::write(from[1], answer.data(), answer.size()) < 0) break;
      }
      ::_exit(0);
    }
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = ::fdopen(from[0], "r");
  }
  /// The first line of what it says.
  std::string run(const std::string& command) {
    const auto line = command + '\n';
    char answer[4096] = {};
    if (::write(to_, line.data(), line.size()) < 0 || std::fgets(answer, sizeof answer, from_) == nullptr)
      return {};
    return answer;
  }

private:
  int to_ = -1;
  FILE* from_ = nullptr;
};

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Storm {
  Helper helper;
  std::string program; ///< lab_storm
  long count = 1'000;
  int number = 0;

  /// Microseconds an exec. `before` is given the container's facts, or null on the host.
  template <class Before>
  double run(bool contained, Before before) {
    const auto mark = "m" + std::to_string(::getpid()) + "x" + std::to_string(++number);
    std::string took;
    const auto words = std::to_string(count) + " " + mark + " /bin/true";
    if (!contained) {
      before(mark, ContainerFacts{});
      took = helper.run(program + " " + words);
    } else {
      const auto id = shell("docker create --network none -v " + program + ":/lab_storm:ro " + image +
                            " /lab_storm " + words);
      auto facts = parse_container(shell("docker inspect --format '{{json .}}' " + id));
      if (facts) {
        before(mark, *facts);
        took = helper.run("docker start -a " + id);
      }
      shell("docker rm -f " + id + " >/dev/null 2>&1");
    }
    const auto ns = std::atof(took.c_str());
    if (ns <= 0) {
      std::fprintf(stderr, "bench_execs: the storm did not run: %s\n", took.c_str());
      std::exit(1);
    }
    return ns / 1e3 / double(count);
  }
};

/// All that a node does with a process, on two threads as there.
class Monitor {
public:
  Monitor() {
    ProcessSourceOptions options;
    options.announce_running = false;
    auto started = ProcessSource::start(options, {[this](std::vector<ProcessEvent> batch) {
                                                    const std::lock_guard guard{lock_};
                                                    waiting_.push_back({std::move(batch)});
                                                    changed_.notify_one();
                                                  },
                                                  {},
                                                  {}});
    if (!started) {
      std::fprintf(stderr, "bench_execs: %s\n", started.error().message.c_str());
      std::exit(1);
    }
    source_ = std::move(*started);
    judge_ = std::thread{[this] { judge(); }};
  }
  ~Monitor() {
    source_.reset();
    {
      const std::lock_guard guard{lock_};
      stop_ = true;
    }
    changed_.notify_one();
    judge_.join();
  }

  void expect(const std::string& mark, const ContainerFacts& facts) {
    const std::lock_guard guard{lock_};
    mark_ = mark + "-";
    container_ = facts.id;
    if (!facts.id.empty()) {
      source_->container_stopped(facts);
      known_ = facts;
      known_.running = true;
    }
  }

  struct Account {
    std::size_t complete = 0, cut = 0, elsewhere = 0;
    std::uint64_t lost = 0;
  };
  /// Waits for the last of them.
  Account account(std::size_t expected) {
    std::unique_lock guard{lock_};
    done_.wait_for(guard, std::chrono::seconds{10},
                   [&] { return seen_.size() + account_.cut + account_.elsewhere >= expected; });
    account_.complete = seen_.size();
    account_.lost = source_->statistics().lost;
    return account_;
  }
  const char* sensor() const { return source_->sensor(); }

private:
  void judge() {
    Routing routing;
    std::map<std::string, std::pair<ServiceCollector, ServiceJudge>> pairs;
    std::unique_lock guard{lock_};
    while (true) {
      changed_.wait(guard, [this] { return stop_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      auto batches = std::move(waiting_);
      waiting_.clear();
      const auto facts = known_;
      guard.unlock();
      Routing::Out out;
      if (!facts.id.empty()) routing.take(ContainerBatch{{facts}, {}, false}, node_clock().now(), out);
      for (const auto& batch : batches) {
        count(batch);
        routing.take(batch, node_clock().now(), out);
      }
      std::vector<Finding> findings;
      for (const auto& observation : out.observations) {
        const auto& entity = observation.entity;
        auto pair = pairs.find(entity->container);
        if (pair == pairs.end())
          pair = pairs
                     .emplace(entity->container, std::pair{ServiceCollector{entity, "gw", {}, observation.at},
                                                           ServiceJudge{entity, "gw", {}, observation.at}})
                     .first;
        pair->second.second.judge(observation, pair->second.first.observe(observation), findings);
      }
      guard.lock();
      done_.notify_one();
    }
  }

  void count(const ProcessBatch& batch) {
    const std::lock_guard guard{lock_};
    for (const auto& event : batch.events) {
      const auto* start = std::get_if<ProcessStart>(&event.what);
      if (start == nullptr || mark_.empty()) continue;
      const auto& process = start->process;
      const bool ours = process.args.size() > 1 && process.args[1].starts_with(mark_);
      if (!ours || process.exe.find("lab_storm") != std::string::npos) continue;
      if (event.container != container_)
        ++account_.elsewhere;
      else if (process.args.size() != 3 || process.args[2] != "end" || process.args_cut)
        ++account_.cut;
      else
        seen_.insert(process.args[1]);
    }
  }

  std::mutex lock_;
  std::condition_variable changed_, done_;
  std::vector<ProcessBatch> waiting_;
  bool stop_ = false;
  std::string mark_, container_;
  ContainerFacts known_;
  std::unordered_set<std::string> seen_;
  Account account_;
  std::unique_ptr<ProcessSource> source_;
  std::thread judge_;
};

} // namespace

int main(int argc, char** argv) {
  if (::geteuid() != 0) {
    std::printf("not run: it needs root\n");
    return 0;
  }
  Storm storm;
  storm.program = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "lab_storm";
  if (argc > 1) storm.count = std::max(1L, std::strtol(argv[1], nullptr, 10));
  const int rounds = argc > 2 ? std::max(1, int(std::strtol(argv[2], nullptr, 10))) : 7;
  const bool engine =
      shell("docker image inspect --format ok " + std::string{image} + " 2>/dev/null") == "ok";
  std::string no_audit;
  bool good = true;
  const auto nothing = [](const std::string&, const ContainerFacts&) {};
  for (const bool contained : {false, true}) {
    if (contained && !engine) {
      std::printf("in a container: not measured, there is no engine or no image %s\n", image);
      continue;
    }
    std::vector<double> alone, watched, audited, ratio, audit_ratio;
    Monitor::Account sum;
    std::string sensor;
    (void)storm.run(contained, nothing); // warms up
    for (int round = 0; round < rounds; ++round) {
      const auto before = storm.run(contained, nothing);
      {
        Monitor monitor;
        sensor = monitor.sensor();
        watched.push_back(storm.run(contained, [&](const std::string& mark, const ContainerFacts& facts) {
          monitor.expect(mark, facts);
        }));
        const auto account = monitor.account(std::size_t(storm.count));
        sum.complete += account.complete, sum.cut += account.cut;
        sum.elsewhere += account.elsewhere, sum.lost += account.lost;
      }
      // Before and after, so that what else the machine does weighs on both sides.
      alone.push_back((before + storm.run(contained, nothing)) / 2);
      ratio.push_back(watched.back() / alone.back());
      if (!no_audit.empty()) continue;
      Audit audit;
      no_audit = audit.why_not();
      if (!no_audit.empty()) continue;
      audited.push_back(storm.run(contained, nothing));
      audit_ratio.push_back(audited.back() / alone.back());
    }
    const auto all = std::size_t(storm.count) * std::size_t(rounds);
    std::printf("%s, %ld posix_spawn of /bin/true, %d rounds\n", contained ? "in a container" : "on the host",
                storm.count, rounds);
    std::printf("  alone                %8.1f us an exec\n", median(alone));
    std::printf("  watched by %-9s %8.1f us, %+.1f %% (budget 2 %%: %s)\n", sensor.c_str(), median(watched),
                (median(ratio) - 1) * 100, median(ratio) <= budget ? "kept" : "NOT KEPT");
    if (no_audit.empty())
      std::printf("  beside auditd        %8.1f us, %+.1f %%\n", median(audited),
                  (median(audit_ratio) - 1) * 100);
    else
      std::printf("  beside auditd        not measured: %s\n", no_audit.c_str());
    std::printf(
        "  %zu of %zu told with all their arguments, %zu cut, %zu elsewhere, %llu events lost (budget: all, "
        "0, 0, 0)\n",
        sum.complete, all, sum.cut, sum.elsewhere, (unsigned long long)sum.lost);
    good = good && sum.complete == all && sum.cut == 0 && sum.elsewhere == 0 && sum.lost == 0;
  }
  return good ? 0 : 1;
}
