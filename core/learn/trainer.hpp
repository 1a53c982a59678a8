#pragma once
#include "core/learn/baseline.hpp"
#include "core/learn/evidence.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>

namespace iris {

struct TrainingPolicy {
  std::uint32_t quorum = 3; ///< gateways that must show a fleet key
  std::uint32_t days = 2;   ///< distinct days that let a key into one gateway's own part; 1..8
  std::uint32_t budget = 7; ///< alerts per horizon that an operator accepts
  double horizon_days = 7;  ///< H
  double min_days = 2;      ///< calendar time before the first look; holds a midnight
  std::uint32_t looks = 7;  ///< m: looks at 2, 4, 8 … 2^m learning days
  double alpha = 0.05;
  double report_bits = 3; ///< a novelty below this is not reported (and not counted in the backtest)
  /// Where a person promotes a service early he vouches for what was seen: E counts as at least so many days.
  double vouched_days = 7;
  TimeScale scale;
};

/// What people decided, and what an open incident holds back.
struct TrainingInput {
  std::map<std::uint64_t, std::string> accepted; ///< finest key -> who accepted it
  std::set<std::uint64_t> blocked;               ///< keys of any level, of open alerts: not learned
  bool force_promotion = false;                  ///< an operator who was shown U
  std::string forced_by;
};

/// Trains one profile from the evidence of all its gateways. A pure function: the same input gives the same
/// candidate. `previous` is the last published version or null; the candidate's number is one more.
[[nodiscard]] Baseline train(std::span<const Evidence* const> evidence, const TrainingPolicy& policy,
                             const TrainingInput& input, Timestamp now, const Baseline* previous);

/// Whether a candidate says anything that the published version does not (new keys, states, looks, numbers
/// that moved by more than a tenth), so that versions do not multiply.
[[nodiscard]] bool differs(const Baseline& published, const Baseline& candidate);

/// The gateway's promise over all its services: sums of A, the longest E.
[[nodiscard]] std::uint32_t gateway_promise(std::span<const Progress* const> services,
                                            const TrainingPolicy& policy);

/// The keys that a finding's cause names, for TrainingInput::blocked and accepted.
[[nodiscard]] std::vector<std::uint64_t> keys_in_cause(std::string_view cause);

} // namespace iris
