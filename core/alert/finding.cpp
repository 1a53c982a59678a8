#include "core/alert/finding.hpp"

namespace iris {

const char* to_string(Severity severity) {
  switch (severity) {
  case Severity::info:
    return "info";
  case Severity::low:
    return "low";
  case Severity::medium:
    return "medium";
  case Severity::high:
    return "high";
  case Severity::critical:
    return "critical";
  }
  return "unknown";
}

Party party_of(const Entity& entity) {
  Party party;
  party.kind = entity.kind;
  party.name = entity.name;
  party.image = entity.image;
  party.digest = entity.digest;
  party.container = entity.container;
  party.address = entity.address;
  party.alias = entity.alias;
  return party;
}

void shift_times(Finding& finding, Duration by) {
  if (by == 0) return;
  auto move = [by](Timestamp& at) {
    if (at != 0) at += by;
  };
  move(finding.first);
  move(finding.last);
  for (auto& flow : finding.flows) {
    move(flow.first);
    move(flow.last);
  }
  for (auto& process : finding.processes)
    move(process.started);
}

} // namespace iris
