#include "node/router/loss_ledger.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace iris {

bool is_loss(const SensorHealth& report) {
  constexpr std::array<std::string_view, 6> kinds{"dropped",   "unread",    "unreadable",
                                                  "forgotten", "oversized", "blind"};
  return report.count != 0 && std::find(kinds.begin(), kinds.end(), report.what) != kinds.end();
}

void LossLedger::note(const SensorHealth& report, Timestamp at) {
  if (!is_loss(report)) return;
  Loss loss;
  if (report.sensor.starts_with("packet"))
    loss.packets = report.count;
  else if (report.sensor.starts_with("process"))
    loss.processes = report.count;
  else
    loss.observations = report.count;
  const std::lock_guard lock{mutex_};
  entries_.push_back({at, loss});
  if (entries_.size() > limit) entries_.pop_front();
}

Loss LossLedger::around(Timestamp at) const {
  Loss sum;
  const std::lock_guard lock{mutex_};
  for (const auto& entry : entries_) {
    if (entry.at < at - span || entry.at > at + span) continue;
    sum.packets += entry.loss.packets;
    sum.processes += entry.loss.processes;
    sum.observations += entry.loss.observations;
  }
  return sum;
}

} // namespace iris
