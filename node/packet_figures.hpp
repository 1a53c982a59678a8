#pragma once
#include "node/sources/packet_pipeline.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace iris {

/// The latest figures of one packet source, for whoever asks its actor.
struct PacketFigures {
  std::mutex mutex;
  PipelineStats stats;
  std::uint64_t dropped = 0;
};
/// One JSON object.
[[nodiscard]] std::string describe(PacketFigures& figures);

} // namespace iris
