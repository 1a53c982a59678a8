#pragma once
#include "core/detect/traffic_watch.hpp"
#include "core/net/device_names.hpp"
#include "core/net/dns.hpp"
#include "core/net/dns_queries.hpp"
#include "core/net/field_watch.hpp"
#include "core/net/flow_table.hpp"
#include "node/sources/dpi.hpp"
#include "node/sources/shedding.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace iris {

/// What packets became since the last time.
struct PacketHarvest {
  std::vector<Flow> flows;
  std::vector<TrafficAlarm> alarms;
  std::vector<DnsSeen> answers;
  std::vector<FieldCommand> commands;
  std::vector<DeviceName> devices;
  [[nodiscard]] bool empty() const {
    return flows.empty() && alarms.empty() && answers.empty() && commands.empty() && devices.empty();
  }
  void clear() {
    flows.clear();
    alarms.clear();
    answers.clear();
    commands.clear();
    devices.clear();
  }
};

struct PipelineStats {
  std::uint64_t frames = 0, bytes = 0; ///< as on the wire
  std::uint64_t arp = 0, other = 0, truncated = 0, malformed = 0, unsupported = 0;
  std::uint64_t answers_dropped = 0; ///< DNS answers beyond the limit of one harvest
  std::uint64_t devices_dropped = 0; ///< the same for what devices call themselves
  std::uint64_t server_names = 0;    ///< TLS hellos that named a host
  DnsQueriesStats names;
  FieldWatchStats field;
  LabellerStats labels;
  FlowTableStats flows;
  TrafficWatchStats watch;
};

/// Says when packets cannot be told apart any more, or are sent so that monitors do not see them.
class BlindWatch {
public:
  static constexpr Duration pace = 60 * second;
  static constexpr std::uint64_t least = 100;        ///< packets, and …
  static constexpr std::uint64_t share = 100;        ///< … one in so many
  static constexpr std::uint64_t least_evasive = 20; ///< no host sends one of these in health
  /// @returns at most one report of each kind a minute: "blind" and "dropped", losses; "evasive", none. The
  /// sensor's name is the caller's to fill in.
  [[nodiscard]] std::vector<SensorHealth> look(const PipelineStats& stats, Timestamp now);

private:
  PipelineStats last_;
  Timestamp next_ = 0;
};

struct PipelineOptions {
  FlowTableOptions flows;
  TrafficLimits limits;
  bool label_applications = false; ///< nDPI: needs whole frames for its first eight packets of a flow
};

/// From frames to flows, alarms and names: decoder, flow table and traffic watch in a row. One thread.
class PacketPipeline {
public:
  explicit PacketPipeline(const PipelineOptions& options);
  ~PacketPipeline();

  /// @param captured what the snapshot holds of the frame, @param wire_length what was on the wire.
  void packet(int link, std::span<const std::uint8_t> captured, std::uint32_t wire_length, Timestamp at);
  /// Lets time pass where no packet does; ten times a second in live use.
  void advance(Timestamp now);
  void set_window(Duration window) { flows_.set_window(window); } ///< of flows that report from now on
  /// What is not done from now on; `packets` is up to whoever reads them.
  void shed(Shedding shedding) { shedding_ = shedding; }
  /// End of a capture: ends all flows and alarms.
  void flush();

  /// What came of it so far.
  [[nodiscard]] const PacketHarvest& harvest() {
    watch_.take(harvest_.alarms);
    return harvest_;
  }
  /// Moves it out; `into` gives its memory in exchange.
  void take(PacketHarvest& into) {
    into.clear();
    watch_.take(harvest_.alarms);
    std::swap(into, harvest_);
    flows_.harvested();
  }
  [[nodiscard]] PipelineStats stats() const;
  /// The last packet, where it was one of IP; valid as long as its bytes are. Null for another.
  [[nodiscard]] const PacketView* last_ip() const { return was_ip_ ? &view_ : nullptr; }

private:
  static constexpr std::size_t answer_limit = 1'024, device_limit = 256;

  void name_service(Timestamp at);
  void device_name(std::optional<DeviceName> name, Timestamp at);

  PipelineStats stats_;
  TrafficWatch watch_;
  FlowTable flows_;
  DnsQueries queries_;
  FieldWatch field_;
  std::unique_ptr<ApplicationLabeller> labeller_; ///< null: no labels
  PacketHarvest harvest_;
  Shedding shedding_ = Shedding::nothing;
  PacketView view_;
  bool was_ip_ = false;
  Timestamp now_ = 0, next_watch_ = 0;
};

} // namespace iris
