#include "core/inventory/proc_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace iris {
namespace {

constexpr std::size_t address_limit = 64, mount_limit = 256;

std::string_view take_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin);
}

std::string_view take_word(std::string_view& text) {
  text = trim(text);
  const auto word = text.substr(0, text.find(' '));
  text.remove_prefix(word.size());
  return word;
}

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

} // namespace

std::vector<IpAddress> local_addresses(std::string_view fib_trie) {
  std::vector<IpAddress> found;
  std::optional<IpAddress> leaf;
  while (!fib_trie.empty() && found.size() < address_limit) {
    const auto line = trim(take_line(fib_trie));
    if (line.starts_with("|-- "))
      leaf = parse_ip(line.substr(4));
    else if (leaf && line == "/32 host LOCAL" && scope_of(*leaf) != AddressScope::loopback &&
             std::find(found.begin(), found.end(), *leaf) == found.end())
      found.push_back(*leaf); // the table shows each twice, as main and as local
  }
  return found;
}

std::vector<IpAddress> local_addresses6(std::string_view if_inet6) {
  std::vector<IpAddress> found;
  while (!if_inet6.empty() && found.size() < address_limit) {
    auto line = take_line(if_inet6);
    // 32 hex digits, index, prefix, scope, flags, name; scope 0 is global, as in net/ipv6.h.
    const auto digits = take_word(line);
    (void)take_word(line);
    (void)take_word(line);
    if (digits.size() != 32 || take_word(line) != "00") continue;
    IpAddress address;
    bool good = true;
    for (std::size_t i = 0; i < 16; ++i) {
      const char* at = digits.data() + 2 * i;
      auto [end, error] = std::from_chars(at, at + 2, address.bytes[i], 16);
      good = good && error == std::errc{} && end == at + 2;
    }
    if (good) found.push_back(address);
  }
  return found;
}

std::vector<ContainerMount> mounts_of(std::string_view mountinfo) {
  constexpr std::array kernels{"/proc", "/sys", "/dev"};
  std::vector<ContainerMount> found;
  while (!mountinfo.empty() && found.size() < mount_limit) {
    auto line = take_line(mountinfo);
    // proc_pid_mountinfo(5): id, parent, device, root, mount point, options, fields up to "-", type.
    for (int i = 0; i < 3; ++i)
      (void)take_word(line);
    const auto root = take_word(line), point = take_word(line), options = take_word(line);
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos || point.empty() || point == "/") continue;
    if (std::any_of(kernels.begin(), kernels.end(), [&](std::string_view kernel) {
          return point == kernel ||
                 (point.starts_with(kernel) && point[kernel.size()] == '/' && !point.starts_with("/dev/shm"));
        }))
      continue;
    line.remove_prefix(dash + 3);
    const auto type = take_word(line);
    found.push_back({type == "tmpfs" ? "tmpfs" : "bind", std::string{root}, std::string{point},
                     options == "rw" || options.starts_with("rw,")});
  }
  return found;
}

bool is_wrapper(std::string_view program) {
  constexpr std::array wrappers{"sh",   "bash",        "dash",      "ash",     "busybox", "dumb-init",
                                "tini", "docker-init", "catatonit", "su-exec", "gosu"};
  return std::find(wrappers.begin(), wrappers.end(), base_name(program)) != wrappers.end();
}

std::string program_name(const std::vector<std::string>& command) {
  if (command.empty()) return {};
  constexpr std::size_t name_limit = 64;
  std::string name{base_name(command[0])};
  std::string what;
  if (name.starts_with("java")) {
    // "java -jar -Xmx150M core-metadata.jar" is what EdgeX of 2017 writes.
    for (std::size_t i = 1; i < command.size() && what.empty(); ++i)
      if (command[i].ends_with(".jar")) what = base_name(command[i]);
    if (!what.empty()) what.erase(what.size() - 4);
  } else if (name.starts_with("python") || name.starts_with("node") || name.starts_with("perl")) {
    for (std::size_t i = 1; i < command.size() && what.empty(); ++i)
      if (!command[i].starts_with('-')) what = base_name(command[i]);
  }
  if (!what.empty()) name += " " + what;
  return name.substr(0, name_limit);
}

} // namespace iris
