#include "node/sources/docker_source.hpp"

#include "node/sources/container_scan.hpp"
#include "node/sources/docker_tracker.hpp"
#include "node/sources/http_client.hpp"
#include "node/sources/node_clock.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <ctime>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace iris {
namespace {

constexpr const char* newest_api = "1.45"; ///< newest that this was written against
constexpr const char* oldest_api = "1.24"; ///< the engine's own hard floor
constexpr std::size_t answer_limit = 16 << 20;
constexpr std::size_t line_limit = 1 << 20;
constexpr Duration replay_quiet =
    300 * millisecond; ///< after so long without a line the missed events are through
constexpr std::size_t replay_limit = 2048;
// {"type":["container","network"]}
constexpr const char* event_filter = "%7B%22type%22%3A%5B%22container%22%2C%22network%22%5D%7D";

std::int64_t clock_now(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::int64_t(now.tv_sec) * second + now.tv_nsec;
}

class Source final : public DockerSource {
public:
  Source(const DockerSourceOptions& options, DockerSourceSinks sinks)
      : options_{options}, sinks_{std::move(sinks)}, stop_fd_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
        tracker_{[this](const std::string& id) { return inspect(id); }, options.asked_window},
        scan_{options.proc} {
    thread_ = std::thread{[this] { run(); }};
    ::pthread_setname_np(thread_.native_handle(), "iris-docker");
  }

  ~Source() override {
    stop_ = true;
    const std::uint64_t one = 1;
    (void)!::write(stop_fd_, &one, sizeof one);
    thread_.join();
    ::close(stop_fd_);
  }

  DockerSourceStatistics statistics() const override {
    std::lock_guard guard{lock_};
    return shown_;
  }

private:
  void run() {
    Duration retry = options_.first_retry;
    std::string complaint;
    while (!stop_) {
      auto ended = session(retry, complaint);
      if (stop_) return;
      edit([this](auto& shown) {
        if (std::exchange(shown.connected, false)) away_since_ = clock_now(CLOCK_MONOTONIC);
      });
      if (complaint != ended.message) // the same complaint once, not every retry
        tell("down", 1,
             ended.message + "; until it answers, containers are known by their control groups: without "
                             "names, images and settings");
      complaint = ended.message;
      wait_and_scan(retry);
      retry = std::min(retry * 2, options_.last_retry);
      edit([](auto& shown) { ++shown.reconnects; });
    }
  }

  void wait_and_scan(Duration retry) {
    const auto until = clock_now(CLOCK_MONOTONIC) + retry;
    while (!stop_) {
      const auto left = until - clock_now(CLOCK_MONOTONIC);
      if (left <= 0) return;
      if (const auto now = clock_now(CLOCK_MONOTONIC);
          now - away_since_ >= options_.scan_after && now - scanned_at_ >= options_.scan_interval) {
        scanned_at_ = now;
        auto reports = scan_.scan(clock_now(CLOCK_REALTIME),
                                  [this](const std::string& id) { return tracker_.knows(id); });
        edit([this](auto& shown) { shown.by_groups = scan_.containers(); });
        if (!reports.empty()) sinks_.deliver(std::move(reports));
      }
      pollfd fd{stop_fd_, POLLIN, 0};
      (void)::poll(&fd, 1, int(std::min(left, options_.scan_interval) / millisecond + 1));
    }
  }

  /// One connection's life; returns why it ended.
  Error session(Duration& retry, std::string& complaint) {
    endpoint_.unix_path = options_.socket;
    if (!options_.other_socket.empty() && ::access(options_.socket.c_str(), F_OK) != 0 &&
        ::access(options_.other_socket.c_str(), F_OK) == 0)
      endpoint_.unix_path = options_.other_socket;
    auto version = get("/version");
    if (!version) return version.error();
    auto engine = parse_engine_version(*version);
    if (!engine) return engine.error();
    auto api = choose_api(*engine, newest_api, oldest_api);
    if (!api) return api.error();
    api_ = "/v" + *api;
    tracker_.set_tells_stops(!engine->podman);
    edit([&](auto& shown) { shown.engine = engine->engine, shown.api = *api; });

    // Subscribe first, so that nothing falls between the list and the first event.
    std::string target = api_ + "/events?filters=" + event_filter;
    const auto since = tracker_.last_event() != 0 ? tracker_.last_event() : clock_now(CLOCK_REALTIME);
    char text[48];
    std::snprintf(text, sizeof text, "&since=%lld.%09lld", (long long)(since / second),
                  (long long)(since % second));
    auto lines = HttpLines::open(endpoint_, target + text, options_.request_timeout, line_limit, stop_fd_);
    if (!lines) return lines.error();
    if (tracker_.last_event() !=
        0) // events that we missed come first and are better than what a list can tell
      for (std::size_t i = 0; i < replay_limit && !stop_; ++i) {
        auto line = lines.value()->next(replay_quiet);
        if (!line && line.error().code == Errc::expired) break;
        if (!line) return line.error();
        on_line(*line);
      }
    if (auto listed = relist(tracker_.listed()); !listed) return listed.error();
    // Whoever was known by his control group has his name now.
    if (auto gone = scan_.hand_over(clock_now(CLOCK_REALTIME),
                                    [this](const std::string& id) { return tracker_.knows(id); });
        !gone.empty())
      sinks_.deliver(std::move(gone));
    edit([](auto& shown) { shown.connected = true, shown.by_groups = 0; });
    tell("up", 0, std::string{engine->podman ? "podman " : "engine "} + engine->engine + ", API " + *api);
    retry = options_.first_retry;
    complaint.clear();

    auto next_list = clock_now(CLOCK_MONOTONIC) + options_.relist;
    std::uint64_t oversized = 0;
    while (!stop_) {
      const auto wait = next_list - clock_now(CLOCK_MONOTONIC);
      if (wait <= 0) {
        if (auto listed = relist(false); !listed) return listed.error();
        next_list = clock_now(CLOCK_MONOTONIC) + options_.relist;
        continue;
      }
      auto line = lines.value()->next(wait);
      if (line)
        on_line(*line);
      else if (line.error().code != Errc::expired)
        return line.error();
      if (auto now = lines.value()->oversized(); now != oversized) {
        tell("oversized", now - oversized,
             "events of the container engine were longer than is accepted and were skipped");
        edit([&](auto& shown) { shown.oversized += now - oversized; });
        oversized = now;
      }
    }
    return {Errc::expired, "stopped"};
  }

  void on_line(const std::string& line) {
    auto event = parse_engine_event(line);
    if (!event) {
      tell("unreadable", 1, event.error().message);
      edit([](auto& shown) { ++shown.unreadable; });
      return;
    }
    edit([](auto& shown) { ++shown.events; });
    if (event->kind == EngineEvent::Kind::exec && sinks_.exec)
      sinks_.exec(event->event.id, std::move(event->exec_command), event->event.at);
    if (event->kind != EngineEvent::Kind::change) return;
    if (auto report = tracker_.on_event(std::move(event->event))) {
      std::vector<ContainerReport> batch;
      batch.push_back(std::move(*report));
      sinks_.deliver(std::move(batch));
    }
    tell_left_out();
    edit([&](auto& shown) { shown.containers = tracker_.containers(); });
  }

  void tell_left_out() {
    const auto count = tracker_.take_left_out();
    if (count == 0) return;
    edit([&](auto& shown) { shown.left_out += count; });
    tell("left-out", count, "there are more containers than are watched: the newest are not");
  }

  Result<void> relist(bool resumed) {
    auto body = get(api_ + "/containers/json?all=1");
    if (!body) return body.error();
    auto list = parse_container_list(*body);
    if (!list) return list.error();
    if (auto reports = tracker_.on_list(*list, clock_now(CLOCK_REALTIME), resumed); !reports.empty())
      sinks_.deliver(std::move(reports));
    if (auto count = tracker_.take_unexplained(); count > 0)
      tell("unexplained", count,
           "containers ended while the container engine was away; whether they crashed is not known");
    tell_left_out();
    edit([&](auto& shown) { shown.containers = tracker_.containers(); });
    return {};
  }

  Result<ContainerFacts> inspect(const std::string& id) {
    edit([](auto& shown) { ++shown.inspections; });
    auto body = get(api_ + "/containers/" + id + "/json");
    if (!body) return body.error();
    return parse_container(*body);
  }

  Result<std::string> get(const std::string& target) {
    auto reply = http_get(endpoint_, target, options_.request_timeout, answer_limit, stop_fd_);
    if (!reply) return reply.error();
    if (reply->status == 404) return Error{Errc::not_found, endpoint_.unix_path + " knows no " + target};
    if (reply->status != 200)
      return Error{Errc::unavailable, endpoint_.unix_path + " answered " + std::to_string(reply->status) +
                                          " to GET " + target + ": " + reply->body.substr(0, 200)};
    return std::move(reply->body);
  }

  void tell(const char* what, std::uint64_t count, std::string detail) {
    if (sinks_.health) sinks_.health({"docker", what, count, node_clock().now(), std::move(detail)});
  }

  template <class Change>
  void edit(Change change) {
    std::lock_guard guard{lock_};
    change(shown_);
  }

  DockerSourceOptions options_;
  DockerSourceSinks sinks_;
  HttpEndpoint endpoint_;
  std::string api_;
  int stop_fd_;
  DockerTracker tracker_;
  ContainerScan scan_;
  Timestamp scanned_at_ = 0, away_since_ = clock_now(CLOCK_MONOTONIC); ///< monotonic
  std::atomic<bool> stop_{false};
  mutable std::mutex lock_;
  DockerSourceStatistics shown_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<DockerSource> DockerSource::start(const DockerSourceOptions& options,
                                                  DockerSourceSinks sinks) {
  return std::make_unique<Source>(options, std::move(sinks));
}

} // namespace iris
