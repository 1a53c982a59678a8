#pragma once
#include "node/sources/docker_source.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace iris {

/// Containers as the kernel shows them, for a gateway whose engine cannot be asked: found by their control
/// groups, called by their main process and the beginning of their id ("mongod@1a2b3c4d5e6f"), with addresses
/// from their network namespace and mounts from their mount namespace. How they are set up, their images and
/// how they end stays unknown: a container without a process is told as removed.
class ContainerScan {
public:
  explicit ContainerScan(std::string proc = "/proc") : proc_{std::move(proc)} {}

  /// What has changed since the last call; the first time all are `listed`. Containers that somebody else
  /// knows are left to him. @param now wall time.
  [[nodiscard]] std::vector<ContainerReport> scan(Timestamp now,
                                                  const std::function<bool(const std::string&)>& is_known);
  /// An engine answers: what it does not know is told as removed, and all is forgotten.
  [[nodiscard]] std::vector<ContainerReport>
  hand_over(Timestamp now, const std::function<bool(const std::string&)>& is_known);
  [[nodiscard]] std::size_t containers() const { return known_.size(); }

private:
  struct Process {
    std::uint32_t pid = 0, parent = 0;
    std::uint64_t started = 0; ///< clock ticks since boot
  };
  [[nodiscard]] std::map<std::string, std::vector<Process>> find() const;
  [[nodiscard]] ContainerFacts describe(const std::string& id, std::vector<Process> processes,
                                        Timestamp now) const;
  [[nodiscard]] std::string file(std::uint32_t pid, const char* name) const;

  std::string proc_;
  std::map<std::string, ContainerFacts> known_;
  bool scanned_ = false;
};

} // namespace iris
