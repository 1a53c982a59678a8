#pragma once
#include "core/base/observation.hpp"
#include "core/base/time.hpp"
#include "node/sources/shedding.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace iris {

struct LoadLimits {
  std::uint64_t memory = 192ull << 20; ///< resident bytes of the node
  std::uint32_t cpu_percent = 50;      ///< of one core
};

/// What the node has used, as the kernel counts it.
struct LoadSample {
  Timestamp at = 0;         ///< of a clock that only goes on
  Duration cpu = 0;         ///< of the process since it began
  std::uint64_t memory = 0; ///< resident bytes now
};

/// What the process uses now. @returns zeros where /proc cannot be read.
[[nodiscard]] LoadSample sample_load();

/// Decides what to shed so that the node keeps to its share of the machine: one step more after `patience`
/// above a limit, one less after `relief` within that of memory and below `low_percent` of the processor's.
/// For memory captures never rest. No clock of its own.
class LoadGuard {
public:
  static constexpr Duration patience = 10 * second, relief = 60 * second;
  static constexpr std::uint32_t low_percent = 70;

  explicit LoadGuard(const LoadLimits& limits) : limits_{limits} {}
  /// To be called every few seconds.
  /// @returns what people should be told, when a step was taken: what = "shedding", or "restored" when
  /// nothing is shed any more; `since` is not filled in.
  [[nodiscard]] std::optional<SensorHealth> look(const LoadSample& sample);
  [[nodiscard]] Shedding shedding() const { return shedding_; }
  /// Of the last two samples: percent of one core.
  [[nodiscard]] std::uint32_t cpu_percent() const { return cpu_percent_; }
  [[nodiscard]] std::uint64_t memory() const { return last_.memory; }

private:
  LoadLimits limits_;
  LoadSample last_;
  Shedding shedding_ = Shedding::nothing;
  std::uint32_t cpu_percent_ = 0;
  Timestamp high_since_ = 0, low_since_ = 0; ///< 0: it is not
};

[[nodiscard]] const char* to_string(Shedding shedding);

} // namespace iris
