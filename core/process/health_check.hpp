#pragma once
#include <span>
#include <string>
#include <string_view>

namespace iris {

/// Whether a program that came into a container from outside is the probe that its configuration asks for:
/// `configured` is the engine's Healthcheck.Test ("CMD-SHELL" and a line for the container's shell, or "CMD"
/// and the arguments), `args` the argument vector. Both redacted alike.
[[nodiscard]] bool is_health_check(std::span<const std::string> configured,
                                   std::span<const std::string> args);

/// The same of a command as the engine's events tell it: the arguments, joined by spaces.
[[nodiscard]] bool is_health_check(std::span<const std::string> configured, std::string_view command);

} // namespace iris
