#include "core/detect/detectors.hpp"

namespace iris {

std::optional<Finding> network_client(const JudgeView& view, const Act& act) {
  const auto* flow = std::get_if<Flow>(&act.observation.what);
  if (!flow || !act.behaviour || !act.novelty.novel || act.behaviour->family != Family::peer_in)
    return std::nullopt;
  const auto& behaviour = *act.behaviour;
  bool outside = behaviour.peer_class == EntityKind::internet;
  auto finding =
      finding_of(view, act, "network.client", act.novelty.bits, outside ? "T1133 T1190" : "T1133 T1021");
  auto whom = outside ? behaviour.texts[1] : finding.peer.name;
  finding.cause = "client:" + whom + ":" + port_of(*flow) + key_mark(act.novelty.key);
  bool ping = flow->protocol == 1 || flow->protocol == 58;
  finding.act = ping ? "answered a ping from {peer}" : "was used on " + port_of(*flow) + " by {peer}";
  // Its own port is what the title says; the client's ephemeral one is in the evidence.
  finding.peer.port = 0;
  std::string part = outside                 ? "it is never used from there"
                     : act.novelty.level > 0 ? "it is never used by such a client on this port"
                                             : "such clients are known, this one is new";
  auto usual = habits_text(view, Family::peer_in, behaviour.phase, 0);
  finding.expected = "It is used by " + (usual.empty() ? "nobody" : usual) + "; " +
                     rate_text(act.novelty.stat, behaviour.phase) + ".";
  finding.observed = behaviour.texts[0] + "; " + part + "; " + human_bytes(flow->bytes_out) + " received, " +
                     human_bytes(flow->bytes_in) + " sent.";
  return finding;
}

} // namespace iris
