#pragma once
#include "core/alert/alert.hpp"
#include "core/base/result.hpp"
#include "core/learn/baseline.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace iris {

struct ReplayOptions {
  std::vector<std::string> captures;         ///< judged, in this order: captures and recordings of iris-node
  std::vector<std::string> learn;            ///< declared normal
  double learn_until = 0;                    ///< seconds from the start of the first capture that are normal
  static constexpr double learn_limit = 1e8; ///< seconds, three years
  std::string inventory;                     ///< address to service or device name
  std::string intel;                         ///< threat list
  std::vector<std::string> local;            ///< networks that are ours beside the private ones
  Duration day = 0;                          ///< length of a learning day; 0: a sixteenth of what was learned
  bool label_applications = true;
  std::string write_pcap;                      ///< packets of the recordings are written here, as pcapng
  std::function<void(const Finding&)> finding; ///< each as it was made, before it is part of an alert
};

struct ReplayStats {
  std::uint64_t packets = 0, flows = 0, bytes = 0, observations = 0, alerts = 0;
  std::uint64_t frames = 0; ///< of recordings
  double seconds = 0;       ///< wall time
  std::uint64_t peak_rss_kib = 0;
};
[[nodiscard]] std::string to_json(const ReplayStats& stats);

/// Runs the detectors of a gateway over captures and recordings, without a cloud. The same ones and options
/// give the same alerts, byte for byte. A recording goes the way from the router on that it went when it was
/// made, by its own clock and, unless something is learned here, with the baselines in it. Nothing is written
/// but what `write_pcap` asks for.
/// @param note one line for a person about something odd: a cut file, a line of a list that does not parse.
/// @returns the alerts in the order of their beginning, or why nothing could be done.
[[nodiscard]] Result<std::vector<Alert>> replay(const ReplayOptions& options, ReplayStats& stats,
                                                const std::function<void(const std::string&)>& note);

/// `iris-node replay`. @returns 0 ok, 1 failed, 2 wrong usage.
int replay_main(int argc, char** argv);

} // namespace iris
