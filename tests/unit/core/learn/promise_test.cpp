#include "core/learn/promise.hpp"

#include <catch2/catch.hpp>

#include <random>
#include <vector>

using namespace iris;

TEST_CASE("no alert in eight days: closed form") {
  // I(x; u+1, 1) = x^(u+1), x = 7/15. 0.05/7 = 0.00714: x^6 = 0.0103 is too much, x^7 = 0.0048 is enough, so
  // u = 6.
  CHECK(promised_alerts({0, 8}, 7, 0.05, 7) == 6);
  // One look: x^4 = 0.0474 <= 0.05, so u = 3.
  CHECK(promised_alerts({0, 8}, 7, 0.05, 1) == 3);
  CHECK(promised_alerts({0, 1'000'000}, 7, 0.05, 7) == 0);
  CHECK(promised_alerts({0, 0}, 7, 0.05, 7) == promise_limit);
}

TEST_CASE("the worked example of docs/learning.md: two alerts in eight days") {
  // Shape 3, x = 7/15: P(more than u) = sum over k > u of C(k+2, 2) x^k (1-x)^3: 0.0108 at u = 9, 0.0059 at u
  // = 10.
  double x = 7.0 / 15, term = (1 - x) * (1 - x) * (1 - x), below = 0;
  std::vector<double> more;
  for (int k = 0; k < 40; ++k) {
    below += term;
    more.push_back(1 - below);
    term *= x * double(k + 3) / double(k + 1);
  }
  std::uint32_t expected = 0;
  while (more[expected] > 0.05 / 7)
    ++expected;
  CHECK(promised_alerts({2, 8}, 7, 0.05, 7) == expected);
  CHECK(expected == 10);
}

TEST_CASE("more alerts promise more, more days promise less") {
  for (double alerts = 0; alerts < 20; ++alerts)
    CHECK(promised_alerts({alerts, 10}, 7, 0.05, 7) <= promised_alerts({alerts + 1, 10}, 7, 0.05, 7));
  for (double days = 1; days < 200; days *= 2)
    CHECK(promised_alerts({3, days}, 7, 0.05, 7) >= promised_alerts({3, 2 * days}, 7, 0.05, 7));
}

TEST_CASE("the promise is kept at least as often as it says") {
  // Rates drawn from the prior's own kind: broken in at most alpha of the cases.
  std::mt19937_64 random{9};
  int broken = 0, rounds = 4'000;
  std::gamma_distribution<double> rates{1.0, 0.8};
  for (int round = 0; round < rounds; ++round) {
    auto rate = rates(random);
    std::poisson_distribution<int> before{rate * 8}, after{rate * 7};
    auto u = promised_alerts({double(before(random)), 8}, 7, 0.05, 1);
    broken += std::uint32_t(after(random)) > u;
  }
  CHECK(broken <= rounds * 6 / 100);
}

TEST_CASE("a fleet's prior tightens the promise of a new gateway") {
  std::vector<AlertHistory> fleet(10, AlertHistory{1, 20});
  auto prior = fleet_prior(fleet);
  CHECK(prior.days > 0);
  CHECK(prior.shape / prior.days == Approx(11.0 / 200));
  CHECK(promised_alerts({0, 1}, 7, 0.05, 7, prior) < promised_alerts({0, 1}, 7, 0.05, 7));
  CHECK(fleet_prior(std::vector<AlertHistory>(2, {0, 20})).days == 0);
  CHECK(fleet_prior(std::vector<AlertHistory>(9, {0, 1})).days == 0);
  // Gateways that differ much say little about the next one.
  std::vector<AlertHistory> mixed{{0, 20}, {0, 20}, {0, 20}, {60, 20}};
  CHECK(fleet_prior(mixed).days < prior.days);
}
