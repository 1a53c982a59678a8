#include "node/own_container.hpp"

#include "core/inventory/container.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <vector>

namespace iris {
namespace {

std::string whole_file(const std::string& path) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// "…/containers/<id>/hostname" -> id; podman's is "…/overlay-containers/<id>/userdata/hostname".
std::string_view id_in_root(std::string_view root) {
  constexpr std::string_view before = "containers/", podman = "/userdata";
  constexpr std::size_t digits = 64;
  auto file = root.rfind('/');
  if (file != std::string_view::npos && root.substr(0, file).ends_with(podman)) file -= podman.size();
  if (file == std::string_view::npos || file < digits + before.size()) return {};
  const auto id = root.substr(file - digits, digits);
  if (root.substr(file - digits - before.size(), before.size()) != before) return {};
  return id.find_first_not_of("0123456789abcdef") == std::string_view::npos ? id : std::string_view{};
}

} // namespace

std::string own_container_of(std::string_view mountinfo) {
  constexpr std::array points{"/etc/hostname", "/etc/hosts", "/etc/resolv.conf"};
  while (!mountinfo.empty()) {
    const auto line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    // proc_pid_mountinfo(5): id, parent, device, root within the file system, mount point.
    std::array<std::string_view, 5> fields;
    auto rest = line;
    for (auto& field : fields) {
      field = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(field.size() + 1, rest.size()));
    }
    if (std::find(points.begin(), points.end(), fields[4]) == points.end()) continue;
    if (auto id = id_in_root(fields[3]); !id.empty()) return std::string{id};
  }
  return {};
}

std::string own_container() { return own_container_of(whole_file("/proc/self/mountinfo")); }

bool shares_our_groups(std::uint32_t pid) {
  const auto theirs = whole_file("/proc/" + std::to_string(pid) + "/cgroup");
  return theirs.empty() || theirs == whole_file("/proc/self/cgroup");
}

bool is_enrolment(const ContainerFacts& facts, const std::string& digest) {
  if (digest.empty() || facts.digest != digest || facts.command.size() < 2) return false;
  const auto& path = facts.command[0];
  return path.substr(path.rfind('/') + 1) == "iris-node" && facts.command[1] == "enroll";
}

} // namespace iris
