#pragma once
#include "node/sources/process_files.hpp"
#include "node/sources/process_sensor.hpp"
#include "node/sources/process_source.hpp"

#include <array>
#include <unordered_map>

namespace iris {

/// Turns what a sensor sees into events of entities: the part of ProcessSource that has no thread.
class ProcessAttribution final : public ProcessSink {
public:
  explicit ProcessAttribution(std::size_t table_limit) : table_{table_limit} {}

  void exclude(std::uint32_t pid) { table_.exclude(pid); }
  void events_lost() { table_.events_lost(); }
  /// The wall clock minus the boot clock, to be refreshed now and then since the wall clock may be set.
  void set_clock(std::int64_t wall_minus_boot) { offset_ = wall_minus_boot; }
  /// A process from before our time; `announce` delivers it as a start.
  void seed(ProcessFiles process, Timestamp started, bool announce);
  void container_started(const ContainerFacts& facts);
  void container_stopped(const ContainerFacts& facts);
  void container_gone(const std::string& id);

  void on_fork(std::uint32_t parent, std::uint32_t child, std::int64_t boot_at) override;
  void on_exec(SensedExec exec) override;
  void on_exit(std::uint32_t pid, std::uint32_t status, std::int64_t boot_at) override;
  void on_socket(SensedSocket socket) override;
  /// The inode of the gateway's own network namespace.
  void set_host_net(std::uint32_t inode) { host_net_ = inode; }

  [[nodiscard]] std::vector<ProcessEvent> take() { return std::exchange(events_, {}); }
  [[nodiscard]] bool pending() const { return !events_.empty(); }
  [[nodiscard]] std::vector<SocketEvent> take_sockets() { return std::exchange(sockets_, {}); }
  [[nodiscard]] bool sockets_pending() const { return !sockets_.empty(); }
  [[nodiscard]] const ProcessSourceStatistics& counters() const { return counters_; }
  [[nodiscard]] const ProcessTable& table() const { return table_; }

private:
  struct Place {
    Timestamp created = 0;
    std::vector<MountPoint> mounts;
    std::vector<std::string> health_check;
  };

  void place(const ContainerFacts& facts);
  void deliver(ExecResult result, const FileFacts& file, const std::string& script, std::int64_t boot_at);
  [[nodiscard]] Origin origin(const std::string& container, const FileFacts& file,
                              const std::string& path) const;
  [[nodiscard]] Origin script_origin(const std::string& container, std::uint32_t pid, const std::string& path,
                                     Timestamp at, bool& fresh) const;

  ProcessTable table_;
  std::unordered_map<std::string, Place> places_;
  std::unordered_map<std::uint64_t, std::string> groups_; ///< containers by their cgroup
  std::vector<ProcessEvent> events_;
  std::vector<SocketEvent> sockets_;
  std::uint32_t host_net_ = 0;
  /// A process's sockets are closed after its exit was told.
  struct Ended {
    std::uint32_t pid = 0;
    std::string container, exe;
    bool own = false;
  };
  std::array<Ended, 256> ended_; ///< ring
  std::size_t next_ended_ = 0;
  bool sockets_seen_ = false;
  ProcessSourceStatistics counters_;
  std::int64_t offset_ = 0;
  bool seeding_ = false;
};

} // namespace iris
