#include "cloud/notify/sink_thread.hpp"

#include <exception>

namespace iris {

SinkThread::SinkThread(std::unique_ptr<Sink> sink) : sink_{std::move(sink)}, thread_{[this] { run(); }} {
  // nop
}

SinkThread::~SinkThread() { stop(); }

void SinkThread::stop() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
  }
  sink_->cancel();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool SinkThread::give(SinkJob job, Done done) {
  {
    const std::lock_guard lock{mutex_};
    if (busy_ || stopping_) return false;
    busy_ = true;
    job_.emplace(std::move(job), std::move(done));
  }
  changed_.notify_one();
  return true;
}

void SinkThread::run() {
  for (;;) {
    std::pair<SinkJob, Done> job;
    {
      std::unique_lock lock{mutex_};
      changed_.wait(lock, [this] { return stopping_ || job_.has_value(); });
      if (stopping_) return;
      job = std::move(*job_);
      job_.reset();
    }
    SinkJobResult result;
    for (const auto& item : job.first.items) {
      try {
        result.delivery = sink_->deliver(item.alert);
      } catch (const std::exception& exception) {
        result.delivery = {Delivery::Outcome::retry, exception.what()};
      }
      if (result.delivery.outcome != Delivery::Outcome::done) break;
      ++result.delivered;
      const std::lock_guard lock{mutex_};
      if (stopping_) break;
    }
    {
      const std::lock_guard lock{mutex_};
      busy_ = false;
      if (stopping_) return;
    }
    job.second(std::move(result));
  }
}

} // namespace iris
