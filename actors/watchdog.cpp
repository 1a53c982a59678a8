#include "actors/watchdog.hpp"

namespace iris {

Watchdog::Watchdog(std::chrono::milliseconds after, std::function<void()> bite)
    : thread_{[this, after, bite = std::move(bite)] {
        std::unique_lock lock{mutex_};
        if (changed_.wait_for(lock, after, [this] { return called_off_; })) return;
        lock.unlock();
        bite();
      }} {
  // nop
}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock{mutex_};
    called_off_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

} // namespace iris
