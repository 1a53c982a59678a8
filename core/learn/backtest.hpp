#pragma once
#include "core/learn/promise.hpp"
#include "core/learn/trust.hpp"

namespace iris {

/// Learned at a time, replayed afterwards: how many alerts a gateway's operator would have had from this
/// profile.
struct Replay {
  std::uint32_t novelties = 0; ///< distinct causes
  std::uint32_t volumes = 0;   ///< days on which a number went beyond its threshold, each number apart
  [[nodiscard]] std::uint32_t alerts() const { return novelties + volumes; }
};

/// Freezes all that was trusted at `frozen` and judges what the gateway showed from then until `until`.
/// Novelties that a detector reports and that score at least `report_bits` count once for each cause, all of
/// one startup phase once.
[[nodiscard]] std::uint32_t replay_novelties(const TrustView& view, std::size_t gateway,
                                             const TrainingPolicy& policy, Timestamp frozen, Timestamp until,
                                             bool today);

/// The look at age 2^look learning days: frozen at half of it.
[[nodiscard]] Replay backtest(const TrustView& view, std::size_t gateway, const TrainingPolicy& policy,
                              std::uint32_t look);

/// The number of the last look that an age allows: floor(log2(age)) within 1..looks, 0 for none yet.
[[nodiscard]] std::uint32_t look_at(double age_days, const TrainingPolicy& policy);

} // namespace iris
