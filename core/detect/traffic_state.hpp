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

struct TrafficWatch::State {
  static constexpr std::size_t alarm_limit = 256;
  TrafficLimits limits;
  std::uint16_t interface;
  std::uint64_t seed;
  SuspectTable sources, targets;
  std::vector<std::unique_ptr<ActiveAlarm>> active; ///< alarm_limit places, null = free
  std::uint32_t victims = 0;                        ///< active distributed floods of one host
  std::vector<TrafficAlarm> out;
  std::array<Suspect*, 16> neighbours{}; ///< to be judged at the next tick
  std::size_t neighbours_used = 0;
  Timestamp next_tick = 0;
  TrafficWatchStats stats;

  State(const TrafficLimits& given, std::uint16_t index, std::uint64_t salt);

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
