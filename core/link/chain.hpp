#pragma once
#include "core/base/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// The chain over a gateway's batches (docs/link.md, docs/decisions/0007): each batch carries a mac over
/// itself and the mac before it, under a key that only goes forwards. Who takes a gateway over finds the
/// present key and cannot make or change what was sealed before.
namespace iris {

/// A key, a mac or a SHA-256.
using Bytes32 = std::array<char, 32>;

/// SHA-256 over parts; each has its length before it, so that no two lists of parts look the same.
class PartsDigest {
public:
  PartsDigest();
  ~PartsDigest();
  PartsDigest(const PartsDigest&) = delete;
  PartsDigest& operator=(const PartsDigest&) = delete;
  PartsDigest& text(std::string_view part);
  PartsDigest& number(std::uint64_t part);
  [[nodiscard]] Bytes32 finish(); ///< once

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a batch says about itself (link.capnp Seal). All but `mac`, `state` and `into` is under the mac.
struct BatchSeal {
  /// What became of the entries since they were sealed.
  enum class State : std::uint8_t { whole, shed, merged };
  Bytes32 mac{}, entries_digest{};
  std::uint64_t entries = 0;      ///< findings or deltas as they were made, those merged into it included
  std::uint64_t observations = 0; ///< that the deltas count
  std::uint64_t merged_entries = 0, merged_observations = 0; ///< of these, out of older batches
  Timestamp since = 0, until = 0;                            ///< what its entries span
  std::uint32_t losses = 0; ///< statements of loss that were sealed; later ones follow them
  State state = State::whole;
  std::uint64_t into = 0; ///< merged: the batch that has the entries now
};

struct BatchPlace {
  std::uint64_t epoch = 0;
  std::uint8_t lane = 0;
  std::uint64_t seq = 0;
};

/// Where a lane's chain stands: what seals the next batch.
struct ChainLink {
  Bytes32 key{}, previous{};
  /// Of `chain_key`, the cloud's grant for an epoch (32 bytes).
  [[nodiscard]] static ChainLink first(std::string_view chain_key, std::uint8_t lane);
  [[nodiscard]] Bytes32 mac(const BatchPlace& place, const BatchSeal& seal,
                            const Bytes32& losses_digest) const;
  /// The key before cannot be found from the next one.
  void step(const Bytes32& mac);
  void erase(); ///< from memory
};

/// The cloud's copy of one lane.
struct LaneChain {
  bool active = false; ///< a key was granted with the epoch
  ChainLink link;
  /// Counts of batches that were "merged" and have not come yet; due with batch `into`, which was there when
  /// the last of them was taken, at `owed_at`.
  std::uint64_t owed_entries = 0, owed_observations = 0, into = 0;
  Timestamp owed_at = 0;

  /// What of a batch was found, for comparison with its seal.
  struct Found {
    std::uint64_t entries = 0, observations = 0;
    Bytes32 entries_digest{}, losses_digest{};
    std::uint64_t told_entries = 0, told_observations = 0; ///< lost, by the statements after the sealed ones
  };
  /// Empty, or why the chain is broken here. Goes on to the next batch in either case: one that is sealed
  /// honestly after a bad one is good again.
  [[nodiscard]] std::string take(const BatchPlace& place, const std::optional<BatchSeal>& seal,
                                 const Found& found, Timestamp now);

private:
  [[nodiscard]] std::string compare(const BatchPlace& place, const BatchSeal& seal, const Found& found) const;
  [[nodiscard]] std::string settle(const BatchPlace& place, const BatchSeal& seal, bool good, Timestamp now);
};

} // namespace iris
