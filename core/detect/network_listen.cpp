#include "core/detect/detectors.hpp"

namespace iris {

std::optional<Finding> network_listen(const JudgeView& view, const Act& act) {
  const auto* listen = std::get_if<Listen>(&act.observation.what);
  // What was told before stands in a finding already, or was open while this was learned.
  if (!listen || listen->again || !act.behaviour || !act.novelty.novel) return std::nullopt;
  const auto& behaviour = *act.behaviour;
  auto finding = finding_of(view, act, "network.listen", act.novelty.bits, "T1571 T1505");
  finding.cause = "listen" + key_mark(act.novelty.key);
  const auto& port = behaviour.texts[0];
  finding.act = "opened " + port + " for callers" + (listen->exe.empty() ? "" : " with " + listen->exe);
  auto usual = habits_text(view, Family::listen, behaviour.phase, 0);
  finding.expected = (usual.empty() ? std::string{"It listens on no port"} : "It listens on " + usual) +
                     "; " + rate_text(act.novelty.stat, behaviour.phase) + ".";
  const bool local = scope_of(listen->address) == AddressScope::loopback;
  finding.observed = (listen->protocol == 17 ? "udp/" : "tcp/") + std::to_string(listen->port) +
                     " is open at " +
                     (listen->address == IpAddress{} ? "all addresses" : to_string(listen->address)) +
                     (local ? " (callers of its own network namespace only)" : "") +
                     (listen->pid == 0 ? "." : "; pid " + std::to_string(listen->pid) + ".");
  return finding;
}

} // namespace iris
