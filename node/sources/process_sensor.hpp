#pragma once
#include "core/net/socket_owners.hpp"
#include "core/process/origin.hpp"
#include "core/process/process_table.hpp"

#include <cstdint>
#include <string>

namespace iris {

/// One exec as a sensor sees it, before it is attributed. Arguments are not redacted yet.
struct SensedExec {
  ExecFacts facts;          ///< without `at`
  FileFacts file;           ///< of the executable
  std::string script;       ///< "#!": the script that the kernel was told to run
  std::uint64_t cgroup = 0; ///< id in the unified hierarchy, 0 where not known
  bool unread = false;      ///< gone before its arguments and its file could be read
  std::int64_t boot_at = 0; ///< CLOCK_BOOTTIME ns
};

/// One socket as a sensor sees it: `event.use` has no container and no program yet.
struct SensedSocket {
  SocketEvent event;
  std::uint32_t net = 0;    ///< inode of its network namespace
  std::uint64_t cgroup = 0; ///< of the unified hierarchy, in which it was made; 0 unknown
};

/// What a sensor calls for each event, in the kernel's order.
class ProcessSink {
public:
  virtual ~ProcessSink() = default;
  virtual void on_fork(std::uint32_t parent, std::uint32_t child, std::int64_t boot_at) = 0;
  virtual void on_exec(SensedExec exec) = 0;
  /// `status` is a wait status.
  virtual void on_exit(std::uint32_t pid, std::uint32_t status, std::int64_t boot_at) = 0;
  virtual void on_socket(SensedSocket socket) = 0;
};

/// A way to learn of forks, execs and exits. For one thread.
class ProcessSensor {
public:
  virtual ~ProcessSensor() = default;
  [[nodiscard]] virtual const char* name() const = 0; ///< "ebpf", "connector" or "procfs"
  [[nodiscard]] virtual int descriptor() const = 0;   ///< readable when there is something to drain
  /// Hands over what is there and returns how many events that were.
  virtual std::size_t drain(ProcessSink& sink) = 0;
  /// Whether events must be drained at once, since more is read from /proc; otherwise they may gather for a
  /// while.
  [[nodiscard]] virtual bool urgent() const { return false; }
  /// Said before the thread waits on the descriptor; drain once more afterwards.
  virtual void about_to_sleep() {}
  /// Events lost since the last call, of any kind.
  [[nodiscard]] virtual std::uint64_t take_lost() = 0;
  /// Sockets' events lost since the last call.
  [[nodiscard]] virtual std::uint64_t take_lost_sockets() { return 0; }
  /// Processes and threads since the last call that may have lived unseen, at most.
  [[nodiscard]] virtual std::uint64_t take_unseen() { return 0; }
  /// Why sockets are not told; "" where they are.
  [[nodiscard]] virtual const std::string& without_sockets() const = 0;
  /// Execs since the last call whose process was gone before its arguments could be read: a loss, since they
  /// are not told as starts.
  [[nodiscard]] virtual std::uint64_t take_unread() { return 0; }
};

} // namespace iris
