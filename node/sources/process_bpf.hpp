#pragma once
#include "core/base/result.hpp"
#include "node/sources/process_sensor.hpp"

#include <memory>

namespace iris {

/// The BPF programs of node/bpf/process.bpf.c. Needs a kernel with BTF (5.8 or newer) and CAP_BPF +
/// CAP_PERFMON (CAP_SYS_ADMIN before 5.8; CAP_SYS_RESOURCE before 5.11 for locked memory). No tracefs, no
/// kprobes. An Error names the first complaint of the kernel or the loader.
[[nodiscard]] Result<std::unique_ptr<ProcessSensor>> open_process_bpf();

} // namespace iris
