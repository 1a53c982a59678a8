#pragma once
#include "actors/link/client.hpp"
#include "node/spool/spool.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace linklab {

/// A gateway that keeps to the rules: spools findings, says Hello, sends batches over the real client one
/// after the other at a steady pace, and measures the time until each is acknowledged.
class HealthyGateway {
public:
  HealthyGateway(const iris::TlsFiles& files, const std::string& address, const std::string& spool);
  ~HealthyGateway();

  /// Of the acknowledgements since the last call, in microseconds.
  [[nodiscard]] std::vector<std::uint32_t> take_times();
  [[nodiscard]] std::size_t times() const; ///< how many there are now
  [[nodiscard]] std::uint64_t acked() const { return acked_; }
  [[nodiscard]] std::uint64_t downs() const { return downs_; }
  [[nodiscard]] std::uint64_t failures() const { return failures_; } ///< batches without acknowledgement
  [[nodiscard]] std::uint64_t epoch() const { return epoch_; }
  [[nodiscard]] iris::NodeId node() const;

private:
  struct Config;
  void run();
  bool greet(caf::scoped_actor& self, const caf::strong_actor_ptr& session);
  bool send_one(caf::scoped_actor& self, const caf::strong_actor_ptr& session);

  std::unique_ptr<Config> config_;
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<iris::Spool> spool_;
  mutable std::mutex mutex_;
  caf::strong_actor_ptr session_;
  std::vector<std::uint32_t> times_;
  std::atomic<std::uint64_t> acked_{0}, downs_{0}, failures_{0}, epoch_{0}, generation_{0};
  std::atomic<bool> stop_{false};
  std::unique_ptr<iris::LinkClient> client_;
  std::thread thread_;
};

/// A batch of `count` findings that the cloud makes one alert of.
std::vector<std::vector<char>> some_findings(int count);

} // namespace linklab
