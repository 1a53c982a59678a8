// Inside of the traffic watch; nobody else includes this.
#pragma once
#include "core/detect/suspects.hpp"
#include "core/detect/traffic_watch.hpp"

#include <array>
#include <memory>
#include <vector>

namespace iris {

[[nodiscard]] std::uint32_t mix(std::uint64_t value, std::uint64_t seed);
[[nodiscard]] std::uint32_t mix(const IpAddress& address, std::uint64_t seed);
[[nodiscard]] bool is_flood(TrafficKind kind);

/// One thing that counts for a suspect.
struct TrafficEvent {
  Sample flow{};
  std::uint32_t item = 0; ///< hash of what is counted distinct
  std::uint32_t packets = 0;
  std::uint64_t bytes = 0;
  bool a_try = true; ///< false: only more packets of a try that was counted
  bool refused = false;
  bool barren = false; ///< had been counted as answered
};

struct ActiveAlarm {
  TrafficAlarm alarm;
  DistinctCounter distinct;
  Suspect* suspect = nullptr;
  Timestamp told_at = 0;
  Duration pace = 0; ///< until it says again that it goes on; doubles each time
  std::uint64_t told = 0;
};

/// Who asks for neighbours by ARP, and whether ONVIF discovery explains it: that one sends a WS-Discovery
/// probe to every address of a network, so each neighbour that answers gets one.
struct Discovery {
  IpAddress sender;
  Timestamp first = 0, last = 0;
  DistinctCounter asked, answered, probed;
  [[nodiscard]] bool explains() const {
    auto wanted = answered.estimate();
    if (wanted == 0)
      wanted = asked.estimate(); // answers are not seen here: then neither are the others' probes
    return 5 * probed.estimate() >= 4 * wanted;
  }
};

struct TrafficWatch::State {
  static constexpr std::size_t alarm_limit = 256;
  static constexpr std::size_t discovery_limit = 16;
  TrafficLimits limits;
  std::uint16_t interface;
  std::uint64_t seed;
  SuspectTable sources, targets;
  std::vector<std::unique_ptr<ActiveAlarm>> active; ///< alarm_limit places, null = free
  std::uint32_t victims = 0;                        ///< active distributed floods of one host
  std::vector<TrafficAlarm> out;
  struct Neighbour {
    Suspect* suspect = nullptr;
    Timestamp since = 0;
  };
  std::array<Neighbour, 16> neighbours{}; ///< to be judged a second after they were put here
  std::size_t neighbours_used = 0;
  std::vector<Discovery> discoveries; ///< discovery_limit places, the least recent gives way
  Timestamp next_tick = 0;
  bool ending = false; ///< nothing is waited for
  TrafficWatchStats stats;

  State(const TrafficLimits& given, std::uint16_t index, std::uint64_t salt);

  [[nodiscard]] Discovery* discovery_by(const IpAddress& sender);
  Discovery& discovery_of(const IpAddress& sender, bool in_a_sweep, Timestamp now);
  Suspect* suspect_of(SuspectTable& table, const SuspectKey& key, Timestamp now);
  void note(Suspect& suspect, const TrafficEvent& event, Timestamp now);
  void start(Suspect& suspect, const TrafficEvent& event, Timestamp now);
  void start_scan(Suspect& suspect, const TrafficEvent& event, Timestamp now);
  void tell(ActiveAlarm& record, AlarmStage stage, Timestamp now);
  void end(std::size_t place, Timestamp now);
  /// @returns true when a distributed flood explains the event, so that its sources need no room of their
  /// own.
  bool watch_victim(const TrafficEvent& event, std::uint8_t protocol, Timestamp now);
  bool judge_victim(Suspect& victim, const TrafficEvent& event, std::uint32_t limit, Timestamp now);
  /// Whether an alarm that is active tells of everything that comes to nothing there.
  [[nodiscard]] bool is_victim(const Flow& flow);
  void watch_source(const TrafficEvent& event, std::uint8_t protocol, bool scanning, Timestamp now);

  [[nodiscard]] Duration window_of(TrafficKind kind) const {
    return is_flood(kind) ? limits.flood_window : limits.scan_window;
  }
  [[nodiscard]] bool is_scan(const Suspect& suspect, std::uint32_t limit, Timestamp now) const;
  [[nodiscard]] bool mostly_failed(const Suspect& suspect) const;
  [[nodiscard]] bool is_flooded(const Suspect& suspect, std::uint32_t limit) const;
  [[nodiscard]] bool is_many_port_flood(const Suspect& flood, const Suspect& scan) const;
  /// All ports and protocols of one host; and all hosts.
  [[nodiscard]] static SuspectKey host_key(const IpAddress& dst) {
    return {dst, dst, 0, 0, TrafficKind::distributed_flood};
  }
  [[nodiscard]] static SuspectKey network_key() { return {{}, {}, 0, 0, TrafficKind::distributed_flood}; }
  /// Who scans many ports of many hosts is one cause, not one a host and one a port.
  [[nodiscard]] static SuspectKey roaming_key(const IpAddress& src) {
    return {src, src, 0, 0, TrafficKind::host_sweep}; // apart from a sweep by protocol 0
  }
};

} // namespace iris
