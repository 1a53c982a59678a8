#include "core/detect/detectors.hpp"

#include <algorithm>
#include <cmath>

namespace iris {

std::optional<Finding> network_known_bad(const JudgeView& view, const Act& act) {
  const auto* flow = std::get_if<Flow>(&act.observation.what);
  if (!flow || !view.indicators) return std::nullopt;
  // Without a behaviour there was no contact: an opening from a forged source, backscatter, an ICMP error.
  if (!act.behaviour) return std::nullopt;
  const auto& peer = flow->inbound ? flow->src : flow->dst;
  if (scope_of(peer) != AddressScope::global) return std::nullopt;
  auto match = view.indicators->match(peer);
  if (match.lists.empty()) return std::nullopt;
  for (auto key : act.behaviour->keys)
    if (const auto* known = view.find(key, act.behaviour->phase); known && !known->accepted_by.empty())
      return std::nullopt;

  bool answered = is_contact(*flow) && (flow->inbound ? flow->packets_out : flow->packets_in) > 0;
  auto bits = (flow->inbound ? 7.0
               : answered    ? 9.5
                             : 7.5) +
              std::min(2.0, std::log2(double(match.confidence)) / 2);
  auto finding = finding_of(view, act, "network.known-bad", bits, flow->inbound ? "T1190" : "T1071");
  finding.cause = "known-bad:" + to_string(peer) + key_mark(act.behaviour->keys[0]);
  std::string lists;
  for (const auto& name : match.lists)
    lists += (lists.empty() ? "" : ", ") + name;
  auto listed = "which is on the threat list" + std::string(match.lists.size() > 1 ? "s " : " ") + lists;
  if (match.confidence > 1) listed += " (" + std::to_string(match.confidence) + " feeds)";
  finding.act = (flow->inbound ? "accepted a connection on " + port_of(*flow) + " from {peer}, "
                 : answered    ? std::string{"talked to {peer}, "}
                               : std::string{"tried to reach {peer}, "}) +
                listed;
  finding.expected = "No contact with addresses on threat lists.";
  finding.observed = to_string(peer) + " matches " + to_string(match.network) + " of " + lists + "; " +
                     port_of(*flow) + ", " + human_bytes(flow->bytes_out) + " out and " +
                     human_bytes(flow->bytes_in) + " in" + (answered ? "." : ", not answered.");
  return finding;
}

} // namespace iris
