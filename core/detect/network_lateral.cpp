#include "core/detect/detectors.hpp"

namespace iris {

std::optional<Finding> network_lateral(const JudgeView& view, const Act& act) {
  const auto* flow = std::get_if<Flow>(&act.observation.what);
  if (!flow || !act.behaviour || !act.novelty.novel || act.behaviour->family != Family::peer_out ||
      act.behaviour->peer_class == EntityKind::internet)
    return std::nullopt;
  const auto& behaviour = *act.behaviour;
  auto finding = finding_of(view, act, "network.lateral", act.novelty.bits,
                            behaviour.peer_class == EntityKind::service ? "T1021" : "T1021 T0886");
  finding.cause = "lateral:" + finding.peer.name + key_mark(act.novelty.key);
  bool answered = flow->packets_in > 0 && flow->state != FlowState::refused;
  bool ping = flow->protocol == 1 || flow->protocol == 58;
  if (ping)
    finding.act = "pinged {peer}";
  else
    finding.act = (answered ? "called {peer} on " : "tried to reach {peer} on ") + port_of(*flow);
  if (ping) add_attack(finding, "T1018");
  const char* what = behaviour.peer_class == EntityKind::service   ? "sibling services"
                     : behaviour.peer_class == EntityKind::gateway ? "the gateway itself"
                                                                   : "LAN devices";
  std::string part = act.novelty.level == 2 ? std::string{"it never talks to "} + what
                     : act.novelty.level == 1
                         ? std::string{"this peer or port is new to it"}
                         : std::string{"the kind of peer is known, this one or its port is new"};
  auto usual = habits_text(view, Family::peer_out, behaviour.phase, 0);
  finding.expected = "It calls " + (usual.empty() ? "nobody" : usual) + "; " +
                     rate_text(act.novelty.stat, behaviour.phase) + ".";
  finding.observed = behaviour.texts[0] + "; " + part + "; " + human_bytes(flow->bytes_out) + " out, " +
                     human_bytes(flow->bytes_in) + " in" + (answered ? "." : ", not answered.");
  return finding;
}

} // namespace iris
