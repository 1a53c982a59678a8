#include "core/learn/promise.hpp"

#include <boost/math/special_functions/beta.hpp>

#include <algorithm>
#include <cmath>

namespace iris {
namespace {

namespace bm = boost::math::policies;
/// No exceptions out of here: a failure to converge shows as NaN, which no comparison accepts.
using Quiet = bm::policy<bm::domain_error<bm::ignore_error>, bm::pole_error<bm::ignore_error>,
                         bm::overflow_error<bm::ignore_error>, bm::evaluation_error<bm::ignore_error>,
                         bm::promote_double<false>>;

} // namespace

std::uint32_t promised_alerts(AlertHistory history, double horizon, double alpha, std::uint32_t looks,
                              RatePrior prior) {
  auto days = history.days + prior.days;
  if (!(days > 0) || !(horizon > 0) || !(alpha > 0)) return promise_limit;
  auto wanted = alpha / double(std::max(looks, 1u));
  auto x = horizon / (days + horizon);
  auto shape = std::max(history.alerts, 0.0) + prior.shape;
  auto kept = [&](std::uint32_t u) { return boost::math::ibeta(double(u) + 1, shape, x, Quiet{}) <= wanted; };
  // The chance of more than u alerts falls with u: double until it is small enough, then halve.
  std::uint32_t high = 1;
  if (kept(0)) return 0;
  while (high < promise_limit && !kept(high))
    high *= 2;
  if (high >= promise_limit) return promise_limit;
  auto low = high / 2;
  while (high - low > 1) {
    auto middle = low + (high - low) / 2;
    (kept(middle) ? high : low) = middle;
  }
  return high;
}

RatePrior fleet_prior(std::span<const AlertHistory> gateways) {
  constexpr double least_days = 3;
  double alerts = 0, days = 0, inverse = 0;
  std::size_t n = 0;
  for (const auto& one : gateways)
    if (one.days >= least_days) {
      alerts += one.alerts;
      days += one.days;
      inverse += 1 / one.days;
      ++n;
    }
  if (n < 3) return {};
  // One alert more than was seen: a fleet without any alert does not make the rate zero for ever.
  auto mean = (alerts + 1) / days;
  double variance = 0;
  for (const auto& one : gateways)
    if (one.days >= least_days) variance += std::pow(one.alerts / one.days - mean, 2);
  variance /= double(n - 1);
  // The spread of the rates beyond what Poisson counts over such times show by themselves.
  auto beyond = variance - mean * inverse / double(n);
  auto typical = days / double(n);
  if (beyond <= mean / typical) return {mean * typical, typical};
  return {mean * mean / beyond, mean / beyond};
}

} // namespace iris
