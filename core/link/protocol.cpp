#include "core/link/protocol.hpp"

#include <cstdlib>

namespace iris {

std::string version_refusal(std::uint16_t major, std::uint16_t minor, const std::string& they,
                            const std::string& we) {
  if (major == link_major && std::abs(int(minor) - int(link_minor)) <= 1) return {};
  const bool theirs_older = major < link_major || (major == link_major && minor < link_minor);
  return they + " speaks link protocol " + std::to_string(major) + "." + std::to_string(minor) + ", " + we +
         " " + std::to_string(link_major) + "." + std::to_string(link_minor) + ": upgrade " +
         (theirs_older ? they : we);
}

} // namespace iris
