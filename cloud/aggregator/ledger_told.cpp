#include "cloud/aggregator/gateway_finding.hpp"
#include "cloud/aggregator/ledger.hpp"
#include "core/alert/codec.hpp"

// Whom a ledger tells, and how often.
namespace iris {
namespace {

constexpr Duration tell_every = 60 * second;
constexpr const char* line_mark = "line "; ///< before what is no alert's id

} // namespace

void GatewayLedger::tell_sinks(const std::vector<char>& alert, LedgerChange& change) {
  if (world_.sinks.empty()) return;
  const auto entry = encode_outbox(alert, cell_key(tenant_, gateway_));
  const auto number = world_.next_outbox++;
  for (const auto& sink : world_.sinks)
    if (sink.tenant == "*" || sink.tenant == tenant_)
      change.write.put(Table::outbox, outbox_key(sink.name, number), entry);
  change.told += 1;
}

bool GatewayLedger::hold_back(const std::string& key, const std::string& line) {
  const auto now = world_.now();
  auto known = told_.find(key);
  if (known == told_.end()) {
    if (told_.size() < told_limit) told_[key] = {now, 0, {}};
    return false;
  }
  auto& told = known->second;
  if (now - told.at >= tell_every || now < told.at) {
    told = {now, 0, {}};
    return false;
  }
  told.held += 1;
  told.line = line;
  return true;
}

void GatewayLedger::note(const std::string& what, std::string line, LedgerChange& change) {
  if (!hold_back(line_mark + what, line)) change.notes.push_back(std::move(line));
}

void GatewayLedger::tell_of_more_matches(Timestamp now, std::set<std::string>& changed) {
  if (matched_ <= match_limit) return;
  auto finding = about_gateway(gateway_, "known-bad:many",
                               "names " + std::to_string(matched_) +
                                   " addresses of threat lists at once; some have no alert of their own yet",
                               now);
  finding.detector = "network.known-bad";
  finding.severity = Severity::high;
  finding.expected = "no exchange with an address of a threat list";
  finding.observed = std::to_string(matched_) + " addresses in one batch, found by the cloud";
  finding.attack = {"T1071"};
  take_finding(std::move(finding), now, changed);
}

std::optional<LedgerChange> GatewayLedger::release_held() {
  const auto now = world_.now();
  LedgerChange change;
  for (auto at = told_.begin(); at != told_.end();) {
    auto& [key, told] = *at;
    if (now - told.at < tell_every && now >= told.at) {
      ++at;
      continue;
    }
    if (told.held == 0) {
      at = told_.erase(at);
      continue;
    }
    if (!told.line.empty()) {
      change.notes.push_back(told.line + " (and " + std::to_string(told.held - 1) + " such before)");
    } else if (const auto* alert = book_.find(key)) {
      tell_sinks(encode(*alert), change);
    } else if (auto stored = stored_alert(key)) {
      tell_sinks(encode(*stored), change);
    }
    told = {now, 0, {}};
    ++at;
  }
  if (change.told == 0 && change.notes.empty()) return {};
  return change;
}

} // namespace iris
