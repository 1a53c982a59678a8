#pragma once
#include "core/base/result.hpp"
#include "node/sources/process_sensor.hpp"

#include <memory>

namespace iris {

/// The kernel's process connector (netlink), for kernels without BTF. It says only which process did
/// something, so the rest is read from /proc at once; what is gone by then is attributed by its fork, without
/// arguments. Needs CAP_NET_ADMIN in the initial user namespace, and the host's pid namespace.
[[nodiscard]] Result<std::unique_ptr<ProcessSensor>> open_process_connector();

} // namespace iris
