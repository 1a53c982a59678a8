#include "cloud/aggregator/gateway_finding.hpp"
#include "cloud/aggregator/ledger.hpp"
#include "core/link/clock_filter.hpp"

// What a gateway's clock says beside ours (docs/link.md, Time).
namespace iris {
namespace {

constexpr Duration worth_a_write = 10 * millisecond;

} // namespace

std::optional<LedgerChange> GatewayLedger::clock(const ClockReading& reading, Timestamp now) {
  LedgerChange change;
  const bool moved = apart(reading.offset, row_.clock) >= worth_a_write;
  const bool spoke =
      judge(reading.offset, "to within " + human_duration(reading.round_trip / 2), now, change);
  if (!moved && !spoke) return {};
  row_.clock = reading.offset;
  put_row(change);
  return change;
}

bool GatewayLedger::judge(Duration offset, const std::string& measured, Timestamp now, LedgerChange& change) {
  const auto verdict = judge_clock(offset, row_.clock_told);
  if (verdict == ClockVerdict::same) return false;
  if (verdict == ClockVerdict::right) {
    change.notes.push_back("the clock of gateway " + gateway_ + " is right again, within " +
                           human_duration(clock_wrong_from) + " of ours");
    return true;
  }
  const auto off = human_duration(apart(offset, 0)) + (offset > 0 ? " ahead of" : " behind");
  change.notes.push_back("the clock of gateway " + gateway_ + " is " + off + " ours");
  auto finding = about_gateway(
      gateway_, "clock.off",
      "has a clock that is " + off + " the cloud's; times in its findings are wrong by as much", now);
  finding.expected = "a clock within " + human_duration(clock_wrong_from) + " of the cloud's";
  finding.observed = off + " the cloud's clock, measured " + measured;
  std::set<std::string> changed;
  book_.start_write();
  take_finding(std::move(finding), now, changed);
  for (const auto& id : changed)
    put_alert(*book_.find(id), change);
  return true;
}

} // namespace iris
