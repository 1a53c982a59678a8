#include "core/detect/detectors.hpp"

namespace iris {

std::optional<Finding> network_protocol(const JudgeView& view, const Act& act) {
  const auto* flow = std::get_if<Flow>(&act.observation.what);
  if (!flow || !act.behaviour || !act.novelty.novel || act.behaviour->family != Family::protocol)
    return std::nullopt;
  const auto& behaviour = *act.behaviour;
  auto finding = finding_of(view, act, "network.protocol", act.novelty.bits, "T1571 T1071");
  finding.cause = "protocol:" + behaviour.texts[0] + key_mark(act.novelty.key);
  finding.act = (flow->inbound ? "was spoken to in " : "spoke ") + flow->application + " on " +
                port_of(*flow) + (flow->inbound ? " by {peer}" : " to {peer}");
  finding.peer.port = 0;
  auto usual = habits_text(view, Family::protocol, behaviour.phase, 0, flow->inbound ? "serves " : "speaks ");
  finding.expected = "It " + (usual.empty() ? "speaks no known protocol" : usual) + "; " +
                     rate_text(act.novelty.stat, behaviour.phase) + ".";
  finding.observed = behaviour.texts[0] + "; " +
                     (act.novelty.level > 0 ? "the protocol is new to it" : "this port is new for it") +
                     "; " + human_bytes(flow->inbound ? flow->bytes_in : flow->bytes_out) + " sent, " +
                     human_bytes(flow->inbound ? flow->bytes_out : flow->bytes_in) + " received.";
  return finding;
}

} // namespace iris
