#include "node/sources/usage_reader.hpp"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <unistd.h>

namespace iris {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string contents(const std::string& path) {
  std::string out;
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return out;
  char buffer[4096];
  for (ssize_t count; out.size() < 65536 && (count = ::read(fd, buffer, sizeof buffer)) > 0;)
    out.append(buffer, std::size_t(count));
  ::close(fd);
  return out;
}

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t out = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} ? std::optional{out} : std::nullopt;
}

/// The value of `key` in lines of "key value".
std::optional<std::uint64_t> value_of(std::string_view text, std::string_view key) {
  for (auto line : split(text, '\n'))
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return number(line.substr(key.size() + 1));
  return std::nullopt;
}

} // namespace

UsageReader::UsageReader(std::string_view mountinfo) {
  Mount unified;
  for (auto line : split(mountinfo, '\n')) {
    // 36 35 98:0 /root /point options… - type source super-options (proc(5))
    auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    auto before = split(line.substr(0, dash), ' ');
    auto after = split(line.substr(dash + 3), ' ');
    if (before.size() < 5 || after.size() < 3) continue;
    const Mount mount{std::string{before[4]}, std::string{before[3]}, after[0] == "cgroup2"};
    if (mount.unified && unified.point.empty()) unified = mount;
    if (after[0] != "cgroup") continue;
    for (auto controller : split(after[2], ',')) {
      auto& slot = controller == "cpuacct" ? cpu_ : controller == "memory" ? memory_ : pids_;
      if ((controller == "cpuacct" || controller == "memory" || controller == "pids") && slot.point.empty())
        slot = mount;
    }
  }
  // The unified hierarchy counts what the older ones do not.
  for (auto* slot : {&cpu_, &memory_, &pids_})
    if (slot->point.empty()) *slot = unified;
}

std::string UsageReader::folder(const Mount& mount, std::string_view groups, std::string_view controller) {
  if (mount.point.empty()) return {};
  for (auto line : split(groups, '\n')) { // "4:memory:/docker/<id>", "0::/docker/<id>"
    auto first = line.find(':');
    auto next = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (next == std::string_view::npos) continue;
    auto controllers = line.substr(first + 1, next - first - 1);
    auto path = line.substr(next + 1);
    if (mount.unified) {
      if (!controllers.empty() || !line.starts_with("0:")) continue;
    } else {
      auto names = split(controllers, ',');
      if (std::find(names.begin(), names.end(), controller) == names.end()) continue;
    }
    // A mount may show a sub-group only. The root group is the whole machine and no container.
    if (mount.root != "/" && path.starts_with(mount.root)) path.remove_prefix(mount.root.size());
    if (path.empty() || path == "/" || path.starts_with("/..")) return {};
    return mount.point + std::string{path} + "/";
  }
  return {};
}

std::optional<GroupUsage> UsageReader::read(std::string_view groups) const {
  GroupUsage out;
  const auto cpu = folder(cpu_, groups, "cpuacct");
  const auto memory = folder(memory_, groups, "memory");
  const auto pids = folder(pids_, groups, "pids");
  if (cpu.empty() || memory.empty()) return std::nullopt;
  if (cpu_.unified) {
    auto used = value_of(contents(cpu + "cpu.stat"), "usage_usec");
    if (!used) return std::nullopt;
    out.cpu = Duration(*used) * microsecond;
  } else {
    auto used = number(contents(cpu + "cpuacct.usage"));
    if (!used) return std::nullopt;
    out.cpu = Duration(*used);
  }
  auto used = number(contents(memory + (memory_.unified ? "memory.current" : "memory.usage_in_bytes")));
  if (used) {
    const auto cache =
        value_of(contents(memory + "memory.stat"), memory_.unified ? "inactive_file" : "total_inactive_file");
    out.memory = *used - std::min(*used, cache.value_or(0));
  }
  if (!pids.empty()) out.pids = std::uint32_t(number(contents(pids + "pids.current")).value_or(0));
  return out;
}

} // namespace iris
