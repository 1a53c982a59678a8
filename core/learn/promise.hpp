#pragma once
#include <cstdint>
#include <span>

namespace iris {

/// What is known about alerts so far: `alerts` in `days` of observation.
struct AlertHistory {
  double alerts = 0;
  double days = 0;
};

/// Gamma prior of the alert rate a day: shape a, rate b (days). Alone a = 1, b = 0.
struct RatePrior {
  double shape = 1;
  double days = 0;
};

/// The least u such that at most u alerts come in the next `horizon` days, with probability 1 - alpha at each
/// of `looks` looks together: I(H / (E + b + H); u + 1, A + a) <= alpha / looks. Gamma-Poisson predictive
/// distribution (negative binomial); I is the regularised incomplete beta function. Without any exposure the
/// answer is `promise_limit`.
inline constexpr std::uint32_t promise_limit = 100'000;
[[nodiscard]] std::uint32_t promised_alerts(AlertHistory history, double horizon, double alpha,
                                            std::uint32_t looks, RatePrior prior = {});

/// Gamma moments over gateways that each have at least 3 days. Fewer than three such gateways, or a variance
/// that is no more than Poisson's own, give the prior of one pooled gateway scaled to one gateway's weight;
/// none gives {1, 0}.
[[nodiscard]] RatePrior fleet_prior(std::span<const AlertHistory> gateways);

} // namespace iris
