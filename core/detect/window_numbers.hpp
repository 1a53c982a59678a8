#pragma once
#include "core/base/observation.hpp"
#include "core/detect/bounded_table.hpp"
#include "core/learn/numbers.hpp"

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace iris {

struct NumberSample {
  NumberKey key;
  double value = 0;
  Timestamp at = 0;
};

/// Adds up one entity's numbers: flows over their reports, and everything else over a window. The collector
/// and the judge use the same class, so that what is judged is what was learned. A flow that lives longer
/// than a learning day is counted anew each day, as otherwise a connection of months would have to be
/// compared with one of minutes.
class WindowNumbers {
public:
  /// What one flow report brought its flow and its peer to.
  struct Volume {
    EntityKind peer_class = EntityKind::unknown;
    double flow_bytes = 0, window_bytes = 0;
    // The flow's totals so far, for evidence:
    std::uint64_t packets = 0, bytes_out = 0, bytes_in = 0;
    Timestamp first = 0;
  };

  WindowNumbers(std::size_t flow_limit, std::size_t peer_limit, Duration day,
                std::shared_ptr<TableBudget> budget = nullptr);
  void set_day(Duration day) { day_ = day; }
  Volume add(const Observation& observation, const Flow& flow);
  void add(const ProcessStart&) { ++execs_; }
  void add(const Usage& usage);
  /// Samples of the window and of the flows that ended in it; begins a new one.
  std::vector<NumberSample> close(Timestamp at);
  [[nodiscard]] std::uint64_t evicted() const { return flows_.evicted() + peers_dropped_; }
  [[nodiscard]] std::size_t flows() const { return flows_.size(); }

private:
  struct FlowKey {
    IpAddress src, dst;
    std::uint32_t ports = 0;
    std::uint8_t protocol = 0;
    friend bool operator==(const FlowKey&, const FlowKey&) = default;
  };
  struct FlowHash {
    std::size_t operator()(const FlowKey& key) const {
      auto mixed =
          IpAddressHash{}(key.src) * 31 + IpAddressHash{}(key.dst) + key.ports * 0x9e3779b97f4a7c15ULL;
      return mixed ^ (mixed >> 31) ^ key.protocol;
    }
  };
  struct FlowTotal {
    double bytes = 0; ///< sent by the entity
    std::uint64_t packets = 0, bytes_out = 0, bytes_in = 0;
    Timestamp since = 0, first = 0;
  };
  struct PeerTotal {
    EntityKind peer_class{};
    double bytes = 0;
  };

  std::size_t flow_limit_, peer_limit_;
  Duration day_;
  BoundedTable<FlowKey, FlowTotal, FlowHash> flows_;
  BudgetShare peer_share_; ///< of the three that follow, emptied with every window
  std::unordered_map<IpAddress, PeerTotal, IpAddressHash> peers_;
  std::unordered_set<IpAddress, IpAddressHash> called_;
  std::unordered_set<std::uint32_t> ports_;
  template <class Set, class Item>
  void insert(Set& set, const Item& item) {
    constexpr std::size_t cost = sizeof(Item) + 40, least = 16;
    if (set.size() >= peer_limit_ || set.contains(item) || !peer_share_.grow(cost, set.size() < least))
      return;
    set.insert(item);
  }
  std::vector<NumberSample> ended_;
  std::uint64_t flows_opened_ = 0, execs_ = 0, peers_dropped_ = 0;
  bool used_ = false;
  double cpu_ = 0, memory_ = 0, pids_ = 0;
};

} // namespace iris
