#include "core/detect/judgement.hpp"

#include "core/base/hash.hpp"
#include "core/detect/severity.hpp"
#include "core/learn/trust.hpp"

#include <algorithm>
#include <cstdio>

namespace iris {

const LearnedKey* JudgeView::find(std::uint64_t key, Phase phase) const {
  if (!baseline || key == 0) return nullptr;
  if (const auto* known = baseline->fleet.find(key, phase)) return known;
  if (site)
    if (const auto* known = site->find(key, phase)) return known;
  return phase == Phase::startup ? find(key, Phase::steady) : nullptr;
}

std::uint32_t JudgeView::gateways() const { return baseline ? std::max(1u, baseline->fleet.gateways) : 0; }

Novelty novelty_of(const JudgeView& view, const Behaviour& behaviour) {
  Novelty novelty;
  if (!view.monitoring()) return novelty;
  bool own = view.site && view.site->progress.state == LearningState::monitoring;
  for (std::size_t level = level_count; level-- > 0;) {
    auto key = behaviour.keys[level];
    bool of_site = level < behaviour.site_levels;
    if (key == 0 || (of_site && !own) || view.find(key, behaviour.phase)) continue;
    const auto& part = of_site ? *view.site : view.baseline->fleet;
    const auto& stat = part.stats[BaselinePart::stat_index(behaviour.family, behaviour.phase, level)];
    auto bits = surprise_bits(stat);
    if (!novelty.novel || bits > novelty.bits) novelty = {true, level, key, bits, stat};
  }
  return novelty;
}

namespace {

Party party_at(const Observation& observation, const IpAddress& address, std::uint8_t protocol,
               std::uint16_t port) {
  Party party;
  if (observation.peer) party = party_of(*observation.peer);
  if (party.kind == EntityKind::unknown)
    party.kind = scope_of(address) == AddressScope::global ? EntityKind::internet : EntityKind::device;
  party.address = address;
  if (party.name.empty()) party.name = to_string(address);
  party.port = protocol == 6 || protocol == 17 ? port : 0;
  party.protocol = protocol;
  return party;
}

} // namespace

Party peer_party(const Observation& observation, const Flow& flow) {
  return party_at(observation, flow.inbound ? flow.src : flow.dst, flow.protocol, flow.dport);
}

Party peer_party(const Observation& observation, const FieldCommand& command) {
  return party_at(observation, command.inbound ? command.src : command.dst, command.protocol, command.dport);
}

void add_attack(Finding& finding, std::string_view attack) {
  while (!attack.empty()) {
    auto end = attack.find(' ');
    std::string id{attack.substr(0, end)};
    if (!id.empty() && std::find(finding.attack.begin(), finding.attack.end(), id) == finding.attack.end())
      finding.attack.push_back(std::move(id));
    attack = end == std::string_view::npos ? std::string_view{} : attack.substr(end + 1);
  }
}

Finding finding_of(const JudgeView& view, const Act& act, std::string_view detector, double bits,
                   std::string_view attack) {
  const auto& observation = act.observation;
  Finding finding;
  finding.detector = detector;
  // Replicas and a container that was made anew share one profile: this one did it.
  finding.entity = party_of(observation.entity ? *observation.entity : view.entity);
  finding.score = bits;
  finding.severity = severity_of(bits);
  finding.first = finding.last = observation.at;
  add_attack(finding, attack);
  if (const auto* start = std::get_if<ProcessStart>(&observation.what)) {
    finding.processes.push_back(start->process);
  } else if (const auto* flow = std::get_if<Flow>(&observation.what)) {
    finding.peer = peer_party(observation, *flow);
    finding.flows.push_back({flow->src, flow->dst, flow->sport, flow->dport, flow->protocol,
                             std::uint64_t(flow->packets_out) + flow->packets_in, flow->bytes_out,
                             flow->bytes_in, flow->first ? flow->first : observation.at,
                             flow->last ? flow->last : observation.at,
                             std::uint64_t(flow->retransmitted_out) + flow->retransmitted_in,
                             flow->history.data(), flow->server_name ? *flow->server_name : ""});
    finding.first = finding.flows.back().first;
    finding.last = std::max(finding.first, finding.flows.back().last);
  } else if (const auto* command = std::get_if<FieldCommand>(&observation.what)) {
    finding.peer = peer_party(observation, *command);
    finding.first = command->first;
    finding.last = command->last;
    finding.flows.push_back({command->src, command->dst, 0, command->dport, command->protocol, command->count,
                             0, 0, command->first, command->last});
  }
  return finding;
}

std::string key_mark(std::uint64_t key) { return "#" + to_hex(key); }

std::string rate_text(const FamilyStat& stat, Phase phase) {
  char text[96];
  std::snprintf(text, sizeof text, phase == Phase::startup ? "%u new in %.0f starts" : "%u new in %.1f days",
                stat.fresh, stat.exposure);
  return text;
}

std::string habits_text(const JudgeView& view, Family family, Phase phase, std::size_t level,
                        std::string_view prefix) {
  constexpr std::size_t named = 4;
  if (!view.baseline) return {};
  std::vector<const LearnedKey*> all;
  auto gather = [&](const BaselinePart& part) {
    for (const auto& key : part.keys)
      if (key.family == family && key.phase == phase && key.level == level && !key.text.empty() &&
          std::string_view{key.text}.starts_with(prefix))
        all.push_back(&key);
  };
  gather(view.baseline->fleet);
  if (view.site) gather(*view.site);
  if (all.empty()) return {};
  std::sort(all.begin(), all.end(), [](const LearnedKey* left, const LearnedKey* right) {
    return std::tuple{right->hours, left->text} < std::tuple{left->hours, right->text};
  });
  std::string text;
  std::uint32_t hours = 0, gateways = 1;
  for (std::size_t i = 0; i < all.size(); ++i) {
    hours = std::max(hours, all[i]->hours);
    gateways = std::max(gateways, all[i]->gateways);
    if (i >= named) continue;
    if (i > 0) text += i + 1 == all.size() ? " and " : ", ";
    text += all[i]->text.substr(0, 100);
  }
  if (all.size() > named) text += " and " + std::to_string(all.size() - named) + " more";
  return text + " (in up to " + std::to_string(hours) + (hours == 1 ? " hour" : " hours") + " on " +
         std::to_string(gateways) + (gateways == 1 ? " gateway)" : " gateways)");
}

std::string port_of(const Flow& flow) {
  switch (flow.protocol) {
  case 1:
  case 58:
    return "icmp";
  case 6:
    return "tcp/" + std::to_string(flow.dport);
  case 17:
    return "udp/" + std::to_string(flow.dport);
  default:
    return "ip protocol " + std::to_string(flow.protocol);
  }
}

} // namespace iris
