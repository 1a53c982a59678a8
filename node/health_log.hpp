#pragma once
#include "core/base/observation.hpp"

namespace iris {

/// Says in the log what a source reports of itself.
void log_health(const SensorHealth& report);

} // namespace iris
