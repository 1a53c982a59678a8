#pragma once
#include <span>
#include <string>
#include <string_view>

namespace iris {

/// A cgroup's own name -> the container's 64 hex digits, or "": "docker-<id>.scope", "<id>",
/// "cri-containerd-<id>.scope", "libpod-<id>.scope" … Never a monitor's cgroup ("libpod-conmon-<id>.scope").
[[nodiscard]] std::string container_id_of_name(std::string_view name);

/// A cgroup path -> container id. Sub-groups below the container's count to it, whatever they are called: the
/// container itself may have made them. So of nested containers it is the outermost, the one that the host's
/// engine knows.
[[nodiscard]] std::string container_id_of_path(std::string_view path);
/// The same of the last names of a path, the last one first.
[[nodiscard]] std::string container_id_of_names(std::span<const std::string_view> names);

/// The whole of /proc/PID/cgroup -> container id. All hierarchies are looked at, since some may be "/".
[[nodiscard]] std::string container_id_of_proc(std::string_view file);

} // namespace iris
