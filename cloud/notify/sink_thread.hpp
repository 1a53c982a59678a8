#pragma once
#include "cloud/notify/sink.hpp"

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace iris {

/// Rows of the outbox in order, with the alerts that they hold.
struct SinkJob {
  struct Item {
    std::string key;
    Alert alert;
  };
  std::vector<Item> items;
};
/// What became of them: the first `delivered` were taken, then `delivery` ended the job (done when all were
/// taken).
struct SinkJobResult {
  std::size_t delivered = 0;
  Delivery delivery;
};

/// The thread on which a sink blocks. One job at a time.
class SinkThread {
public:
  using Done = std::function<void(SinkJobResult)>;
  explicit SinkThread(std::unique_ptr<Sink> sink);
  ~SinkThread();
  SinkThread(const SinkThread&) = delete;
  SinkThread& operator=(const SinkThread&) = delete;

  /// False when one is under way. `done` runs on this thread.
  bool give(SinkJob job, Done done);
  void stop(); ///< cancels the job under way and joins

private:
  void run();
  std::unique_ptr<Sink> sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::pair<SinkJob, Done>> job_;
  bool busy_ = false, stopping_ = false;
  std::thread thread_;
};

} // namespace iris
