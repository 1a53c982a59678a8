#pragma once
#include "core/base/result.hpp"

#include <string_view>

namespace iris {

/// Sends spdlog's default logger to stderr, one line a message: time in UTC, level, text. `level` is trace,
/// debug, info, warn, error or off; empty takes IRIS_LOG_LEVEL, and info where that is not set either. Call
/// it first thing in main().
Result<void> start_logging(std::string_view level);

} // namespace iris
