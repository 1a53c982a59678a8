#pragma once
#include "cloud/world.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace iris {

/// Prometheus text exposition format 0.0.4.
[[nodiscard]] std::string metrics_text(const CloudWorld& world,
                                       const std::vector<std::pair<std::string, std::uint64_t>>& link);

} // namespace iris
