#include "core/base/time.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace iris {

std::string rfc3339(Timestamp at) {
  std::time_t seconds = at / second;
  auto rest = at % second;
  if (rest < 0) {
    rest += second;
    --seconds;
  }
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[96]; // of any numbers; those of a real time are shorter
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
                parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                int(rest / microsecond));
  return text;
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  std::tm parts{};
  int consumed = 0;
  std::string copy{text};
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &consumed) != 6)
    return std::nullopt;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  text.remove_prefix(std::size_t(consumed));
  Duration fraction = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    Duration unit = second / 10;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
      fraction += (text.front() - '0') * unit;
      unit /= 10;
      text.remove_prefix(1);
    }
  }
  if (text != "Z") return std::nullopt;
  return Timestamp(timegm(&parts)) * second + fraction;
}

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failure != std::errc{} || number < 0) return std::nullopt;
  std::string_view unit{end, std::size_t(text.data() + text.size() - end)};
  struct Unit {
    std::string_view name;
    Duration length;
  };
  static constexpr std::array<Unit, 5> units{{{"ms", millisecond},
                                              {"s", second},
                                              {"m", 60 * second},
                                              {"h", 3'600 * second},
                                              {"d", 86'400 * second}}};
  for (const auto& known : units)
    if (unit == known.name) {
      Duration span = 0;
      if (__builtin_mul_overflow(number, known.length, &span)) return std::nullopt;
      return span;
    }
  return std::nullopt;
}

std::string human_duration(Duration span) {
  char text[32];
  auto seconds = double(span) / double(second);
  if (seconds < 1)
    std::snprintf(text, sizeof text, "%.0f ms", seconds * 1e3);
  else if (seconds < 120)
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  else if (seconds < 7'200)
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  else if (seconds < 172'800)
    std::snprintf(text, sizeof text, "%.0f h", seconds / 3'600);
  else
    std::snprintf(text, sizeof text, "%.0f d", seconds / 86'400);
  return text;
}

std::string human_bytes(std::uint64_t bytes) {
  static constexpr std::array<const char*, 5> units{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = double(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < units.size()) {
    value /= 1024;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof text, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  return text;
}

} // namespace iris
