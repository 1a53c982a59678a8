#include "cloud/program/worker.hpp"

#include <spdlog/spdlog.h>

namespace iris {

Worker::Worker(std::size_t limit) : limit_{limit}, thread_{[this] { run(); }} {
  // nop
}

Worker::~Worker() { stop(); }

void Worker::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    tasks_.clear();
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Worker::give(std::function<void()> task) {
  {
    const std::lock_guard lock{mutex_};
    if (stopping_ || tasks_.size() >= limit_) return false;
    tasks_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

std::size_t Worker::waiting() const {
  const std::lock_guard lock{mutex_};
  return tasks_.size();
}

void Worker::run() {
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
      if (stopping_) return;
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
    try {
      task();
    } catch (const std::exception& exception) {
      spdlog::error("a background task failed: {}", exception.what());
    }
  }
}

} // namespace iris
