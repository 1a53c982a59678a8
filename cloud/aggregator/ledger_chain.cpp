#include "cloud/aggregator/batch_codec.hpp"
#include "cloud/aggregator/gateway_finding.hpp"
#include "cloud/aggregator/ledger.hpp"

#include <openssl/rand.h>

#include <algorithm>
#include <stdexcept>

// Epochs, and the chain that seals a gateway's batches (docs/link.md).
namespace iris {
namespace {

std::string new_chain_key() {
  std::string key(32, '\0');
  if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), int(key.size())) != 1)
    throw std::runtime_error{"no random numbers for the key of a chain"};
  return key;
}

} // namespace

/// All sequences start anew, and with them the chain: what the gateway had not sent can be sealed again by
/// whoever has it.
void GatewayLedger::grant_epoch(const SessionStart& start, Timestamp now, SessionTerms& terms,
                                LedgerChange& change) {
  const bool first = row_.epoch == 0;
  // The Welcome of a grant that nothing came of was lost: the gateway names the epoch before it again.
  const bool again = row_.applied == decltype(row_.applied){} && start.epoch == row_.granted_from;
  // Nothing came of the present one where no batch of it was applied: the gateway may not know it.
  if (row_.applied != decltype(row_.applied){}) {
    row_.before = {row_.epoch, row_.taken};
    for (std::size_t lane = 0; lane < row_.applied.size(); ++lane)
      row_.before.lanes[lane].applied = row_.applied[lane];
  }
  if (first || row_.before.epoch != 0) terms.before = row_.before; // else of a program that kept no account
  row_.taken = {};
  constexpr auto most = std::uint64_t(1) << 62;
  row_.epoch = std::max(row_.epoch, start.epoch < most ? start.epoch : 0) + 1;
  row_.applied = {};
  row_.granted_from = start.epoch;
  row_.chains = {};
  if (start.seals) {
    terms.chain_key = new_chain_key();
    for (std::size_t lane = 0; lane < row_.chains.size(); ++lane) {
      row_.chains[lane].active = true;
      row_.chains[lane].link = ChainLink::first(terms.chain_key, std::uint8_t(lane));
    }
  }
  if (!first) // a gateway that is new is no news
    note("epoch", "gateway " + gateway_ + " starts epoch " + std::to_string(row_.epoch), change);
  if (first || again) return;
  auto finding = about_gateway(gateway_, "chain.broken epoch",
                               "began a new spool; what it had not sent before cannot be verified", now);
  finding.expected = "a spool that goes on from what the cloud has";
  finding.observed = "asked for a new epoch instead of " + std::to_string(row_.epoch - 1) + ", it named " +
                     std::to_string(start.epoch);
  std::set<std::string> changed;
  book_.start_write();
  take_finding(std::move(finding), now, changed);
  for (const auto& id : changed)
    put_alert(*book_.find(id), change);
}

/// As the gateway counts (SpoolTotals::add), so that both can be compared after a restore.
void GatewayLedger::count_taken(std::uint8_t lane, const BatchContent& content) {
  auto& taken = row_.taken[lane];
  const auto& seal = content.seal;
  if (seal && seal->state == BatchSeal::State::merged) return;
  if (!seal) { // of an epoch without a key
    taken.entries += content.findings.size() + content.deltas.size();
    return;
  }
  taken.entries += seal->entries;
  taken.observations += seal->observations;
  taken.until = std::max(taken.until, seal->until);
}

/// Findings are taken all the same: one too many is better than one too few. Nothing is learned of counts
/// that somebody may have written: they are only compared with intelligence, and told as lost.
void GatewayLedger::tell_broken(std::uint8_t lane, const std::string& why, BatchContent& content,
                                Timestamp now, LedgerChange& change, std::set<std::string>& changed) {
  world_.counters.chain_broken += 1;
  const std::string name = lane == 0 ? "findings" : "counts";
  const auto seq = std::to_string(row_.applied[lane] + 1);
  auto finding = about_gateway(gateway_, "chain.broken " + name,
                               "batch " + seq + " of its " + name + " " + why +
                                   ": somebody changed or removed something while it waited",
                               now);
  finding.severity = Severity::high;
  finding.expected = "batches as the gateway sealed them when it made them";
  finding.observed = "epoch " + std::to_string(row_.epoch) + ", lane " + name + ", batch " + seq + " " + why;
  note("chain " + name, "gateway " + gateway_ + ": chain broken: " + finding.observed, change);
  take_finding(std::move(finding), now, changed);
  if (content.deltas.empty()) return;
  LossRow untaught{"deltas", "chain", content.deltas.size(), content.deltas[0].from, content.deltas[0].until};
  LossRow uncounted{"observations", "chain", 0, 0, 0};
  for (const auto& delta : content.deltas) {
    match_intelligence(delta, now, changed);
    untaught.since = std::min(untaught.since, delta.from);
    untaught.until = std::max(untaught.until, delta.until);
    uncounted.count += delta.observations;
  }
  uncounted.since = untaught.since;
  uncounted.until = untaught.until;
  for (const auto& loss : {untaught, uncounted})
    change.write.put(Table::observations, loss_key(tenant_, gateway_, now, world_.next_audit++),
                     encode(loss));
  content.deltas.clear();
}

} // namespace iris
