#include "actors/logging.hpp"

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <iterator>
#include <memory>
#include <string>

namespace iris {
namespace {

/// The text of a message on one line, whatever it quotes: control characters are written as \xNN.
class OneLine final : public spdlog::custom_flag_formatter {
public:
  static constexpr std::size_t limit = 8'192; ///< bytes of one line
  void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out) override {
    for (const unsigned char byte : std::string_view{message.payload.data(), message.payload.size()}) {
      if (out.size() >= limit) break;
      if (byte >= 0x20 && byte != 0x7f)
        out.push_back(char(byte));
      else
        fmt::format_to(std::back_inserter(out), "\\x{:02x}", unsigned{byte});
    }
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<OneLine>();
  }
};

} // namespace

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
  auto formatter = std::make_unique<spdlog::pattern_formatter>(spdlog::pattern_time_type::utc);
  formatter->add_flag<OneLine>('*').set_pattern("%Y-%m-%dT%H:%M:%S.%fZ %l %*");
  logger->set_formatter(std::move(formatter));
  logger->set_level(parsed);
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

} // namespace iris
