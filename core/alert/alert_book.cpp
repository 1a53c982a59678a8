#include "core/alert/alert_book.hpp"
#include "core/base/hash.hpp"
#include "core/link/chain.hpp"

#include "core/base/saturating.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t incident_limit = 256;       ///< open incidents; the one quiet for longest goes first
constexpr std::size_t incident_party_limit = 128; ///< parties of one incident that further alerts can meet
constexpr std::size_t texts_limit = 16;           ///< entries of `also` and `attack`

/// Joins parts so that no two different lists give the same text.
std::string joined(std::initializer_list<std::string_view> parts) {
  std::string key;
  for (auto part : parts) {
    key += std::to_string(part.size());
    key += ':';
    key += part;
  }
  return key;
}

std::string party_key(const Party& party) {
  if (party.kind == EntityKind::unknown) return {};
  auto name = party.name.empty() ? to_string(party.address) : party.name;
  return joined({to_string(party.kind), name});
}

std::string key_of(const Finding& finding) {
  return joined({party_key(finding.entity), finding.detector, finding.cause});
}

/// A gateway chooses most of what it is made of; with a hash that is not cryptographic it could choose the id
/// of another gateway's alert, or of what the cloud says of it.
std::string alert_id(const std::string& parts) {
  const auto digest = PartsDigest{}.text(parts).finish();
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < sizeof first; ++i)
    first = first << 8 | std::uint8_t(digest[i]);
  return "A-" + to_hex(first);
}

/// A gateway that was away tells of the past: what it told of just now is not quiet.
Timestamp touched(const Alert& alert) { return std::max(alert.finding.last, alert.received); }

/// Keeps the first half and the newest half: how it began and where it stands.
template <class T>
void keep_bounded(std::vector<T>& evidence) {
  constexpr auto limit = Finding::evidence_limit;
  if (evidence.size() <= limit) return;
  auto from = evidence.begin() + limit / 2;
  evidence.erase(from, from + std::ptrdiff_t(evidence.size() - limit));
}

void merge_flow(std::vector<FlowEvidence>& flows, const FlowEvidence& flow) {
  for (auto& known : flows) {
    if (known.src != flow.src || known.dst != flow.dst || known.sport != flow.sport ||
        known.dport != flow.dport || known.protocol != flow.protocol)
      continue;
    known.packets = saturating_add(known.packets, flow.packets);
    known.bytes_out = saturating_add(known.bytes_out, flow.bytes_out);
    known.bytes_in = saturating_add(known.bytes_in, flow.bytes_in);
    known.retransmitted = saturating_add(known.retransmitted, flow.retransmitted);
    if (flow.history.size() > known.history.size())
      known.history = flow.history; // since the flow's beginning
    if (!flow.server_name.empty()) known.server_name = flow.server_name;
    known.first = std::min(known.first, flow.first);
    known.last = std::max(known.last, flow.last);
    return;
  }
  flows.push_back(flow);
}

void merge_process(std::vector<ProcessInfo>& processes, ProcessInfo process) {
  for (auto& known : processes)
    if (known.pid == process.pid && known.started == process.started && known.exe == process.exe) return;
  processes.push_back(std::move(process));
}

void merge_texts(std::vector<std::string>& into, std::vector<std::string> from) {
  for (auto& text : from)
    if (into.size() < texts_limit && std::find(into.begin(), into.end(), text) == into.end())
      into.push_back(std::move(text));
}

} // namespace

void merge_finding(Finding& into, Finding from) {
  // The words follow the stronger finding, and the newer one of two that are as strong.
  if (std::pair{from.severity, from.score} >= std::pair{into.severity, into.score}) {
    into.act = std::move(from.act);
    into.expected = std::move(from.expected);
    into.observed = std::move(from.observed);
    if (from.peer.kind != EntityKind::unknown) into.peer = std::move(from.peer);
  }
  if (!from.entity.container.empty()) into.entity = std::move(from.entity);
  into.severity = std::max(into.severity, from.severity);
  into.score = std::max(into.score, from.score);
  into.first = std::min(into.first, from.first);
  into.last = std::max(into.last, from.last);
  into.count = saturating_add(into.count, from.count);
  merge_texts(into.also, std::move(from.also));
  merge_texts(into.attack, std::move(from.attack));
  for (const auto& flow : from.flows)
    merge_flow(into.flows, flow);
  keep_bounded(into.flows);
  for (auto& process : from.processes)
    merge_process(into.processes, std::move(process));
  keep_bounded(into.processes);
  into.loss.packets = saturating_add(into.loss.packets, from.loss.packets);
  into.loss.processes = saturating_add(into.loss.processes, from.loss.processes);
  into.loss.observations = saturating_add(into.loss.observations, from.loss.observations);
}

Alert* AlertBook::continued(const Key& key, const Finding& finding) {
  auto latest = latest_.find(key);
  if (latest == latest_.end()) return nullptr;
  auto found = by_id_.find(latest->second);
  if (found == by_id_.end()) return nullptr;
  auto& alert = found->second;
  if (finding.first - alert.finding.last > policy_.quiet) return nullptr;
  // What a person closed stays closed for the episode he saw; what begins after that is told anew.
  if (alert.state == AlertState::closed && finding.first > alert.finding.last) return nullptr;
  return &alert;
}

Alert AlertBook::apply(Finding finding, Timestamp now) {
  auto key = key_of(finding);
  const bool late = now - finding.last > policy_.late_after;
  if (auto* known = continued(key, finding)) {
    by_time_.erase({touched(*known), known->id});
    forget_peer(*known);
    merge_finding(known->finding, std::move(finding));
    index_peer(*known);
    if (!grouping_ || grown_.insert(known->id).second) known->revision += 1;
    known->received = now;
    known->late = late;
    by_time_.insert({touched(*known), known->id});
    note_incident(*known);
    return *known;
  }
  Alert alert;
  alert.tenant = policy_.tenant;
  alert.site = policy_.site;
  alert.gateway = policy_.gateway;
  alert.id = alert_id(joined({policy_.tenant, policy_.gateway, key, std::to_string(finding.first)}));
  alert.received = now;
  alert.late = late;
  alert.finding = std::move(finding);
  keep_bounded(alert.finding.flows);
  keep_bounded(alert.finding.processes);
  alert.incident = incident_for(alert);
  note_incident(alert);
  if (grouping_) grown_.insert(alert.id);
  return insert(key, std::move(alert));
}

Alert& AlertBook::insert(const Key& key, Alert alert) {
  auto id = alert.id;
  erase(id); // a continued episode that was closed and starts at the same time takes its place
  while (!by_id_.empty() && by_id_.size() >= policy_.limit) {
    ++forgotten_at_limit_;
    erase(by_time_.begin()->second);
  }
  latest_[key] = id;
  index_peer(alert);
  by_time_.insert({touched(alert), id});
  return by_id_.emplace(id, std::move(alert)).first->second;
}

void AlertBook::erase(const std::string& id) {
  auto found = by_id_.find(id);
  if (found == by_id_.end()) return;
  auto latest = latest_.find(key_of(found->second.finding));
  if (latest != latest_.end() && latest->second == id) latest_.erase(latest);
  by_time_.erase({touched(found->second), id});
  forget_peer(found->second);
  by_id_.erase(found);
}

void AlertBook::index_peer(const Alert& alert) {
  const auto& address = alert.finding.peer.address;
  if (address != IpAddress{}) by_peer_[address].insert(alert.id);
}

void AlertBook::forget_peer(const Alert& alert) {
  auto at = by_peer_.find(alert.finding.peer.address);
  if (at == by_peer_.end()) return;
  at->second.erase(alert.id);
  if (at->second.empty()) by_peer_.erase(at);
}

void AlertBook::restore(Alert alert) {
  auto key = key_of(alert.finding);
  note_incident(alert);
  auto latest = latest_.find(key);
  if (latest != latest_.end()) {
    const auto* known = find(latest->second);
    // An older one must not become what new findings continue.
    if (known != nullptr && known->id != alert.id && known->finding.last > alert.finding.last) return;
  }
  insert(key, std::move(alert));
}

Result<Alert> AlertBook::set_state(const std::string& id, AlertState state, Timestamp) {
  auto found = by_id_.find(id);
  if (found == by_id_.end())
    return Error{Errc::not_found, "no alert " + id + " on gateway " + policy_.gateway};
  auto& alert = found->second;
  if (alert.state == state) return alert;
  alert.state = state;
  alert.revision += 1;
  return alert;
}

std::size_t AlertBook::forget_quiet(Timestamp now) {
  std::size_t count = 0;
  while (!by_time_.empty() && now - by_time_.begin()->first > policy_.quiet + policy_.late_after) {
    erase(by_time_.begin()->second);
    ++count;
  }
  for (auto it = incidents_.begin(); it != incidents_.end();)
    it = now - it->second.last > policy_.incident_window + policy_.late_after ? incidents_.erase(it)
                                                                              : std::next(it);
  return count;
}

bool AlertBook::tells_of(const Party& entity, std::string_view detector, const IpAddress& peer,
                         Timestamp at) const {
  const auto ids = by_peer_.find(peer);
  if (ids == by_peer_.end()) return false;
  for (const auto& id : ids->second) {
    const auto& finding = by_id_.at(id).finding;
    if (finding.detector == detector && finding.entity.name == entity.name &&
        finding.entity.kind == entity.kind && at - finding.last <= policy_.quiet &&
        finding.first - at <= policy_.quiet)
      return true;
  }
  return false;
}

const Alert* AlertBook::find(const std::string& id) const {
  auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : &found->second;
}

std::string AlertBook::incident_for(const Alert& alert) {
  // The host is a party of nearly everything, so it joins nothing.
  auto meets = [](const Incident& incident, const Party& party) {
    return party.kind != EntityKind::gateway && party.kind != EntityKind::unknown &&
           incident.parties.count(party_key(party)) != 0;
  };
  const std::pair<const std::string, Incident>* best = nullptr;
  for (const auto& entry : incidents_) {
    const auto& incident = entry.second;
    if (alert.finding.first - incident.last > policy_.incident_window) continue;
    if (!meets(incident, alert.finding.entity) && !meets(incident, alert.finding.peer)) continue;
    if (best == nullptr || incident.last > best->second.last) best = &entry;
  }
  if (best != nullptr) return best->first;
  return "I-" + to_hex(hash64(joined({"incident", alert.id})));
}

void AlertBook::note_incident(const Alert& alert) {
  if (alert.incident.empty()) return;
  if (incidents_.size() >= incident_limit && incidents_.count(alert.incident) == 0) {
    auto oldest =
        std::min_element(incidents_.begin(), incidents_.end(), [](const auto& left, const auto& right) {
          return left.second.last < right.second.last;
        });
    incidents_.erase(oldest);
  }
  auto& incident = incidents_[alert.incident];
  incident.last = std::max(incident.last, alert.finding.last);
  for (const auto* party : {&alert.finding.entity, &alert.finding.peer})
    if (party->kind != EntityKind::unknown && incident.parties.size() < incident_party_limit)
      incident.parties.insert(party_key(*party));
}

} // namespace iris
