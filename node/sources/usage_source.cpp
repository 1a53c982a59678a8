#include "node/sources/usage_source.hpp"

#include "node/sources/node_clock.hpp"
#include "node/sources/usage_reader.hpp"

#include <condition_variable>
#include <ctime>
#include <fstream>
#include <map>
#include <mutex>
#include <pthread.h>
#include <sstream>
#include <thread>
#include <utility>

namespace iris {
namespace {

constexpr std::size_t container_limit = 4096;

std::int64_t clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t(now.tv_sec) * second + now.tv_nsec;
}

std::string contents(const std::string& path) {
  std::ifstream file{path};
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

class Source final : public UsageSource {
public:
  Source(const UsageSourceOptions& options, UsageSourceSinks sinks)
      : options_{options}, sinks_{std::move(sinks)}, reader_{contents("/proc/self/mountinfo")} {
    thread_ = std::thread{[this] { run(); }};
    ::pthread_setname_np(thread_.native_handle(), "iris-usage");
  }

  ~Source() override {
    {
      std::lock_guard guard{lock_};
      stop_ = true;
    }
    wake_.notify_all();
    thread_.join();
  }

  void container_started(const ContainerFacts& facts) override {
    if (facts.pid == 0) return;
    // Looked up now and here: the group's path outlives its first process.
    Watched watched;
    watched.groups = contents("/proc/" + std::to_string(facts.pid) + "/cgroup");
    if (auto now = reader_.read(watched.groups)) watched.last = *now;
    watched.since = clock_now(CLOCK_MONOTONIC);
    std::lock_guard guard{lock_};
    if (watched_.size() < container_limit || watched_.contains(facts.id))
      watched_[facts.id] = std::move(watched);
  }

  void container_gone(const std::string& id) override {
    std::lock_guard guard{lock_};
    watched_.erase(id);
  }

  void set_window(Duration window) override {
    {
      std::lock_guard guard{lock_};
      options_.window = window;
      window_changed_ = true;
    }
    wake_.notify_all();
  }

private:
  struct Watched {
    std::string groups; ///< /proc/PID/cgroup
    GroupUsage last;
    std::int64_t since = 0; ///< monotonic time of `last`
    bool told = false;      ///< that it cannot be read
  };

  void run() {
    if (!reader_.usable() && sinks_.health)
      sinks_.health({"usage", "down", 1, node_clock().now(),
                     "no control groups are mounted below /sys/fs/cgroup: mount the host's there"});
    std::unique_lock guard{lock_};
    auto next = std::chrono::steady_clock::now();
    while (!stop_) {
      next += std::chrono::nanoseconds{options_.window};
      wake_.wait_until(guard, next, [&] { return stop_ || window_changed_; });
      if (stop_) return;
      if (std::exchange(window_changed_, false)) next = std::chrono::steady_clock::now();
      std::vector<UsageSample> samples;
      std::uint64_t unreadable = 0;
      const auto at = node_clock().now();
      for (auto& [id, watched] : watched_) {
        auto now = reader_.read(watched.groups);
        const auto time = clock_now(CLOCK_MONOTONIC);
        if (!now) {
          if (!std::exchange(watched.told, true)) ++unreadable;
          continue;
        }
        UsageSample sample{id, at, {}};
        sample.usage.span = time - watched.since;
        // A group that was made anew counts from zero.
        sample.usage.cpu = now->cpu >= watched.last.cpu ? now->cpu - watched.last.cpu : now->cpu;
        sample.usage.memory = now->memory;
        sample.usage.pids = now->pids;
        watched.last = *now;
        watched.since = time;
        watched.told = false;
        samples.push_back(std::move(sample));
      }
      guard.unlock();
      if (!samples.empty()) sinks_.deliver(std::move(samples));
      if (unreadable > 0 && sinks_.health)
        sinks_.health(
            {"usage", "unreadable", unreadable, at, "control groups of running containers cannot be read"});
      guard.lock();
    }
  }

  UsageSourceOptions options_;
  UsageSourceSinks sinks_;
  UsageReader reader_;
  std::mutex lock_;
  std::condition_variable wake_;
  std::map<std::string, Watched> watched_;
  bool stop_ = false, window_changed_ = false;
  std::thread thread_;
};

} // namespace

std::unique_ptr<UsageSource> UsageSource::start(const UsageSourceOptions& options, UsageSourceSinks sinks) {
  return std::make_unique<Source>(options, std::move(sinks));
}

} // namespace iris
