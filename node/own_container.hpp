#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace iris {

struct ContainerFacts;

/// The container that this program runs in, 64 hex digits; empty outside of one. Docker mounts files of the
/// container's own directory over /etc/hostname, /etc/hosts and /etc/resolv.conf, which shows also where its
/// control group is hidden.
[[nodiscard]] std::string own_container();
/// The same of the text of a /proc/PID/mountinfo. Only those three mount points count: engines mount other
/// things of *other* containers' directories (their /dev/shm) into the host's own table.
[[nodiscard]] std::string own_container_of(std::string_view mountinfo);

/// Whether a process is in the same control groups as this one, as a container's first process is if this is
/// that container. True where it cannot be looked at.
[[nodiscard]] bool shares_our_groups(std::uint32_t pid);

/// Whether a container of Iris's own image (`digest`) is an enrolment by its path and arguments. Another
/// program of that image is watched as any other.
[[nodiscard]] bool is_enrolment(const ContainerFacts& facts, const std::string& digest);

} // namespace iris
