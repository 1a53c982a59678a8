#pragma once
#include "core/inventory/container.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What /proc tells of a container where no engine can be asked. Pure: they take the text of the files.

/// Local addresses of /proc/PID/net/fib_trie without loopback, each once; at most 64.
[[nodiscard]] std::vector<IpAddress> local_addresses(std::string_view fib_trie);
/// Global addresses of /proc/PID/net/if_inet6; at most 64.
[[nodiscard]] std::vector<IpAddress> local_addresses6(std::string_view if_inet6);
/// Mounts of /proc/PID/mountinfo inside of a container, without its root and the kernel's own file systems.
[[nodiscard]] std::vector<ContainerMount> mounts_of(std::string_view mountinfo);

/// What a container is called by its first process that does something: "mongod", "java core-data",
/// "python3 server.py". Shells and init programs with a child are left out by the caller.
[[nodiscard]] std::string program_name(const std::vector<std::string>& command);
/// Whether a program only starts another one: sh, bash, dumb-init, tini, docker-init …
[[nodiscard]] bool is_wrapper(std::string_view program);

} // namespace iris
