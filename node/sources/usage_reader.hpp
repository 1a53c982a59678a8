#pragma once
#include "core/base/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// Absolute values of one control group.
struct GroupUsage {
  Duration cpu = 0;         ///< since the group was made
  std::uint64_t memory = 0; ///< bytes, without the page cache that could be dropped at once
  std::uint32_t pids = 0;   ///< tasks
};

/// Reads a container's counters from control groups of either version, also where both are mounted.
class UsageReader {
public:
  /// `mountinfo` is /proc/self/mountinfo; finds where the controllers are.
  explicit UsageReader(std::string_view mountinfo);

  [[nodiscard]] bool usable() const { return !cpu_.point.empty() && !memory_.point.empty(); }
  /// `groups` is /proc/PID/cgroup of the container's first process. nullopt where its groups cannot be read.
  [[nodiscard]] std::optional<GroupUsage> read(std::string_view groups) const;

private:
  struct Mount {
    std::string point; ///< where it is mounted; empty for not at all
    std::string root;  ///< which group that shows
    bool unified = false;
  };
  [[nodiscard]] static std::string folder(const Mount& mount, std::string_view groups,
                                          std::string_view controller);

  Mount cpu_, memory_, pids_;
};

} // namespace iris
