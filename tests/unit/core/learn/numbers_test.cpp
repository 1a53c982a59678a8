#include "core/learn/numbers.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace iris;

TEST_CASE("a quiet number is judged at its floor") {
  NumberSamples samples;
  for (int i = 0; i < 1'000; ++i)
    samples.add(500, std::uint32_t(i / 100));
  auto threshold = threshold_of(NumberFamily::flow_bytes_out, samples, 10, 2);
  CHECK(threshold.value == 1024.0 * 1024);
  CHECK(threshold.source == Threshold::Source::floor);
}

TEST_CASE("a threshold never lies below one and a half nor beyond ten times the trusted maximum") {
  std::mt19937_64 random{11};
  for (double alpha : {0.3, 1.0, 3.0, 30.0}) {
    NumberSamples samples;
    std::uniform_real_distribution<double> uniform{1e-9, 1};
    for (int i = 0; i < 4'000; ++i)
      samples.add(1e6 * std::pow(uniform(random), -1 / alpha), std::uint32_t(i / 200));
    auto threshold = threshold_of(NumberFamily::flow_bytes_out, samples, 20, 2);
    CHECK(threshold.max == samples.trusted_max(2));
    CHECK(threshold.value >= 1.5 * threshold.max);
    CHECK(threshold.value <= 10 * threshold.max);
  }
}

TEST_CASE("a Pareto tail's threshold is exceeded as rarely as was asked for") {
  // alpha = 2, 200 samples a day: the value exceeded once in 100 days has p = 1/20,000, so x = 1e6 *
  // sqrt(20,000).
  std::mt19937_64 random{5};
  std::uniform_real_distribution<double> uniform{1e-12, 1};
  NumberSamples samples;
  for (int i = 0; i < 20'000; ++i)
    samples.add(1e6 / std::sqrt(uniform(random)), std::uint32_t(i / 200));
  samples.days.resize(4); // as if one could trust less: the tail must decide, not the maximum
  for (auto& day : samples.days)
    day.value = 5e7;
  auto threshold = threshold_of(NumberFamily::window_bytes_out, samples, 100, 2);
  CHECK(threshold.source == Threshold::Source::tail);
  CHECK(threshold.value == Approx(1e6 * std::sqrt(20'000)).epsilon(0.15));
}

TEST_CASE("one day's outlier is not trusted, two are") {
  NumberSamples samples;
  for (std::uint32_t day = 0; day < 10; ++day)
    samples.add(2e6, day);
  samples.add(9e8, 4);
  CHECK(samples.trusted_max(2) == 2e6);
  CHECK(samples.days_above(1e7) == 1);
  samples.add(8e8, 6);
  CHECK(samples.trusted_max(2) == 8e8);
}

TEST_CASE("samples merge in any order to the same") {
  std::mt19937 random{2};
  NumberSamples parts[3], forward, backward;
  for (int i = 0; i < 600; ++i)
    parts[i % 3].add(double(random() % 100'000), std::uint32_t(random() % 40));
  for (int i = 0; i < 3; ++i) {
    forward.merge(parts[i]);
    backward.merge(parts[2 - i]);
  }
  CHECK(forward.sketch == backward.sketch);
  CHECK(forward.days == backward.days);
  CHECK(forward.days.size() == NumberSamples::day_limit);
}
