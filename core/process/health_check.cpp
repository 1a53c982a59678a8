#include "core/process/health_check.hpp"

#include <algorithm>

namespace iris {

bool is_health_check(std::span<const std::string> configured, std::span<const std::string> args) {
  if (configured.size() < 2 || args.empty()) return false;
  auto test = configured.subspan(1);
  // The shell is /bin/sh unless the image says otherwise.
  if (configured.front() == "CMD-SHELL")
    return test.size() == 1 && args.size() >= 2 && args.back() == test.front();
  return configured.front() == "CMD" && std::equal(test.begin(), test.end(), args.begin(), args.end());
}

bool is_health_check(std::span<const std::string> configured, std::string_view command) {
  if (configured.size() < 2) return false;
  if (configured.front() == "CMD-SHELL") return command.ends_with(" " + configured[1]);
  std::string line;
  for (const auto& argument : configured.subspan(1))
    line += (line.empty() ? "" : " ") + argument;
  return configured.front() == "CMD" && command == line;
}

} // namespace iris
