#include "cloud/aggregator/ledger.hpp"
#include "cloud/aggregator/batch_codec.hpp"
#include "cloud/aggregator/evidence_store.hpp"
#include "cloud/aggregator/gateway_finding.hpp"
#include "core/alert/codec.hpp"
#include "core/base/hash.hpp"
#include "core/link/clock_filter.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr Duration longest_ahead = 366 * 86'400 * second; ///< of a gateway's clock that we reckon with

AlertPolicy policy_for(const CloudSettings& settings, const std::string& tenant, const std::string& site,
                       const std::string& gateway) {
  AlertPolicy policy;
  policy.tenant = tenant;
  policy.site = site;
  policy.gateway = gateway;
  policy.quiet = settings.training.scale.alert_quiet;
  policy.incident_window = policy.quiet / 2;
  policy.late_after = settings.late_after;
  return policy;
}

} // namespace

GatewayLedger::GatewayLedger(CloudWorld& world, std::string tenant, std::string gateway)
    : world_{world}, tenant_{std::move(tenant)}, gateway_{std::move(gateway)}, book_{policy_for(
                                                                                   world.settings, tenant_,
                                                                                   {}, gateway_)} {
  // nop
}

Result<std::unique_ptr<GatewayLedger>> GatewayLedger::load(CloudWorld& world, std::string tenant,
                                                           std::string gateway) {
  std::unique_ptr<GatewayLedger> ledger{new GatewayLedger{world, std::move(tenant), std::move(gateway)}};
  auto stored = world.store->get(Table::gateways, gateway_key(ledger->tenant_, ledger->gateway_));
  if (!stored) return stored.error();
  if (stored->has_value()) {
    auto row = decode_gateway(**stored);
    if (!row) return row.error();
    ledger->row_ = std::move(*row);
  }
  ledger->book_.set_policy(policy_for(world.settings, ledger->tenant_, ledger->row_.site, ledger->gateway_));
  if (auto loaded = ledger->load_alerts(); !loaded) return loaded.error();
  auto profiles = profiles_of(*world.store, ledger->tenant_, ledger->gateway_);
  if (!profiles) return profiles.error();
  ledger->profiles_.insert(profiles->begin(), profiles->end());
  return ledger;
}

Result<void> GatewayLedger::load_alerts() {
  const auto now = world_.now();
  const auto horizon = 2 * book_.policy().quiet + book_.policy().late_after;
  return world_.store->scan(Table::alerts, alert_prefix(tenant_, gateway_),
                            [&](std::string_view, std::string_view value) {
                              auto alert = decode_alert(value);
                              if (alert) note_row(*alert);
                              if (alert && now - std::max(alert->received, alert->finding.last) <= horizon)
                                book_.restore(std::move(*alert));
                              return true;
                            });
}

SessionTerms GatewayLedger::begin(const SessionStart& start, Timestamp now, LedgerChange& change) {
  SessionTerms terms;
  bool known = start.epoch != 0 && start.epoch == row_.epoch;
  // A spool that is behind what we have was replaced: its numbers would look like repeats.
  for (std::size_t lane = 0; known && lane < row_.applied.size(); ++lane)
    known = start.lanes[lane].last >= row_.applied[lane];
  if (!known) grant_epoch(start, now, terms, change);
  if (row_.first_seen == 0) row_.first_seen = now;
  row_.last_seen = now;
  row_.version = start.version;
  auto site = enrolled_site();
  row_.site = site.empty() ? start.site : site;
  book_.set_policy(policy_for(world_.settings, tenant_, row_.site, gateway_));
  // All there is until the session has measured it; of an older gateway, all there ever is.
  if (auto offset = one_way_offset(start.clock, now)) {
    row_.clock = *offset;
    (void)judge(*offset, "by its Hello", now, change);
  }
  back(now, change);
  put_row(change);
  terms.epoch = row_.epoch;
  terms.applied = row_.applied;
  terms.site = row_.site;
  return terms;
}

std::string GatewayLedger::enrolled_site() const {
  auto stored = world_.store->get(Table::gateways, enrolment_key(tenant_, gateway_));
  if (!stored || !stored->has_value()) return {};
  auto row = decode_enrolment(**stored);
  return row ? row->site : std::string{};
}

void GatewayLedger::end_session(Timestamp now, LedgerChange& change) {
  row_.last_seen = now;
  put_row(change);
}

LedgerChange GatewayLedger::apply(std::uint8_t lane, const std::vector<char>& bytes, Timestamp now) {
  LedgerChange change;
  std::set<std::string> changed;
  auto content = decode_batch(bytes);
  book_.start_write();
  matched_ = 0;
  const auto why =
      row_.chains[lane].take({row_.epoch, lane, row_.applied[lane] + 1}, content.seal, content.found,
                             now + std::clamp<Duration>(row_.clock, 0, longest_ahead));
  if (!why.empty()) tell_broken(lane, why, content, now, change, changed);
  world_.counters.batches += 1;
  world_.counters.findings += content.findings.size();
  world_.counters.deltas += content.deltas.size();
  world_.counters.entries_damaged += content.damaged_total;
  for (const auto& line : content.damaged)
    note("damaged", "gateway " + gateway_ + ": " + line, change);
  for (auto& finding : content.findings) {
    if (made_by_cloud(finding)) finding.cause.insert(0, "the gateway says: ");
    take_finding(std::move(finding), now, changed);
  }
  for (const auto& delta : content.deltas)
    take_delta(delta, now, change, changed);
  tell_of_more_matches(now, changed);
  for (const auto& loss : content.losses)
    take_loss(loss, now, change, changed);
  for (const auto& id : changed)
    if (const auto* alert = book_.find(id)) put_alert(*alert, change);
  count_taken(lane, content);
  row_.applied[lane] += 1;
  row_.last_seen = now;
  put_row(change);
  return change;
}

void GatewayLedger::take_finding(Finding finding, Timestamp now, std::set<std::string>& changed) {
  // A clock that is ahead must not make an alert that never becomes quiet.
  const auto latest = now + 60 * second;
  finding.last = std::min(finding.last, latest);
  finding.first = std::min(finding.first, finding.last);
  enrich(finding.entity);
  enrich(finding.peer);
  changed.insert(book_.apply(std::move(finding), now).id);
}

void GatewayLedger::take_delta(const ServiceDelta& delta, Timestamp now, LedgerChange& change,
                               std::set<std::string>& changed) {
  world_.counters.observations += delta.observations;
  match_intelligence(delta, now, changed);
  auto profile = profile_of(delta.entity);
  if (profiles_.count(profile) == 0) {
    if (profiles_.size() >= world_.settings.profiles_per_gateway) {
      world_.counters.profiles_refused += 1;
      return;
    }
    profiles_.insert(profile);
    change.fresh_profiles.insert(profile);
    change.write.put(Table::behaviours, profile_index_key(tenant_, profile, gateway_), std::string{});
  }
  auto known = evidence_.find(profile);
  if (known == evidence_.end()) {
    auto loaded = load_evidence(*world_.store, tenant_, gateway_, profile, change.notes);
    if (loaded && loaded->has_value())
      known = evidence_.emplace(profile, std::move(**loaded)).first;
    else
      known = evidence_.emplace(profile, Evidence{profile, gateway_, world_.settings.training.scale}).first;
  }
  put_evidence(change.write, tenant_, known->second, known->second.apply(delta));
  change.profiles.insert(profile);
}

void GatewayLedger::match_intelligence(const ServiceDelta& delta, Timestamp now,
                                       std::set<std::string>& changed) {
  auto intelligence = world_.intelligence.get();
  if (intelligence->indicators.empty()) return;
  std::optional<std::map<std::uint64_t, std::string>> accepted; // read once, when it is needed
  for (const auto& key : delta.keys) {
    if (!key.contact || key.peer == IpAddress{} || !intelligence->indicators.contains(key.peer)) continue;
    if (book_.tells_of(delta.entity, "network.known-bad", key.peer, key.last)) continue;
    if (!accepted) accepted = accepted_by_people(delta);
    if (std::any_of(key.keys.begin(), key.keys.end(),
                    [&](auto number) { return accepted->count(number) != 0; }))
      continue;
    if (++matched_ > match_limit) continue; // it gets its alert from the next batch that names it
    auto match = intelligence->indicators.match(key.peer);
    std::string lists;
    for (const auto& list : match.lists)
      lists += (lists.empty() ? "" : ", ") + list;
    Finding finding;
    finding.detector = "network.known-bad";
    finding.entity = delta.entity;
    finding.peer.kind = EntityKind::internet;
    finding.peer.address = key.peer;
    finding.peer.port = key.port;
    finding.peer.protocol = key.protocol;
    finding.cause =
        "known-bad:" + to_string(key.peer) + "#" + to_hex(key.keys[0]); // as the edge's detector says
    finding.severity = Severity::high;
    finding.score = 20;
    finding.first = key.first;
    finding.last = key.last;
    finding.count = std::max<std::uint64_t>(key.count, 1);
    finding.act = "talked to {peer}, which is on threat list " + lists;
    finding.expected = "no exchange with an address of a threat list";
    finding.observed = std::to_string(finding.count) + " exchanges, " + human_bytes(key.bytes_out) +
                       " sent, " + human_bytes(key.bytes_in) + " received; listed as " +
                       to_string(match.network) + " with confidence " + std::to_string(match.confidence) +
                       ", found by the cloud";
    finding.attack = {"T1071"};
    world_.counters.known_bad_found += 1;
    take_finding(std::move(finding), now, changed);
  }
}

std::map<std::uint64_t, std::string> GatewayLedger::accepted_by_people(const ServiceDelta& delta) const {
  auto stored = world_.store->get(Table::baselines, profile_row_key(tenant_, profile_of(delta.entity)));
  if (!stored || !stored->has_value()) return {};
  auto row = decode_profile(**stored);
  return row ? std::move(row->accepted) : std::map<std::uint64_t, std::string>{};
}

void GatewayLedger::take_loss(const LossRow& loss, Timestamp now, LedgerChange& change,
                              std::set<std::string>& changed) {
  change.write.put(Table::observations, loss_key(tenant_, gateway_, now, world_.next_audit++), encode(loss));
  // What sources lost the gateway judges itself; what its spool lost only we can be sure to tell.
  const bool damaged = loss.kind == "spool";
  if (loss.kind != "findings" && loss.kind != "deltas" && !damaged) return;
  auto finding =
      about_gateway(gateway_, "spool lost " + loss.kind,
                    damaged ? "found its spool damaged and began a new one; what had not reached the "
                              "cloud is lost"
                            : "dropped " + loss.kind + " before they reached the cloud",
                    std::clamp<Timestamp>(loss.until, 0, now));
  finding.first = std::clamp<Timestamp>(loss.since, 0, finding.last);
  finding.count = std::max<std::uint64_t>(loss.count, 1);
  finding.expected = "nothing is lost while the spool has room";
  const auto what =
      loss.count == 1 && loss.kind.ends_with('s') ? loss.kind.substr(0, loss.kind.size() - 1) : loss.kind;
  finding.observed = std::to_string(loss.count) + " " + what + " lost by " + loss.sensor;
  finding.loss.observations = loss.count;
  take_finding(std::move(finding), now, changed);
}

LedgerChange GatewayLedger::violation(const PeerViolation& violation, Timestamp now) {
  LedgerChange change;
  auto finding =
      about_gateway(gateway_, "peer.violation " + violation.kind,
                    "broke the rules of the link and was cut off: " + violation.reason, violation.at);
  finding.severity = Severity::high;
  finding.count = violation.count;
  finding.expected = "messages of a gateway only";
  finding.observed = violation.reason;
  std::set<std::string> changed;
  book_.start_write();
  take_finding(std::move(finding), now, changed);
  for (const auto& id : changed)
    put_alert(*book_.find(id), change);
  return change;
}

Result<Alert> GatewayLedger::stored_alert(const std::string& id) const {
  if (auto changed = changed_.find(id); changed != changed_.end()) return changed->second;
  auto stored = world_.store->get(Table::alerts, alert_key(tenant_, gateway_, id));
  if (!stored) return stored.error();
  if (!stored->has_value()) return Error{Errc::not_found, "there is no alert " + id};
  return decode_alert(**stored);
}

Result<LedgerChange> GatewayLedger::command(const AlertCommand& command, Timestamp now) {
  LedgerChange change;
  auto unchanged = [](Alert alert) {
    LedgerChange none;
    none.same = std::move(alert);
    return none;
  };
  const auto* known = book_.find(command.id);
  if (known == nullptr) { // quiet for long: only the store has it
    auto alert = stored_alert(command.id);
    if (!alert) return alert.error();
    if (alert->state == command.state) return unchanged(std::move(*alert));
    alert->state = command.state;
    alert->revision += 1;
    put_alert(*alert, change, true);
    if (changed_.size() >= changed_limit) changed_.erase(changed_.begin());
    changed_[command.id] = std::move(*alert);
  } else {
    if (known->state == command.state) return unchanged(*known);
    auto alert = book_.set_state(command.id, command.state, now);
    if (!alert) return alert.error();
    put_alert(*alert, change, true);
  }
  add_audit(world_, change.write, tenant_, command.asked_by, to_string(command.state), command.id, gateway_);
  return change;
}

void GatewayLedger::enrich(Party& party) const {
  if (party.address == IpAddress{} || scope_of(party.address) != AddressScope::global) return;
  auto place = world_.intelligence.get()->place_of(party.address);
  if (!place.country.empty()) party.country = std::move(place.country);
  if (!place.network.empty()) party.network = std::move(place.network);
}

void GatewayLedger::put_alert(const Alert& alert, LedgerChange& change, bool at_once) {
  auto bytes = encode(alert);
  if (alert.revision == 1) world_.counters.alerts_opened += 1;
  world_.counters.alert_revisions += 1;
  change.write.put(Table::alerts, alert_key(tenant_, gateway_, alert.id), bytes);
  note_row(alert);
  make_room(change);
  change.alerts.push_back(alert);
  const bool health =
      alert.finding.detector == "sensor.health" && alert.finding.entity.kind == EntityKind::gateway;
  if (at_once || !health || !hold_back(alert.id)) tell_sinks(bytes, change);
}

void GatewayLedger::note_row(const Alert& alert) {
  const Row row{made_by_cloud(alert.finding), alert.state != AlertState::closed, alert.finding.last};
  auto [known, fresh] = stored_.try_emplace(alert.id, row);
  if (!fresh) {
    room_.erase({known->second.ours, known->second.open, known->second.last, alert.id});
    known->second = row;
  }
  room_.insert({row.ours, row.open, row.last, alert.id});
}

/// At the limit a tenth of the rows goes: closed ones first, then those that were quiet for longest;
/// what we say of the gateway after all that it says itself, which it can make as it likes.
void GatewayLedger::make_room(LedgerChange& change) {
  const std::size_t limit = world_.settings.alerts_per_gateway;
  if (stored_.size() <= limit) return;
  const auto count = std::max(stored_.size() - limit, limit / 10);
  for (std::size_t i = 0; i < count && !room_.empty(); ++i) {
    auto id = std::get<3>(*room_.begin());
    room_.erase(room_.begin());
    stored_.erase(id);
    change.write.erase(Table::alerts, alert_key(tenant_, gateway_, id));
    changed_.erase(id);
    change.deleted.push_back(std::move(id));
  }
  world_.counters.alerts_dropped += count;
  change.notes.push_back("gateway " + gateway_ + " has more than " + std::to_string(limit) +
                         " alerts; the oldest " + std::to_string(count) + " were deleted");
}

void GatewayLedger::put_row(LedgerChange& change) {
  change.write.put(Table::gateways, gateway_key(tenant_, gateway_), encode(row_));
}

} // namespace iris
