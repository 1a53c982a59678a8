#include "core/process/origin.hpp"

namespace iris {
namespace {

constexpr std::uint64_t tmpfs_magic = 0x01021994; // linux/magic.h
constexpr std::uint64_t ramfs_magic = 0x858458f6;

bool below(std::string_view path, std::string_view mount) {
  while (mount.size() > 1 && mount.ends_with('/'))
    mount.remove_suffix(1);
  return path.starts_with(mount) &&
         (mount == "/" || path.size() == mount.size() || path[mount.size()] == '/');
}

} // namespace

Origin origin_on_host(const FileFacts& file) {
  if (file.memory) return Origin::memory;
  if (file.links == 0) return Origin::deleted;
  if (file.magic == tmpfs_magic || file.magic == ramfs_magic) return Origin::tmpfs;
  return Origin::unknown;
}

Origin origin_of(const FileFacts& file, std::string_view path, Timestamp created,
                 const std::vector<MountPoint>& mounts) {
  if (auto origin = origin_on_host(file); origin != Origin::unknown) return origin;
  const MountPoint* nearest = nullptr;
  for (const auto& mount : mounts)
    if (below(path, mount.path) && (nearest == nullptr || mount.path.size() > nearest->path.size()))
      nearest = &mount;
  if (nearest != nullptr) {
    if (nearest->tmpfs) return Origin::tmpfs;
    // What is mounted read-only was put there by whoever deployed the container.
    return nearest->writable ? Origin::mount : Origin::image;
  }
  if (file.changed == 0 || created == 0) return Origin::unknown;
  return file.changed > created ? Origin::upper : Origin::image;
}

} // namespace iris
