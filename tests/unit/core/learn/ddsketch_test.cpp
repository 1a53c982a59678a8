#include "core/learn/ddsketch.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace iris;

TEST_CASE("quantiles lie within one percent") {
  std::mt19937_64 random{7};
  std::lognormal_distribution<double> values{8, 2};
  DDSketch sketch;
  std::vector<double> all;
  for (int i = 0; i < 20'000; ++i) {
    all.push_back(values(random));
    sketch.add(all.back());
  }
  std::sort(all.begin(), all.end());
  for (double q : {0.01, 0.25, 0.5, 0.9, 0.99, 0.999}) {
    auto exact = all[std::size_t(q * double(all.size() - 1))];
    CHECK(std::abs(sketch.quantile(q) - exact) <= 0.0101 * exact);
  }
  CHECK(sketch.max() == all.back());
}

TEST_CASE("merging is the same as adding everything, in any order") {
  DDSketch a, b, c, all;
  for (int i = 1; i < 3'000; ++i) {
    auto value = double(i * i);
    (i % 3 == 0 ? a : i % 3 == 1 ? b : c).add(value);
    all.add(value);
  }
  auto left = a;
  left.merge(b);
  left.merge(c);
  auto right = c;
  right.merge(a);
  right.merge(b);
  CHECK(left == all);
  CHECK(right == all);
}

TEST_CASE("it is bounded and keeps the tail") {
  DDSketch sketch;
  for (double value = 1e-3; value < 1e15; value *= 1.005)
    sketch.add(value);
  CHECK(sketch.buckets().size() == DDSketch::bucket_limit);
  CHECK(sketch.quantile(1) == Approx(sketch.max()).epsilon(0.011));
  CHECK(sketch.count_above(1e14) > 100);
  sketch.add(std::numeric_limits<double>::infinity());
  sketch.add(std::nan(""));
  sketch.add(-5);
  CHECK(sketch.zeros() == 2);
  CHECK(sketch.encode().size() < 12 * 1024);
}

TEST_CASE("encoding survives the way there and back; damage is refused") {
  DDSketch sketch;
  for (int i = 0; i < 500; ++i)
    sketch.add(i * 17.0);
  auto bytes = sketch.encode();
  auto back = DDSketch::decode(bytes.data(), bytes.size());
  REQUIRE(back);
  CHECK(*back == sketch);
  CHECK_FALSE(DDSketch::decode(bytes.data(), bytes.size() - 1));
  bytes.push_back(0);
  CHECK_FALSE(DDSketch::decode(bytes.data(), bytes.size()));
  CHECK_FALSE(DDSketch::decode(nullptr, 0));
  std::mt19937 random{3};
  for (int round = 0; round < 2'000; ++round) { // never crashes, whatever arrives
    auto broken = sketch.encode();
    broken[random() % broken.size()] = char(random());
    if (auto decoded = DDSketch::decode(broken.data(), broken.size()))
      CHECK(decoded->count() >= decoded->zeros());
  }
}
