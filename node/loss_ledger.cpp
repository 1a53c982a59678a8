#include "node/loss_ledger.hpp"

namespace iris {

void LossLedger::note(const SensorHealth& report, Timestamp at) {
  if (report.what != "dropped" || report.count == 0) return;
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
