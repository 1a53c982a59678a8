#pragma once
#include <span>
#include <string>
#include <string_view>

namespace iris {

/// What a person should know about a detector.
struct DetectorInfo {
  std::string_view id;
  std::string_view says;       ///< what it reports
  std::string_view how;        ///< how it decides, with its parameters
  std::string_view misses;     ///< what it does not see
  std::string_view attack;     ///< ATT&CK ids, separated by spaces
  bool needs_baseline = false; ///< false: speaks from the first minute
};

/// Every detector that exists, in the order in which they claim an act.
[[nodiscard]] std::span<const DetectorInfo> detector_table();
[[nodiscard]] const DetectorInfo* detector_info(std::string_view id);
/// docs/detectors.md.
[[nodiscard]] std::string detectors_markdown();

} // namespace iris
