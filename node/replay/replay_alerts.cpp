#include "node/replay/replay_alerts.hpp"

#include <algorithm>
#include <tuple>

namespace iris {
namespace {

AlertPolicy policy() {
  AlertPolicy policy;
  policy.tenant = "replay";
  policy.site = "replay";
  policy.gateway = "replay";
  policy.late_after = 1'000'000'000 * second; // what is replayed is never late
  return policy;
}

} // namespace

ReplayAlerts::ReplayAlerts() : book_{policy()} {}

void ReplayAlerts::raise(Finding finding) {
  const auto now = finding.last;
  auto alert = book_.apply(std::move(finding), now);
  if (alerts_.size() >= limit && !alerts_.contains(alert.id)) {
    ++lost_;
    return;
  }
  alerts_.insert_or_assign(alert.id, std::move(alert));
}

std::vector<Alert> ReplayAlerts::take(const std::function<void(const std::string&)>& note) {
  std::vector<Alert> sorted;
  for (auto& [id, alert] : alerts_)
    sorted.push_back(std::move(alert));
  alerts_.clear();
  std::sort(sorted.begin(), sorted.end(), [](const Alert& left, const Alert& right) {
    return std::tie(left.finding.first, left.id) < std::tie(right.finding.first, right.id);
  });
  if (lost_ != 0)
    note(std::to_string(lost_) + " alerts beyond the first " + std::to_string(limit) + " are not shown");
  return sorted;
}

} // namespace iris
