#pragma once
#include "core/base/observation.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iris {

enum class Severity : std::uint8_t { info, low, medium, high, critical };
[[nodiscard]] const char* to_string(Severity severity);

/// The side of a finding's evidence that is a flow, with every number an analyst asks for.
struct FlowEvidence {
  IpAddress src, dst;
  std::uint16_t sport = 0, dport = 0;
  std::uint8_t protocol = 0;
  std::uint64_t packets = 0, bytes_out = 0, bytes_in = 0;
  Timestamp first = 0, last = 0;
  std::uint64_t retransmitted = 0; ///< of both directions, of the packets
  std::string history;             ///< TCP, as Flow::history
  std::string server_name;         ///< as Flow::server_name
};

/// Whom a finding or an alert is about, by value.
struct Party {
  EntityKind kind = EntityKind::unknown;
  std::string name, image, container;
  std::string digest;
  IpAddress address;      ///< unspecified for none
  std::uint16_t port = 0; ///< 0 for none
  std::uint8_t protocol = 0;
  std::string country; ///< ISO 3166 alpha-2, filled in by the cloud
  std::string network; ///< operator or prefix of an outside address, filled in by the cloud
  std::string alias;   ///< what a device calls itself, as Entity::alias
};
[[nodiscard]] Party party_of(const Entity& entity);

/// What could not be seen around the time of a finding.
struct Loss {
  std::uint64_t packets = 0, processes = 0, observations = 0;
  [[nodiscard]] bool any() const { return packets != 0 || processes != 0 || observations != 0; }
};

/// One judgement on an observation or on a window. Evidence is bounded: at most 8 processes and 8 flows.
struct Finding {
  static constexpr std::size_t evidence_limit = 8;

  std::string detector;          ///< id from the detector table, e.g. "process.novel"
  std::vector<std::string> also; ///< other detectors that the same act tripped
  Party entity, peer;            ///< peer.kind unknown = none
  std::string cause;             ///< findings of the same entity, detector and cause are one alert
  Severity severity = Severity::medium;
  double score = 0; ///< surprise in bits
  Timestamp first = 0, last = 0;
  std::uint64_t count = 1; ///< occurrences (packets of a flood, probes of a scan, executions …)
  /// What was done, for the title: "ran /usr/bin/ping", "sent 21.3 MiB to". The peer's label stands where
  /// "{peer}" is; without that mark it is put at the end, after "to" unless the act already ends in to, from,
  /// by, at, with or of.
  std::string act;
  std::string expected, observed;  ///< plain sentences with counts, hours and gateways
  std::vector<std::string> attack; ///< ATT&CK ids
  std::vector<ProcessInfo> processes;
  std::vector<FlowEvidence> flows;
  Loss loss;
};

/// Moves all times in it.
void shift_times(Finding& finding, Duration by);

} // namespace iris
