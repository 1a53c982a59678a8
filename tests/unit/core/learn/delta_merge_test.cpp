#include "core/learn/delta_merge.hpp"

#include "core/learn/evidence.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

constexpr Duration day = 86'400 * second;
constexpr Timestamp noon = 20'000 * day + day / 2;

KeyDelta key(std::uint64_t number, std::uint64_t count, Timestamp first, Timestamp last) {
  KeyDelta key;
  key.keys = {number, number + 1, number + 2};
  key.texts = {"fine", "middle", "coarse"};
  key.count = count;
  key.hours = 1;
  key.first = first;
  key.last = last;
  key.bytes_out = count * 10;
  key.bytes_in = count * 3;
  return key;
}

ServiceDelta window(Timestamp from, std::uint64_t seed) {
  ServiceDelta delta;
  delta.entity.kind = EntityKind::service;
  delta.entity.name = "edgex-mongo";
  delta.from = from;
  delta.until = from + 10 * second;
  delta.steady = 9 * second;
  delta.startups = 1;
  delta.observations = 100 + seed;
  delta.overflow = seed;
  delta.keys = {key(10, seed + 1, from, from + second), key(100 + seed, 2, from, from + second)};
  NumberSamples samples;
  samples.add(double(seed) * 7 + 1, std::uint32_t(from / day));
  delta.numbers.push_back({{NumberFamily::window_flows, EntityKind::unknown}, samples});
  return delta;
}

} // namespace

TEST_CASE("merged windows lose no count, and teach the cloud what they would one by one") {
  std::vector<ServiceDelta> windows;
  for (std::uint64_t i = 0; i < 20; ++i)
    windows.push_back(window(noon + Timestamp(i) * 10 * second, i % 5));
  auto whole = windows[0];
  for (std::size_t i = 1; i < windows.size(); ++i)
    REQUIRE(merge(whole, windows[i], day));
  std::uint64_t observations = 0, overflow = 0, events = 0, out = 0, in = 0, hours = 0;
  for (const auto& one : windows) {
    observations += one.observations;
    overflow += one.overflow;
    for (const auto& seen : one.keys) {
      events += seen.count;
      out += seen.bytes_out;
      in += seen.bytes_in;
      hours += seen.hours;
    }
  }
  CHECK(whole.observations == observations);
  CHECK(whole.overflow == overflow);
  CHECK(whole.startups == 20);
  CHECK(whole.steady == 180 * second);
  CHECK(whole.from == noon);
  CHECK(whole.until == noon + 200 * second);
  CHECK(whole.keys.size() == 6);
  for (const auto& seen : whole.keys) {
    events -= seen.count;
    out -= seen.bytes_out;
    in -= seen.bytes_in;
    hours -= seen.hours;
  }
  CHECK(events == 0);
  CHECK(out == 0);
  CHECK(in == 0);
  CHECK(hours == 0);
  REQUIRE(whole.numbers.size() == 1);
  CHECK(whole.numbers[0].samples.sketch.count() == 20);

  const auto bytes = encode(whole);
  const auto back = decode_delta(bytes.data(), bytes.size());
  REQUIRE(back.ok());
  const auto facts = delta_facts(bytes.data(), bytes.size());
  REQUIRE(facts);
  CHECK(facts->observations == observations);
  CHECK(facts->until == whole.until);

  Evidence apart{"p", "g", TimeScale{}}, at_once{"p", "g", TimeScale{}};
  for (const auto& one : windows)
    (void)apart.apply(one);
  (void)at_once.apply(*back);
  CHECK(encode_head(apart) == encode_head(at_once));
  REQUIRE(apart.keys.size() == at_once.keys.size());
  for (const auto& [id, record] : apart.keys)
    CHECK(encode(record) == encode(at_once.keys.at(id)));
  REQUIRE(apart.slices.size() == at_once.slices.size());
  CHECK(encode(apart.slices[0]) == encode(at_once.slices[0]));
}

TEST_CASE("windows that cannot become one are left alone") {
  const auto left = window(noon, 1);
  auto into = left;
  SECTION("another entity") {
    auto other = window(noon + 10 * second, 1);
    other.entity.digest = "sha256:1";
    CHECK_FALSE(merge(into, other, day));
  }
  SECTION("another learning day") { CHECK_FALSE(merge(into, window(noon + day, 1), day)); }
  SECTION("two instances side by side have more exposure than time") {
    CHECK_FALSE(merge(into, window(noon, 2), day));
  }
  SECTION("more observations than a number holds") {
    auto other = window(noon + 10 * second, 1);
    other.observations = UINT64_MAX;
    CHECK_FALSE(merge(into, other, day));
  }
  SECTION("more behaviours than a delta holds") {
    auto other = window(noon + 10 * second, 1);
    for (std::uint64_t i = 0; i < ServiceDelta::key_limit; ++i)
      other.keys.push_back(key(1'000 + i, 1, noon, noon));
    CHECK_FALSE(merge(into, other, day));
  }
  CHECK(encode(into) == encode(left));
}

TEST_CASE("a peer's address is not merged away: intelligence may come later") {
  auto into = window(noon, 1), other = window(noon + 10 * second, 1);
  into.keys[0].peer = IpAddress::v4(0xc0000201);
  other.keys[0].peer = IpAddress::v4(0xc0000202);
  REQUIRE(merge(into, other, day));
  CHECK(into.keys.size() == 3);
}
