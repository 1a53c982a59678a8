#include "core/base/hash.hpp"
#include "core/detect/detectors.hpp"

namespace iris {
namespace {

std::uint64_t domain_key(std::string_view domain, Family family) {
  return hash64(domain, std::uint64_t(family) * 16 + 2);
}

/// The same cause for a name that is looked up and for the address behind it that is called.
std::string cause_of_domain(std::string_view domain) {
  auto mark = [&](Family family) { return key_mark(domain_key(domain, family)); };
  return "destination:" + std::string{domain} + mark(Family::peer_out) + mark(Family::dns);
}

/// What is called often may be looked up seldom, and at another time of a life, since answers are kept: a
/// domain that is known either way is known.
bool knows_domain(const JudgeView& view, std::string_view domain) {
  return view.find(domain_key(domain, Family::peer_out), Phase::startup) != nullptr ||
         view.find(domain_key(domain, Family::dns), Phase::startup) != nullptr;
}

std::string expected(const JudgeView& view, const Act& act, Family family) {
  auto usual = habits_text(view, family, act.behaviour->phase, 0);
  std::string text = family == Family::dns ? "It looks up " + (usual.empty() ? "no names" : usual)
                                           : "It calls " + (usual.empty() ? "nobody" : usual);
  return text + "; " + rate_text(act.novelty.stat, act.behaviour->phase) + ".";
}

} // namespace

std::optional<Finding> network_destination(const JudgeView& view, const Act& act) {
  if (!act.behaviour || !act.novelty.novel || act.behaviour->peer_class != EntityKind::internet)
    return std::nullopt;
  const auto& behaviour = *act.behaviour;
  if (const auto* answer = std::get_if<DnsAnswer>(&act.observation.what)) {
    if (knows_domain(view, behaviour.texts[1])) return std::nullopt;
    auto finding = finding_of(view, act, "network.destination", act.novelty.bits, "T1071.004");
    finding.cause = cause_of_domain(behaviour.texts[1]);
    finding.peer.kind = EntityKind::internet;
    finding.peer.name = behaviour.texts[0];
    if (!answer->addresses.empty()) finding.peer.address = answer->addresses.front();
    finding.act = "looked up {peer}";
    finding.expected = expected(view, act, Family::dns);
    finding.observed =
        behaviour.texts[0] + " was looked up" +
        (answer->addresses.empty() ? "." : " and is " + to_string(answer->addresses.front()) + ".");
    return finding;
  }
  const auto* flow = std::get_if<Flow>(&act.observation.what);
  if (!flow || behaviour.family != Family::peer_out) return std::nullopt;
  auto finding = finding_of(view, act, "network.destination", act.novelty.bits, "T1071");
  bool named = !finding.peer.name.empty() && !parse_ip(finding.peer.name);
  finding.cause = named ? cause_of_domain(behaviour.texts[1])
                        : "destination:" + behaviour.texts[1] + key_mark(behaviour.keys[1]);
  bool answered = flow->packets_in > 0 && flow->state != FlowState::refused;
  finding.act = answered ? "talked to {peer}" : "tried to reach {peer}";
  if (flow->payload_in > flow->payload_out && flow->payload_in > 16'384) add_attack(finding, "T1105");
  static constexpr const char* parts[] = {"the network is known, the address or port is new",
                                          "neither the address nor its network is known",
                                          "it never talks to the internet"};
  finding.expected = expected(view, act, Family::peer_out);
  finding.observed = behaviour.texts[0] + "; " + parts[act.novelty.level] + "; " +
                     human_bytes(flow->bytes_out) + " out, " + human_bytes(flow->bytes_in) + " in" +
                     (answered ? "." : ", not answered.");
  return finding;
}

} // namespace iris
