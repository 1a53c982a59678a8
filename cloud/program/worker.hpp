#pragma once
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace iris {

/// One thread that does what it is given, in order. Bounded: give() says no when too much waits.
class Worker {
public:
  explicit Worker(std::size_t limit);
  ~Worker(); ///< what has not begun is dropped
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  [[nodiscard]] bool give(std::function<void()> task);
  /// Waits for the task under way; what has not begun is dropped, and nothing is taken any more.
  void stop();
  [[nodiscard]] std::size_t waiting() const;

private:
  void run();
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace iris
