#pragma once
#include "core/alert/finding.hpp"
#include "node/spool/spool.hpp"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace iris {

/// Findings that a scorer or the router made.
struct FindingBatch {
  std::vector<Finding> findings;
};
/// Encoded ServiceDeltas (delta.capnp) of one window.
struct DeltaBatch {
  std::vector<std::vector<char>> deltas;
};
/// Conditions of sources; each also says what was lost.
struct HealthBatch {
  std::vector<SensorHealth> reports;
  Timestamp at = 0;
};

struct SpoolRead {
  Lane lane{};
  std::uint64_t after = 0; ///< the cloud's count
  std::size_t limit = 16;
  std::size_t bytes = 1 << 20;
};
struct SpooledBatches {
  Lane lane{};
  std::uint64_t epoch = 0;
  std::vector<SpooledBatch> batches;
};
struct SpoolAck {
  std::uint64_t epoch = 0;
  Lane lane{};
  std::uint64_t seq = 0;
};
/// What the cloud said about the epoch; the spool answers with what it now holds.
struct SpoolEpoch {
  std::uint64_t epoch = 0;
  std::array<std::uint64_t, lane_count> applied{};
  std::string chain_key;            ///< with a new epoch
  Duration day = 0;                 ///< the learning day; 0 for unknown
  std::optional<EpochTaken> before; ///< with a new epoch
  std::string cloud;                ///< which one, and who we are there
};
struct SpoolState {
  std::uint64_t epoch = 0; ///< 0: ask for a new one
  std::array<std::uint64_t, lane_count> first{}, last{}, acked{};
  SpoolCounters counters;
};
/// A small value to keep on disk under a name ("baseline/…", "indicators", "terms").
struct SpoolPut {
  std::string name;
  std::vector<char> value;
};

} // namespace iris
