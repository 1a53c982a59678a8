#include "core/link/repeat_limit.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace std::chrono_literals;

TEST_CASE("the first is told at once, the others once a minute with their number") {
  RepeatLimit<int> limit{60s};
  RepeatLimit<int>::Clock::time_point now{};
  auto first = limit.take("a", 1, now);
  REQUIRE(first.size() == 1);
  CHECK(first[0].count == 1);
  for (int i = 2; i <= 58; ++i)
    CHECK(limit.take("a", i, now + std::chrono::seconds{i}).empty());
  CHECK(limit.take("b", 9, now + 30s).size() == 1); // another one is not held by this
  CHECK(limit.due(now + 59s).empty());
  auto due = limit.due(now + 60s);
  REQUIRE(due.size() == 1);
  CHECK(due[0].count == 57);
  CHECK(due[0].last == 58);
  CHECK(limit.take("a", 5, now + 61s).empty()); // a new minute has begun
  auto late = limit.take("a", 6, now + 200s);
  REQUIRE(late.size() == 1);
  CHECK(late[0].count == 2);
  CHECK(limit.due(now + 300s).empty());
  CHECK(limit.take("a", 7, now + 301s).size() == 1);
}

TEST_CASE("what is remembered of repetitions is bounded, and a count is never lost") {
  RepeatLimit<int> limit{60s, 3};
  RepeatLimit<int>::Clock::time_point now{};
  std::uint64_t told = 0;
  for (int i = 0; i < 100; ++i)
    for (int repeat = 0; repeat < 3; ++repeat)
      for (const auto& due : limit.take(std::to_string(i), i, now += 1ms))
        told += due.count;
  for (const auto& due : limit.due(now + 60s))
    told += due.count;
  CHECK(told == 300);
}

TEST_CASE("without a pause everything is told") {
  RepeatLimit<int> limit{0s};
  RepeatLimit<int>::Clock::time_point now{};
  for (int i = 0; i < 3; ++i)
    CHECK(limit.take("a", i, now).size() == 1);
  CHECK(limit.due(now).empty());
}
