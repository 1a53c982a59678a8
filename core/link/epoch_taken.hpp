#pragma once
#include "core/base/time.hpp"

#include <array>
#include <cstdint>

namespace iris {

/// What the cloud has of one lane of an epoch. Entries and observations are those of the seals, so those that
/// were shed count, and merged ones count with the batch that has them.
struct LaneTaken {
  std::uint64_t applied = 0; ///< highest seq
  std::uint64_t entries = 0, observations = 0;
  Timestamp until = 0; ///< what its entries span, by the gateway's clock
  friend bool operator==(const LaneTaken&, const LaneTaken&) = default;
};

/// The last epoch that the cloud has something of; 0 for none. With it a gateway finds its place again when a
/// new one is granted, also when the cloud was restored from a backup.
struct EpochTaken {
  std::uint64_t epoch = 0;
  std::array<LaneTaken, 2> lanes{};
  friend bool operator==(const EpochTaken&, const EpochTaken&) = default;
};

} // namespace iris
