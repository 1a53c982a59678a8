#pragma once
#include <utility> // Boost 1.74 under C++20 needs it first

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <unordered_set>
#include <vector>

namespace iris {

class Connection;

/// One thread that runs sockets and timers. Every connection belongs to exactly one and is touched nowhere
/// else.
class PumpThread {
public:
  PumpThread();
  ~PumpThread();
  PumpThread(const PumpThread&) = delete;
  PumpThread& operator=(const PumpThread&) = delete;

  [[nodiscard]] boost::asio::io_context& io() { return io_; }
  /// Its deadlines and heartbeats are looked after from now on. Both on this thread.
  void add(std::shared_ptr<Connection> connection) { connections_.insert(std::move(connection)); }
  void remove(const std::shared_ptr<Connection>& connection) { connections_.erase(connection); }
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> connections() const {
    return {connections_.begin(), connections_.end()};
  }
  /// How many connections are meant for this thread; from any thread.
  [[nodiscard]] std::size_t load() const { return load_; }
  void take_load() { ++load_; }
  void give_load() { --load_; }
  /// Runs `task` on this thread and waits for it.
  void run_and_wait(std::function<void()> task);
  /// No task runs after this.
  void stop();

private:
  void sweep();

  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{io_.get_executor()};
  boost::asio::steady_timer timer_{io_};
  std::unordered_set<std::shared_ptr<Connection>> connections_;
  std::atomic<std::size_t> load_{0};
  std::thread thread_;
};

} // namespace iris
