#pragma once
#include "core/alert/finding.hpp"
#include "core/net/flow_events.hpp"
#include "core/net/packet.hpp"

#include <memory>
#include <string>
#include <vector>

namespace iris {

/// The limits of day 0: what no endpoint of a gateway does in health, whatever its baseline.
struct TrafficLimits {
  // Distinct targets within `scan_window` that make a scan, counted exactly; at most 32.
  std::uint32_t scan_ports = 15;  ///< ports of one host that failed
  std::uint32_t sweep_hosts = 15; ///< hosts that failed on one port
  std::uint32_t ping_hosts = 12;  ///< hosts that were sent an echo request, answered or not
  std::uint32_t arp_hosts = 30;   ///< addresses asked for
  Duration scan_window = 60 * second;
  double failed_share = 0.6; ///< of the tries, in what counts by failures

  // Tries within `flood_window` that make a flood of one destination port.
  std::uint32_t flood_unanswered = 100; ///< by one source
  std::uint32_t flood_refused = 500;    ///< by one source; more, since clients of a dead service hammer
  std::uint32_t flood_sources = 32;     ///< distinct sources, at most 32, and …
  std::uint32_t flood_distributed = 200; ///< … failures by all of them together at one port, or twice as many
                                         ///< at all ports of a host
  std::uint32_t flood_victims = 8;   ///< hosts under such a flood at once; more make one alarm
  std::uint32_t dhcp_requests = 100; ///< by one link address, or by all on the interface
  Duration flood_window = 5 * second;

  // Packets a second in one direction that next to nothing answers.
  std::uint32_t icmp_rate = 200;
  std::uint32_t small_rate = 1'000; ///< mean IP length up to `small_packet`
  std::uint32_t large_rate = 5'000; ///< above it: cameras and file transfers over UDP
  std::uint32_t small_packet = 300; ///< bytes

  Duration progress = 10 * second; ///< an alarm that goes on says so after this time, then after twice that …
  Duration slowest_progress = 600 * second; ///< … up to this
  Duration quiet = 10 * second;             ///< without an event for this long it has ended
};

enum class TrafficKind : std::uint8_t {
  port_scan,         ///< src tries many ports of dst
  host_sweep,        ///< src tries one port of many hosts
  ping_sweep,        ///< src sends echo requests to many hosts
  arp_sweep,         ///< src asks for many neighbours
  flood,             ///< src overwhelms dst (port 0: many ports)
  distributed_flood, ///< many, mostly forged, sources overwhelm dst (port 0: many ports; no dst: many hosts)
  dhcp_flood,        ///< mac (zero: many) drains the address pool
};
[[nodiscard]] const char* to_string(TrafficKind kind);

enum class AlarmStage : std::uint8_t { start, progress, end };

/// One cause, told at its start, while it goes on, and at its end. Counts are totals since it began.
struct TrafficAlarm {
  TrafficKind kind{};
  AlarmStage stage{};
  IpAddress src, dst; ///< unspecified where there are many
  MacAddress mac{};   ///< the sender's link address, for arp_sweep and dhcp_flood
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;
  std::uint16_t interface = 0;
  std::uint64_t distinct = 0; ///< ports, hosts or sources; exact up to 32, then within about 3 %
  std::uint64_t tries = 0;    ///< connections, requests or probes
  std::uint64_t fresh = 0;    ///< tries (floods: packets) since the previous stage of this alarm
  std::uint64_t answered = 0; ///< tries that were
  std::uint64_t packets = 0, bytes = 0;
  Timestamp first = 0, last = 0;
  std::vector<FlowEvidence> samples; ///< at most Finding::evidence_limit
};

struct TrafficWatchStats {
  std::uint64_t events = 0;
  std::uint64_t evicted = 0;    ///< suspects that were forgotten because the table was full
  std::uint64_t alarms = 0;     ///< started
  std::uint64_t suppressed = 0; ///< not started because too many were active
  std::uint64_t active = 0;
};

/// Judges scans and floods of any endpoint without a baseline. Memory is fixed: 4096 suspects by source, 4096
/// by target (least recently used gives way, never one with an active alarm), 256 active alarms. No
/// allocation an event, except for the alarms themselves. One a flow table; same thread.
class TrafficWatch final : public FlowEvents {
public:
  explicit TrafficWatch(const TrafficLimits& limits = {}, std::uint16_t interface = 0,
                        std::uint64_t seed = 1);
  ~TrafficWatch() override;

  void failed(const Flow& flow, Failure how, std::uint32_t packets, std::uint64_t bytes,
              Timestamp now) override;
  void completed(const Flow& flow, Timestamp now) override;
  void echo(const Flow& flow, Timestamp now) override;
  void burst(const Flow& flow, std::uint32_t packets, std::uint64_t bytes, Duration span,
             Timestamp now) override;
  [[nodiscard]] bool covers(const Flow& flow) const override;

  void arp(const PacketView& view, Timestamp now);
  /// Any UDP packet to port 67.
  void dhcp(const PacketView& view, Timestamp now);
  /// Lets time pass, at least once a second: alarms go on and end.
  void advance(Timestamp now);
  /// Ends every alarm, as at the end of a capture.
  void flush(Timestamp now);
  /// Moves the alarms so far to the end of `out`.
  void take(std::vector<TrafficAlarm>& out);

  [[nodiscard]] const TrafficWatchStats& stats() const;

private:
  void probed_for_onvif(const Flow& flow, Timestamp now);
  struct State;
  std::unique_ptr<State> state_;
};

/// The same for every stage of one alarm, and for its repetition.
[[nodiscard]] std::string cause_of(const TrafficAlarm& alarm);
/// network.scan or network.flood in plain sentences. The entity is who does it and the peer its victim; of a
/// distributed flood, whose sources are forged, the entity is the victim and there is no peer.
/// @param src, dst who alarm.src and alarm.dst are; ignored where the alarm has many.
[[nodiscard]] Finding finding_of(const TrafficAlarm& alarm, Party src, Party dst,
                                 const TrafficLimits& limits = {});

} // namespace iris
