#pragma once
#include "core/learn/delta.hpp"

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

enum class LearningState : std::uint8_t { learning, monitoring };
[[nodiscard]] const char* to_string(LearningState state);

/// A key that counts as normal, with its provenance.
struct LearnedKey {
  std::uint64_t key = 0;
  Family family{};
  Phase phase = Phase::steady;
  std::uint8_t level = 0;
  bool unconfirmed = false; ///< there from the first day on a lone gateway: a person should confirm it
  std::uint32_t hours = 0, days = 0, gateways = 0;
  Timestamp first = 0, last = 0;
  std::string text;
  std::string accepted_by; ///< empty where it was learned by the trust rules
};

/// How often a family shows new keys after its first learning day (startup: after the first start).
struct FamilyStat {
  std::uint32_t fresh = 0; ///< k: distinct new keys
  double exposure = 0;     ///< E: days (startup phase: starts)
};

struct LearnedNumber {
  NumberKey key;
  Threshold threshold;
  std::uint64_t samples = 0;
  std::uint32_t gateways = 0;
  DDSketch sketch;
};

/// How far learning is and why; what people see.
struct Progress {
  LearningState state = LearningState::learning;
  std::uint32_t alerts = 0;  ///< A of the last look: alerts that the second half would have raised
  std::uint32_t promise = 0; ///< U of the last look: at most so many alerts in the next horizon
  double exposure_days = 0;  ///< E of the last look
  double age_days = 0;
  std::uint32_t looks = 0; ///< number of the last look; 0 for none yet
  Timestamp next_look = 0;
  Timestamp promoted_at = 0; ///< 0 for never
  bool forced = false;       ///< promoted by an operator
  std::uint8_t weekdays = 0; ///< bit i: learning day i modulo 7 was seen; the others are provisional
  std::uint32_t startups = 0;
  std::string reason; ///< one sentence
};

/// The fleet part (same on every gateway) or the part of one gateway that lies over it.
struct BaselinePart {
  std::vector<LearnedKey> keys; ///< sorted by key, then phase
  std::array<FamilyStat, family_count * phase_count * level_count> stats{};
  std::vector<LearnedNumber> numbers; ///< sorted by key
  Progress progress;
  std::uint32_t gateways = 0; ///< that it was learned from

  [[nodiscard]] static std::size_t stat_index(Family family, Phase phase, std::size_t level) {
    return (std::size_t(family) * phase_count + std::size_t(phase)) * level_count + level;
  }
  [[nodiscard]] const LearnedKey* find(std::uint64_t key, Phase phase) const;
  [[nodiscard]] const LearnedNumber* find(const NumberKey& key) const;
};

/// What is normal for one profile: a numbered, immutable document. Steady behaviours are also accepted in the
/// startup phase, never the other way round.
struct Baseline {
  static constexpr std::size_t key_limit = 20'000; ///< of each part
  std::string profile;
  std::uint64_t version = 0;
  Party entity;
  TimeScale scale;
  Timestamp trained_at = 0;
  BaselinePart fleet;
  std::map<std::string, BaselinePart> sites; ///< by gateway; on an edge only its own

  [[nodiscard]] const BaselinePart* site(const std::string& gateway) const;
  /// The state in which a gateway judges: its own part's, or the fleet's where that was promoted.
  [[nodiscard]] LearningState state_for(const std::string& gateway) const;
  [[nodiscard]] const Progress& progress_for(const std::string& gateway) const;
};
using BaselinePtr = std::shared_ptr<const Baseline>;

/// Content of schemas/baseline.capnp Baseline with all sites (for the store), or with one gateway's only (to
/// push).
[[nodiscard]] std::vector<char> encode(const Baseline& baseline);
[[nodiscard]] std::vector<char> encode_for(const Baseline& baseline, const std::string& gateway);
[[nodiscard]] Result<Baseline> decode_baseline(const char* data, std::size_t size);

} // namespace iris
