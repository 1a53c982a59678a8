#pragma once
#include "core/base/observation.hpp"

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// What a sensor knows about one exec; the table adds who it belongs to and where it came from.
struct ExecFacts {
  std::uint32_t pid = 0;
  std::uint32_t parent_pid = 0; ///< used where the fork was not seen
  std::uint32_t uid = 0;
  std::string exe, cwd, tty;
  std::uint64_t inode = 0;       ///< of the executable
  std::vector<std::string> args; ///< already redacted
  bool args_cut = false;
  /// The container as the kernel says it; nullopt: not known, inherit from the fork. "" is the host.
  std::optional<std::string> container;
  /// Shares its parent's mount namespace. Where the parent is outside of the container, this is a runtime
  /// that is still setting up: its cgroup is the container's already, its root is not.
  bool parents_mounts = false;
  Timestamp at = 0;
};

struct ExecResult {
  std::string container; ///< 64 hex digits or "" for the host
  ProcessInfo process;   ///< origin and script are left to the caller
  bool own = false;      ///< of the monitor's own process tree
  bool runtime = false;  ///< a container runtime on its way into the container: not the container's behaviour
};

struct ExitResult {
  std::string container;
  ProcessExit exit;
  bool own = false;
};

/// The living processes, kept by fork, exec and exit events, so that a process is attributed although it is
/// gone when somebody looks. Children inherit their parent's container and do not leave it: processes come
/// into containers from outside, never out of them, and a privileged one may move itself into a control group
/// of any name. Bounded: at the limit the record that
/// was longest without an event goes (and is counted); its next exec brings it back.
class ProcessTable {
public:
  static constexpr std::size_t ancestor_limit = 16;

  explicit ProcessTable(std::size_t limit = 32768) : limit_{limit} {}

  void fork(std::uint32_t parent, std::uint32_t child, Timestamp at);
  [[nodiscard]] ExecResult exec(ExecFacts facts);
  /// nullopt where the process is not known. `signal` is the deadly signal or 0.
  [[nodiscard]] std::optional<ExitResult> exit(std::uint32_t pid, int exit_code, int signal, Timestamp at);

  /// A process that ran before we did; parents first. Never marks it as entered.
  [[nodiscard]] ExecResult seed(ExecFacts facts, Timestamp started);
  /// The container's first process by the engine's word.
  void container_started(const std::string& container, std::uint32_t init_pid);
  void container_gone(const std::string& container);
  /// This process and all that it forks from now on is the monitor itself.
  void exclude(std::uint32_t pid);
  /// This process is the engine's health check; what it forks from now on belongs to that.
  void mark_health_check(std::uint32_t pid);

  /// "" for the host or where nothing is known.
  [[nodiscard]] std::string container_of(std::uint32_t pid) const;
  /// "" where nothing is known.
  [[nodiscard]] std::string exe_of(std::uint32_t pid) const;
  [[nodiscard]] bool is_own(std::uint32_t pid) const;
  /// The first process of a container, 0 where it is not known.
  [[nodiscard]] std::uint32_t init_of(const std::string& container) const;
  /// When the container's first process was first seen, 0 where it is not known.
  [[nodiscard]] Timestamp first_seen(const std::string& container) const;

  [[nodiscard]] std::size_t size() const { return records_.size(); }
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; } ///< records dropped at the limit
  /// Programs that the kernel said to be outside of their container, or in another one, and that were kept.
  [[nodiscard]] std::uint64_t strayed() const { return strayed_; }
  /// Events were lost: a record may be of a process that is gone and whose pid another one has now.
  void events_lost() { ++epoch_; }

private:
  using Text = std::shared_ptr<const std::string>;
  struct Record {
    std::uint32_t pid = 0, parent = 0, uid = 0;
    Text container;              ///< never null
    Text exe;                    ///< never null
    Text born_in;                ///< the parent's container when it forked this one; null where not known
    std::vector<Text> ancestors; ///< nearest first, within the same container
    Timestamp started = 0;
    bool execed = false; ///< since its fork; otherwise exe is its parent's
    bool own = false, entered = false, health_check = false;
    std::uint64_t epoch = 0; ///< losses before it was last known to be right
    std::list<std::uint32_t>::iterator age;
  };
  struct Container {
    std::uint32_t init = 0;
    Timestamp first_seen = 0;
    std::uint32_t living = 0; ///< its processes in the table
  };

  Record& touch(std::uint32_t pid);
  const Record* find(std::uint32_t pid) const;
  void assign(Record& record, const std::string& container);
  void drop(std::uint32_t pid);
  [[nodiscard]] std::vector<Text> ancestors_of_child(const Record& parent) const;
  [[nodiscard]] bool stays(const Record& record, const ExecFacts& facts) const;
  [[nodiscard]] ExecResult apply(ExecFacts facts, bool seeding, Timestamp started);

  std::size_t limit_;
  std::uint64_t evicted_ = 0, strayed_ = 0, epoch_ = 0;
  Text nothing_ = std::make_shared<const std::string>();
  std::unordered_map<std::uint32_t, Record> records_;
  std::unordered_map<std::string, Container> containers_;
  std::list<std::uint32_t> ages_; ///< least recently touched first
};

} // namespace iris
