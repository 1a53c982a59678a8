#include "node/load_guard.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

struct Node {
  LoadGuard guard{{.memory = 100 << 20, .cpu_percent = 50}};
  LoadSample sample{.at = 1'000 * second, .cpu = 5 * second, .memory = 40 << 20};
  std::vector<SensorHealth> told;

  /// So long, in steps of two seconds, at a share of one core.
  void live(Duration span, int percent) {
    for (Duration step = 2 * second; span > 0; span -= step) {
      sample.at += step;
      sample.cpu += step * percent / 100;
      if (auto report = guard.look(sample)) told.push_back(*report);
    }
  }
};

} // namespace

TEST_CASE("a node above its share of the processor sheds step by step, in the order that is documented") {
  Node node;
  node.live(60 * second, 20);
  CHECK(node.guard.cpu_percent() == 20);
  node.live(10 * second, 90); // a burst
  node.live(2 * second, 40);
  CHECK(node.told.empty());
  node.live(12 * second, 90);
  REQUIRE(node.told.size() == 1);
  CHECK(node.guard.shedding() == Shedding::labels);
  CHECK(node.told[0].what == load_shedding);
  CHECK(node.told[0].detail == "the node uses 90 % of a core (the limit is 50): application protocols of new "
                               "flows are not named");
  node.live(12 * second, 90);
  CHECK(node.guard.shedding() == Shedding::content);
  node.live(60 * second, 90);
  CHECK(node.guard.shedding() == Shedding::packets);
  CHECK(node.told.size() == 3); // there is nothing more, and nothing more is told
}

TEST_CASE(
    "what was shed comes back one step at a time once there is room, and only its end says all is well") {
  Node node;
  node.live(60 * second, 90);
  REQUIRE(node.guard.shedding() == Shedding::packets);
  node.told.clear();
  node.live(300 * second, 45); // below the limit, above the mark: as it is
  CHECK(node.told.empty());
  node.live(62 * second, 10);
  CHECK(node.guard.shedding() == Shedding::content);
  node.live(130 * second, 10);
  CHECK(node.guard.shedding() == Shedding::nothing);
  REQUIRE(node.told.size() == 3);
  CHECK(node.told[0].what == load_shedding);
  CHECK(node.told[2].what == load_restored);
}

TEST_CASE("regression: a burst on a node that is near its ceiling did not leave it blind for ever") {
  Node node;
  node.sample.memory = 90 << 20;
  node.live(60 * second, 90);
  REQUIRE(node.guard.shedding() == Shedding::packets);
  node.live(200 * second, 1);
  CHECK(node.guard.shedding() == Shedding::nothing);
}

TEST_CASE("memory above the ceiling sheds as well, and says so") {
  Node node;
  node.sample.memory = 101 << 20;
  node.live(14 * second, 1);
  REQUIRE(node.told.size() == 1);
  CHECK(node.told[0].detail.find("the node uses 101 MiB of memory (the limit is 100)") == 0);
  node.live(120 * second, 1);
  CHECK(node.guard.shedding() == Shedding::content); // captures at rest would free nothing
  node.sample.memory = 95 << 20;
  node.live(124 * second, 1);
  CHECK(node.guard.shedding() == Shedding::nothing);
}

TEST_CASE("a clock that stands still or goes back decides nothing") {
  Node node;
  node.live(4 * second, 90);
  for (int i = 0; i < 100; ++i)
    CHECK_FALSE(node.guard.look(node.sample));
  node.sample.at -= 100 * second;
  CHECK_FALSE(node.guard.look(node.sample));
}

TEST_CASE("the process knows what it uses") {
  const auto sample = sample_load();
  CHECK(sample.at > 0);
  CHECK(sample.cpu > 0);
  CHECK(sample.memory > 1 << 20);
}
