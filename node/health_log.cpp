#include "node/health_log.hpp"

#include "node/router/loss_ledger.hpp"

#include <spdlog/spdlog.h>

namespace iris {

void log_health(const SensorHealth& report) {
  const auto* before = report.detail.empty() ? "" : ": ";
  if (is_loss(report))
    spdlog::warn("{}: {} {}{}{}", report.sensor, report.count, report.what, before, report.detail);
  else
    spdlog::log(report.what == "up" || report.what == load_restored ? spdlog::level::info
                                                                    : spdlog::level::warn,
                "{}: {}{}{}", report.sensor, report.what, before, report.detail);
}

} // namespace iris
