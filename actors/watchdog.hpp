#pragma once
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace iris {

/// Ends a process whose orderly end hangs (a detached actor in a system call, CAF issues 1196 and 1266). Arm
/// it when the end begins; destroying it in time calls it off.
class Watchdog {
public:
  /// `bite` runs on the watchdog's own thread when `after` has passed: log who is left, then std::_Exit.
  Watchdog(std::chrono::milliseconds after, std::function<void()> bite);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool called_off_ = false;
  std::thread thread_;
};

} // namespace iris
