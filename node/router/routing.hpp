#pragma once
#include "node/messages.hpp"
#include "node/router/attribution.hpp"

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <vector>

namespace iris {

/// What sources gave becomes whose observations they are, and findings that need no pair. No actor and no
/// clock of its own, so that a replay of what was recorded goes the same way as what is live. One thread.
class Routing {
public:
  /// What came of a batch; findings are in the time of this gateway's sources, without what was lost around.
  struct Out {
    std::vector<Observation> observations;
    std::vector<Finding> findings;
  };
  /// Processes of containers that the engine has not told of yet: so many, so long, then they are judged
  /// under the container's id.
  static constexpr std::size_t waiting_limit = 10'000;
  static constexpr Duration waiting_time = 3 * second;

  void set_gateway(std::string name) { gateway_ = std::move(name); }
  void set_scale(const TimeScale& scale) { attribution_.phases().set_scale(scale); }
  void add_local(const Cidr& network) { attribution_.inventory().add_local(network); }

  void take(const ProcessBatch& batch, Timestamp now, Out& out);
  void take(const FlowBatch& batch, Out& out);
  void take(const ContainerBatch& batch, Timestamp now, Out& out);
  void take(const UsageBatch& batch, Out& out);
  void take(const DeviceList& list);
  void take(const HostAddresses& addresses);
  void take(const HealthBatch& batch, Out& out);
  /// Processes whose container is known by now, or that have waited long enough; once a second.
  void release(Timestamp now, Out& out);

  [[nodiscard]] Attribution& attribution() { return attribution_; }
  [[nodiscard]] const Attribution& attribution() const { return attribution_; }
  [[nodiscard]] std::uint64_t alarms() const { return alarms_; }

private:
  std::string gateway_ = "gateway";
  Attribution attribution_;
  std::deque<std::pair<Timestamp, ProcessEvent>> waiting_; ///< with when they came
  std::uint64_t alarms_ = 0;
};

} // namespace iris
