#include "actors/disk_space.hpp"
#include "core/base/time.hpp"

#include <sys/statvfs.h>

namespace iris {

std::uint64_t free_bytes(const std::string& path) {
  struct statvfs volume {};
  if (::statvfs(path.c_str(), &volume) != 0) return UINT64_MAX;
  return std::uint64_t(volume.f_bavail) * volume.f_frsize;
}

std::string too_full_text(const std::string& path, std::uint64_t free, std::uint64_t reserve) {
  return human_bytes(free) + " are free on the volume of " + path + ", fewer than the " +
         human_bytes(reserve) + " that stay in reserve; make room there";
}

} // namespace iris
