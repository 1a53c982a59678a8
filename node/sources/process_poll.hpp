#pragma once
#include "core/base/result.hpp"
#include "node/sources/process_sensor.hpp"

#include <memory>

namespace iris {

/// Looks at /proc four times a second, for a node that may do nothing else. What lives for less than that is
/// mostly not seen, an exec of a process that is known is seen within a second, how a process ended is not
/// known. How many processes it may have missed is told, as an upper bound. Needs the host's pid namespace.
[[nodiscard]] Result<std::unique_ptr<ProcessSensor>> open_process_poll();

} // namespace iris
