#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace iris {

/// Nanoseconds since the Unix epoch, UTC.
using Timestamp = std::int64_t;
/// Nanoseconds.
using Duration = std::int64_t;

inline constexpr Duration microsecond = 1'000;
inline constexpr Duration millisecond = 1'000'000;
inline constexpr Duration second = 1'000'000'000;

/// The lengths that learning and scoring count in. Production runs on real days; a demonstration shortens
/// all of them by the same code. A learning hour is day / 24.
struct TimeScale {
  Duration day = 86'400 * second;  ///< one learning day
  Duration window = 10 * second;   ///< window of numbers and of deltas that leave the gateway
  Duration startup = 120 * second; ///< a container's life up to here is its startup phase, at the least
  Duration alert_quiet =
      3'600 * second; ///< an alert that is quiet for this long is not continued but raised anew

  [[nodiscard]] Duration hour() const { return day / 24; }
  [[nodiscard]] double days(Duration span) const { return double(span) / double(day); }
  friend bool operator==(const TimeScale&, const TimeScale&) = default;
};

/// RFC 3339 with microseconds, UTC: 2026-11-24T08:20:00.123456Z.
[[nodiscard]] std::string rfc3339(Timestamp at);
/// The inverse; accepts any number of fractional digits and the suffix Z.
[[nodiscard]] std::optional<Timestamp> parse_rfc3339(std::string_view text);
/// "250ms", "10s", "5m", "1h", "7d"; nothing else.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// "350 ms", "12 s", "5 min", "3 h", "9 d" for people.
[[nodiscard]] std::string human_duration(Duration span);
/// "512 B", "1.5 KiB", "20.3 MiB" for people.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

} // namespace iris
