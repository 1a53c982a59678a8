#pragma once
#include "core/base/table_budget.hpp"
#include "node/host_interfaces.hpp"
#include "node/packet_figures.hpp"
#include "node/router/attribution.hpp"
#include "node/source_outlet.hpp"
#include "node/sources/packet_source.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace iris {

/// The packet sources, one an interface, kept on those that a plan names. For one thread.
class PacketCaptures {
public:
  /// @param label_applications as in PipelineOptions
  PacketCaptures(const SourceOutlet& outlet, Duration window, bool label_applications)
      : outlet_{outlet}, window_{window}, label_applications_{label_applications} {}
  ~PacketCaptures() { stop(); }
  PacketCaptures(const PacketCaptures&) = delete;
  PacketCaptures& operator=(const PacketCaptures&) = delete;

  /// @param wanted_lan what the operator asked for; one that is not there is told once
  void keep(const CapturePlan& plan, const std::vector<std::string>& wanted_lan);
  /// Long flows report this often; captures go on meanwhile.
  void set_window(Duration window);
  void shed(Shedding shedding);
  void stop();

private:
  struct Capture {
    std::unique_ptr<PacketSource> source;
    std::shared_ptr<PacketFigures> figures;
    Slot<SourceActor> actor;
  };

  void start(const std::string& interface, InterfaceRole role);
  void stop(const std::string& interface);

  /// Flows that wait for the router; a mailbox counts messages, of which each can hold thousands.
  static constexpr std::size_t flows_limit = 100'000;

  const SourceOutlet& outlet_;
  Duration window_;
  bool label_applications_;
  Shedding shedding_ = Shedding::nothing;
  std::shared_ptr<TableBudget> flows_waiting_ = std::make_shared<TableBudget>(flows_limit);
  std::map<std::string, Capture> captures_; ///< by interface
  std::set<std::string> told_missing_;      ///< interfaces that were asked for and are not there
};

} // namespace iris
