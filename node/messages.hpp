#pragma once
#include "core/base/observation.hpp"
#include "core/learn/behaviour.hpp"
#include "node/spool/messages.hpp"

#include <memory>
#include <vector>

namespace iris {

/// Observations of one entity, and for the scorer the behaviours that the collector derived from them.
struct ObservationBatch {
  std::shared_ptr<const std::vector<Observation>> observations;
  std::vector<std::vector<BehaviourPtr>> behaviours; ///< empty, or one entry an observation
};

} // namespace iris
