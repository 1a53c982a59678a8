#pragma once
#include "core/base/observation.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What a stat of a file says that cannot be forged by its owner (the change time cannot be set back).
struct FileFacts {
  Timestamp changed = 0;   ///< ctime; 0 where the file could not be looked at
  std::uint32_t links = 1; ///< 0: unlinked
  std::uint64_t magic = 0; ///< f_type of its file system
  bool memory = false;     ///< memfd_create
  std::uint64_t inode = 0;
};

struct MountPoint {
  std::string path;
  bool writable = false;
  bool tmpfs = false;
};

/// Where a container's file came from. `created` is when the container was made: what was changed in its root
/// since then is not of its image. `mounts` are its volumes and binds.
[[nodiscard]] Origin origin_of(const FileFacts& file, std::string_view path, Timestamp created,
                               const std::vector<MountPoint>& mounts);

/// For a process of the host, where there is no image to compare with: memory, deleted, tmpfs or unknown.
[[nodiscard]] Origin origin_on_host(const FileFacts& file);

} // namespace iris
