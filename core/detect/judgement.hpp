#pragma once
#include "core/alert/finding.hpp"
#include "core/detect/service_judge.hpp"
#include "core/intel/indicator_set.hpp"
#include "core/learn/baseline.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What every detector may look at.
struct JudgeView {
  const Entity& entity;
  const std::string& gateway;
  const TimeScale& scale;
  const JudgePolicy& policy;
  const Baseline* baseline = nullptr; ///< null on day 0
  const BaselinePart* site = nullptr; ///< this gateway's part of it, if any
  const IndicatorSet* indicators = nullptr;

  [[nodiscard]] bool monitoring() const {
    return baseline && baseline->state_for(gateway) == LearningState::monitoring;
  }
  /// The learned key, in the phase; in startup a steady one will do. Null where it is not known.
  [[nodiscard]] const LearnedKey* find(std::uint64_t key, Phase phase) const;
  /// How many gateways this rests on.
  [[nodiscard]] std::uint32_t gateways() const;
};

/// Which part of a behaviour is new, and how surprising that is.
struct Novelty {
  bool novel = false;
  std::size_t level = 0; ///< the one with most bits: usually the coarsest that is new
  std::uint64_t key = 0;
  double bits = 0;
  FamilyStat stat; ///< k and E behind the bits
};
/// Nothing is novel while the service is learning. Levels that depend on the site are judged only where this
/// gateway's own part has been promoted.
[[nodiscard]] Novelty novelty_of(const JudgeView& view, const Behaviour& behaviour);

/// One observation with what is known about it.
struct Act {
  const Observation& observation;
  const std::vector<BehaviourPtr>& behaviours;
  const Behaviour* behaviour = nullptr; ///< the first one, null where there is none
  Novelty novelty;
};

/// A finding with entity, peer, times and evidence of the act; score and severity from `bits`; `attack` are
/// ids separated by spaces.
[[nodiscard]] Finding finding_of(const JudgeView& view, const Act& act, std::string_view detector,
                                 double bits, std::string_view attack);
[[nodiscard]] Party peer_party(const Observation& observation, const Flow& flow);
[[nodiscard]] Party peer_party(const Observation& observation, const FieldCommand& command);
void add_attack(Finding& finding, std::string_view attack);
/// "#" and 16 hex digits: how a cause names a key (keys_in_cause in core/learn/trainer.hpp reads it).
[[nodiscard]] std::string key_mark(std::uint64_t key);

/// "0 new ones in 18.3 days"
[[nodiscard]] std::string rate_text(const FamilyStat& stat, Phase phase);
/// "a, b and 3 more (in up to 412 hours on 2 gateways)" of the learned keys of a family and level whose text
/// starts with `prefix`; "" for none.
[[nodiscard]] std::string habits_text(const JudgeView& view, Family family, Phase phase, std::size_t level,
                                      std::string_view prefix = {});
/// "tcp/27017", "udp/161", "icmp"
[[nodiscard]] std::string port_of(const Flow& flow);

} // namespace iris
