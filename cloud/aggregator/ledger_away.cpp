#include "cloud/aggregator/gateway_finding.hpp"
#include "cloud/aggregator/ledger.hpp"

#include <algorithm>
#include <utility>

// That a gateway is away, and that it is back (docs/alerts.md).
namespace iris {
namespace {

constexpr const char* away_cause = "gateway.away";

} // namespace

bool silent_for_too_long(const CloudWorld& world, const GatewayRow& row, const EnrolmentRow& enrolment,
                         Timestamp now) {
  const auto after = world.settings.away_after;
  if (after == 0 || enrolment.revoked || enrolment.enrolled_at == 0) return false;
  // While this process was not there it heard nobody.
  return now - std::max({row.last_seen, enrolment.enrolled_at, world.started}) >= after;
}

std::optional<LedgerChange> GatewayLedger::away(Timestamp now) {
  if (world_.settings.away_after == 0 || row_.away_since != 0) return {};
  const auto stored = world_.store->get(Table::gateways, enrolment_key(tenant_, gateway_));
  if (!stored || !stored->has_value()) return {};
  const auto enrolment = decode_enrolment(**stored);
  if (!enrolment || !silent_for_too_long(world_, row_, *enrolment, now)) return {};
  LedgerChange change;
  const auto since = std::max(row_.last_seen, enrolment->enrolled_at);
  auto finding =
      about_gateway(gateway_, away_cause, "is away: nothing was heard of it since " + rfc3339(since), now);
  finding.first = since;
  finding.expected = "a gateway that is connected";
  finding.observed = row_.last_seen < enrolment->enrolled_at
                         ? "enrolled and not connected since then"
                         : "silent for " + human_duration(now - since) + " when this was told";
  std::set<std::string> changed;
  book_.start_write();
  take_finding(std::move(finding), now, changed);
  row_.away_since = since;
  row_.away_alert = *changed.begin();
  put_alert(*book_.find(row_.away_alert), change, true);
  put_row(change);
  return change;
}

void GatewayLedger::back(Timestamp now, LedgerChange& change) {
  if (row_.away_since == 0) return;
  const auto since = std::exchange(row_.away_since, 0);
  const auto id = std::exchange(row_.away_alert, {});
  change.notes.push_back("gateway " + gateway_ + " is back; it was away for " + human_duration(now - since));
  if (book_.find(id) == nullptr) { // quiet for long: only the store has it
    auto alert = stored_alert(id);
    if (!alert) return; // it made room for others
    book_.restore(std::move(*alert));
  }
  auto finding = about_gateway(
      gateway_, away_cause, "was away from " + rfc3339(since) + " to " + rfc3339(now) + " and is back", now);
  finding.first = since;
  finding.count = 0; // it is still the one time
  finding.expected = "a gateway that is connected";
  finding.observed = "silent for " + human_duration(now - since) + ", connected now";
  std::set<std::string> changed;
  book_.start_write();
  take_finding(std::move(finding), now, changed);
  (void)book_.set_state(*changed.begin(), AlertState::closed, now);
  put_alert(*book_.find(*changed.begin()), change, true);
}

} // namespace iris
