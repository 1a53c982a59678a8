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

} // namespace iris
