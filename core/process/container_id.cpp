#include "core/process/container_id.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr std::size_t id_length = 64;

bool is_id(std::string_view text) {
  return text.size() == id_length && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

/// "libpod-conmon-" and "crio-conmon-" hold the container's monitor, which is a process of the host.
bool is_monitor(std::string_view name) { return name.find("conmon-") != std::string_view::npos; }

} // namespace

std::string container_id_of_name(std::string_view name) {
  if (name.ends_with(".scope")) name.remove_suffix(6);
  if (name.size() < id_length || is_monitor(name)) return {};
  auto id = name.substr(name.size() - id_length);
  auto runtime = name.substr(0, name.size() - id_length);
  if (!is_id(id)) return {};
  if (runtime.empty()) return std::string{id};
  // "docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-" and those to come; a longer hex number is no
  // id.
  if (runtime.back() != '-' && runtime.back() != ':') return {};
  return std::string{id};
}

std::string container_id_of_path(std::string_view path) {
  while (!path.empty()) {
    auto name = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(name.size() + 1, path.size()));
    if (is_monitor(name)) return {};
    if (auto id = container_id_of_name(name); !id.empty()) return id;
  }
  return {};
}

std::string container_id_of_names(std::span<const std::string_view> names) {
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    if (is_monitor(*name)) return {};
    if (auto id = container_id_of_name(*name); !id.empty()) return id;
  }
  return {};
}

std::string container_id_of_proc(std::string_view file) {
  while (!file.empty()) {
    auto end = std::min(file.find('\n'), file.size());
    auto line = file.substr(0, end);
    file.remove_prefix(std::min(end + 1, file.size()));
    // hierarchy-id ":" controllers ":" path (cgroups(7)); the path may hold colons itself.
    auto first = line.find(':');
    if (first == std::string_view::npos) continue;
    auto second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    if (auto id = container_id_of_path(line.substr(second + 1)); !id.empty()) return id;
  }
  return {};
}

} // namespace iris
