#include "core/detect/pair_limits.hpp"

#include "core/detect/bounded_table.hpp"
#include "core/detect/service_collector.hpp"
#include "core/detect/service_judge.hpp"

#include <catch2/catch.hpp>

#include <malloc.h>

using namespace iris;

TEST_CASE("tables that share a budget keep within it, and give back what they held") {
  auto budget = std::make_shared<TableBudget>(100'000);
  {
    BoundedTable<std::uint64_t, std::uint64_t> one{10'000, budget}, other{10'000, budget};
    for (std::uint64_t i = 0; i < 5'000; ++i)
      one.get(i);
    CHECK(one.size() > 500);
    CHECK(one.size() < 1'000);
    CHECK(one.evicted() == 5'000 - one.size());
    CHECK(budget->left() >= 0);
    CHECK(budget->refused() > 0);
    for (std::uint64_t i = 0; i < 100; ++i)
      other.get(i);
    CHECK(other.size() == other.least); // its minimum, although nothing is left
    CHECK(one.get(4'999).second == false);
    one.erase(4'999);
    one.clear();
    for (std::uint64_t i = 0; i < 100; ++i)
      other.get(i);
    CHECK(other.size() == 100);
    auto moved = BudgetShare{budget};
    CHECK(moved.grow(100));
    auto to = std::move(moved);
    CHECK(budget->left() < 100'000);
  }
  CHECK(budget->left() == 100'000);
}

TEST_CASE("regression: what others send to many devices and services cannot fill the memory") {
  auto budget = std::make_shared<TableBudget>(std::size_t{16} << 20);
  auto heap = [] { return std::size_t(mallinfo2().uordblks + mallinfo2().hblkhd); };
  auto before = heap();
  {
    struct Pair {
      ServiceCollector collector;
      ServiceJudge judge;
    };
    std::vector<Pair> pairs;
    constexpr Timestamp begin = 1'800'000'000 * second;
    for (std::uint32_t i = 0; i < 100; ++i) {
      Entity entity;
      entity.kind = i < 20 ? EntityKind::service : EntityKind::device;
      entity.name = "entity " + std::to_string(i);
      JudgePolicy policy;
      policy.limits = PairLimits::of(entity, budget);
      auto shared = std::make_shared<const Entity>(std::move(entity));
      pairs.push_back({ServiceCollector{shared, "g", {}, begin, policy.limits},
                       ServiceJudge{shared, "g", {}, begin, policy}});
    }
    std::vector<Finding> findings;
    for (std::uint32_t round = 0; round < 1'200; ++round)
      for (std::uint32_t i = 0; i < pairs.size(); ++i) {
        Entity peer;
        peer.kind = EntityKind::internet;
        peer.address = IpAddress::v4(0xcb000000U + round * 7'919U + i);
        peer.name = to_string(peer.address);
        Observation observation;
        observation.peer = std::make_shared<const Entity>(std::move(peer));
        observation.at = begin + round * millisecond;
        Flow flow;
        flow.src = observation.peer->address;
        flow.dst = IpAddress::v4(0x0a000000U + i);
        flow.sport = 4'000;
        flow.dport = std::uint16_t(round);
        flow.protocol = 17;
        flow.packets_out = flow.packets_in = 1;
        flow.inbound = true;
        flow.first_report = true;
        observation.what = flow;
        auto& pair = pairs[i];
        pair.judge.judge(observation, pair.collector.observe(observation), findings);
      }
    CHECK(budget->refused() > 0);
    auto held = heap() > before ? heap() - before : 0; // nothing is told where a sanitizer has its own heap
    CHECK(held < std::size_t{64} << 20);
    INFO("held " << held);
    CHECK(budget->left() > -(std::int64_t{16} << 20));
    std::optional<ServiceDelta> delta = pairs[0].collector.close_window(begin + 60 * second, true);
    REQUIRE(delta);
    CHECK(delta->keys.size() >= 64); // the minimum
    CHECK(delta->overflow > 0);
  }
  CHECK(budget->left() == std::int64_t{16} << 20);
}
