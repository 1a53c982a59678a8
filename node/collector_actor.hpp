#pragma once
#include "actors/interfaces.hpp"
#include "actors/slot.hpp"
#include "core/detect/service_collector.hpp"
#include "core/detect/service_judge.hpp"
#include "node/messages.hpp"
#include "node/router/loss_ledger.hpp"

#include <functional>
#include <memory>
#include <optional>

namespace iris {

/// What a pair of collector and scorer needs of the rest of the gateway.
struct PairWorld {
  EntityPtr entity;
  std::string gateway;
  // What the cloud sent last, for a life that starts later; empty for nothing yet.
  Slot<BaselinePtr> baseline;
  Slot<std::shared_ptr<const IndicatorSet>> indicators;
  Slot<std::shared_ptr<const LinkTerms>> terms;
  std::shared_ptr<LossLedger> losses;
  Slot<SpoolActor> spool;
  std::function<Timestamp()> now;
  std::function<Duration()> wall_shift; ///< as RouterWorld's
  PairLimits limits;
};

struct CollectorState {
  static inline const char* name = "collector";
  std::optional<ServiceCollector> collector;
  TimeScale scale;
  std::uint64_t deltas = 0, delta_bytes = 0;
};

/// Counts one entity's behaviours and passes each batch on to the scorer with the behaviours derived. An
/// orderly end closes its window and ends the scorer, which does the same.
CollectorActor::behavior_type collector_actor(CollectorActor::stateful_pointer<CollectorState> self,
                                              std::shared_ptr<const PairWorld> world,
                                              Slot<ScorerActor> scorer);

struct ScorerState {
  static inline const char* name = "scorer";
  std::optional<ServiceJudge> judge;
  TimeScale scale;
  std::uint64_t baseline_version = 0;
};

/// Judges one entity's observations; findings go to the spool at once.
ScorerActor::behavior_type scorer_actor(ScorerActor::stateful_pointer<ScorerState> self,
                                        std::shared_ptr<const PairWorld> world);

} // namespace iris
