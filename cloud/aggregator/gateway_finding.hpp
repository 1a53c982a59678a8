#pragma once
#include "core/alert/finding.hpp"

#include <string>

namespace iris {

/// A finding about a gateway itself (detector sensor.health, severity medium).
[[nodiscard]] inline Finding about_gateway(const std::string& gateway, std::string cause, std::string act,
                                           Timestamp at) {
  Finding finding;
  finding.detector = "sensor.health";
  finding.entity.kind = EntityKind::gateway;
  finding.entity.name = gateway;
  finding.cause = std::move(cause);
  finding.act = std::move(act);
  finding.severity = Severity::medium;
  finding.first = finding.last = at;
  finding.attack = {"T1562"};
  return finding;
}

/// Whether a finding is one that only the cloud makes, by its cause. A gateway's with such a cause gets
/// another.
[[nodiscard]] inline bool made_by_cloud(const Finding& finding) {
  if (finding.detector != "sensor.health" || finding.entity.kind != EntityKind::gateway) return false;
  for (const auto* cause : {"chain.broken", "peer.violation", "clock.off", "spool lost", "gateway.away"})
    if (finding.cause.starts_with(cause)) return true;
  return false;
}

} // namespace iris
