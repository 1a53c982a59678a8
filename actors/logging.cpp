#include "actors/logging.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <string>

namespace iris {

Result<void> start_logging(std::string_view level) {
  std::string wanted{level};
  const char* source = "--log-level";
  if (wanted.empty()) {
    const char* environment = std::getenv("IRIS_LOG_LEVEL");
    wanted = environment != nullptr && *environment != '\0' ? environment : "info";
    source = "IRIS_LOG_LEVEL";
  }
  const auto parsed = spdlog::level::from_str(wanted);
  if (parsed == spdlog::level::off && wanted != "off") // what it makes of an unknown name
    return Error{Errc::invalid,
                 fmt::format("{}: `{}` is none of trace, debug, info, warn, error, off", source, wanted)};
  auto logger = std::make_shared<spdlog::logger>("iris", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%fZ %l %v",
                                                                    spdlog::pattern_time_type::utc));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

} // namespace iris
