#pragma once
#include "core/base/entity.hpp"
#include "core/base/time.hpp"
#include "core/learn/ddsketch.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace iris {

/// A quantity of a service. Values rest on disk and cross the wire: append only. "out" is what the entity
/// sends, whoever opened the flow.
enum class NumberFamily : std::uint8_t {
  flow_bytes_out,   ///< per flow, by class of the peer
  window_bytes_out, ///< per peer and window, by class of the peer
  window_flows,     ///< flows opened in a window
  window_peers,     ///< distinct peers called in a window
  window_ports,     ///< distinct ports called in a window
  exec_rate,        ///< programs started in a window
  cpu,              ///< share of a core in a window, percent
  memory,           ///< bytes, last value of a window
  pids,             ///< tasks, last value of a window
};
inline constexpr std::size_t number_family_count = 9;
[[nodiscard]] const char* to_string(NumberFamily family);

struct NumberKey {
  NumberFamily family{};
  EntityKind peer_class = EntityKind::unknown; ///< unknown for families that have none
  friend auto operator<=>(const NumberKey&, const NumberKey&) = default;
};
/// "bytes sent to internet peers in one flow"
[[nodiscard]] std::string describe(const NumberKey& key);
/// "21.3 MiB", "35 %", "12"
[[nodiscard]] std::string describe_value(NumberFamily family, double value);

/// Below its floor a number is never reported, however quiet a service has been.
[[nodiscard]] double floor_of(NumberFamily family);

/// Whether a detector reports it; the others feed the multivariate model and explanations.
[[nodiscard]] bool is_reported(NumberFamily family);

/// The largest value of one learning day.
struct DayMax {
  std::uint32_t day = 0; ///< timestamp / TimeScale::day
  double value = 0;
  friend bool operator==(const DayMax&, const DayMax&) = default;
};

/// Samples of one number over some time: a sketch, and the largest days for the trust rule and the backtest.
struct NumberSamples {
  static constexpr std::size_t day_limit = 16;
  DDSketch sketch;
  std::vector<DayMax> days; ///< at most day_limit, largest value first, one entry a day

  void add(double value, std::uint32_t day);
  void merge(const NumberSamples& other); ///< commutative and associative
  /// The largest value that at least `distinct` days reached; the smallest of the largest days where there
  /// are fewer.
  [[nodiscard]] double trusted_max(std::uint32_t distinct) const;
  [[nodiscard]] std::uint32_t days_above(double threshold) const; ///< at most day_limit
};

struct Threshold {
  double value = 0;
  double max = 0; ///< the trusted maximum that it rests on
  enum class Source : std::uint8_t { floor, maximum, tail } source = Source::floor;
};

/// Above this a number is reported. The wanted rate is `exceedances_per_day` false ones; a Pareto tail is
/// fitted (Hill's estimator over the largest 10 %, at least 20 values and 200 samples) and evaluated there,
/// but the threshold never lies beyond 10 x the trusted maximum nor below 1.5 x of it, and never below the
/// family's floor.
[[nodiscard]] Threshold threshold_of(NumberFamily family, const NumberSamples& samples, double days,
                                     std::uint32_t trust_days, double exceedances_per_day = 0.01);

} // namespace iris
