#pragma once
#include "core/process/origin.hpp"
#include "core/process/process_table.hpp"

#include <optional>
#include <string>
#include <vector>

namespace iris {

/// What /proc/PID says. Everything that could not be read (the process is gone, no right) stays empty.
struct ProcessFiles {
  ExecFacts facts; ///< without `at`; container "" for the host, nullopt where it could not be read
  FileFacts file;  ///< of the executable
  std::uint64_t start_ticks = 0; ///< since boot, in clock ticks
  bool kernel_thread = false;
  bool complete = false; ///< arguments and executable were there
};

/// Reads one process; the arguments first, since they vanish first. At most 32 KiB of them.
[[nodiscard]] ProcessFiles read_process(std::uint32_t pid);

/// The inode of the gateway's own network namespace: the first process's, or ours where that may not be
/// looked at (a node in the host's network has the same).
[[nodiscard]] std::uint32_t host_network_namespace();

/// All processes, oldest first.
[[nodiscard]] std::vector<ProcessFiles> read_all_processes();

/// Looks at a file inside of the root of a process, with links resolved inside of that root. nullopt: no
/// right, or the process is gone; links = 0: the root is there, the file is not.
[[nodiscard]] std::optional<FileFacts> look_into_root(std::uint32_t pid, const std::string& path);

} // namespace iris
