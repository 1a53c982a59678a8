#pragma once
#include "core/learn/trainer.hpp"

#include <unordered_map>
#include <vector>

namespace iris {

/// One key at one level, summed over the finer keys of one gateway.
struct LevelKey {
  std::uint64_t key = 0;
  Family family{};
  Phase phase = Phase::steady;
  std::uint8_t level = 0;
  bool site = false;
  std::uint32_t hours = 0, days = 0; ///< of the finest key with most: a lower bound at coarser levels
  Timestamp first = 0, last = 0;
  std::vector<std::uint32_t> first_days;
  std::string text, accepted_by;

  [[nodiscard]] std::uint64_t id() const { return key * 2 + std::uint64_t(phase == Phase::steady); }
};

/// Who showed what when, and so what counted as learned at any time. Never-learn keys and those that an open
/// incident holds back are left out, unless a person accepted them or the last version knew them.
class TrustView {
public:
  TrustView(std::span<const Evidence* const> evidence, const TrainingPolicy& policy,
            const TrainingInput& input, const Baseline* previous);

  [[nodiscard]] std::size_t gateways() const { return evidence_.size(); }
  [[nodiscard]] const Evidence& evidence(std::size_t gateway) const { return *evidence_[gateway]; }
  [[nodiscard]] const std::unordered_map<std::uint64_t, LevelKey>& keys(std::size_t gateway) const {
    return keys_[gateway];
  }
  [[nodiscard]] bool held(std::size_t gateway, const KeyRecord& record) const;

  /// A key of the fleet part: shown by `quorum` gateways until then, or accepted by a person.
  [[nodiscard]] bool fleet_trusts(std::uint64_t key, Phase phase, Timestamp at) const;
  /// A key of the gateway's own part: shown on `days` distinct days before the learning day of `at` (in the
  /// startup phase: once). With `today` that day counts too.
  [[nodiscard]] bool site_trusts(std::size_t gateway, std::uint64_t key, Phase phase, Timestamp at,
                                 bool today) const;
  /// Either; in the startup phase what is normal in the steady phase is normal too.
  [[nodiscard]] bool knows(std::size_t gateway, std::uint64_t key, Phase phase, Timestamp at,
                           bool today) const;
  [[nodiscard]] std::uint32_t showing(std::uint64_t key, Phase phase) const; ///< gateways

  using Stats = std::array<FamilyStat, family_count * phase_count * level_count>;
  [[nodiscard]] Stats fleet_stats(Timestamp at) const;
  [[nodiscard]] Stats site_stats(std::size_t gateway, Timestamp at) const;
  /// Steady exposure in days between the end of the gateway's first learning day and `at`.
  [[nodiscard]] double exposure(std::size_t gateway, Timestamp at) const;

private:
  /// Where a key was first seen on each gateway, earliest first.
  struct Sighting {
    Timestamp first;
    std::uint32_t gateway;
  };
  struct FleetKey {
    std::vector<Sighting> sightings;
    bool accepted = false;
  };
  void add_exposure(Stats& stats, std::size_t gateway, Timestamp at) const;
  [[nodiscard]] bool is_late(std::size_t gateway, Timestamp first) const;
  [[nodiscard]] std::uint32_t day_number(Timestamp at) const;

  std::vector<const Evidence*> evidence_;
  const TrainingPolicy& policy_;
  const TrainingInput& input_;
  const Baseline* previous_;
  std::vector<std::unordered_map<std::uint64_t, LevelKey>> keys_;
  std::unordered_map<std::uint64_t, FleetKey> fleet_;
};

/// Surprise in bits of a first key where k = `fresh` new ones came in E = `exposure`: -log2 min(1, (k + 1/2)
/// / E).
[[nodiscard]] double surprise_bits(const FamilyStat& stat);

} // namespace iris
