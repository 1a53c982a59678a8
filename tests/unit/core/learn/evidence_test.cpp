#include "core/learn/evidence.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;

namespace {

constexpr TimeScale scale{.day = 2 * second, .window = second};

ServiceDelta delta_at(Timestamp from, std::vector<std::uint64_t> keys) {
  ServiceDelta delta;
  delta.entity = {.kind = EntityKind::service, .name = "edgex-core-data", .digest = "sha256:1"};
  delta.from = from;
  delta.until = from + second;
  delta.steady = second;
  for (auto key : keys) {
    KeyDelta row;
    row.family = Family::exec;
    row.keys = {key, key + 1'000, key + 2'000};
    row.texts = {"fine", "middle", "coarse"};
    row.count = 3;
    row.hours = 2;
    row.days = 1;
    row.first = from;
    row.last = from + second / 2;
    delta.keys.push_back(row);
  }
  NumberDelta number{{NumberFamily::window_flows, EntityKind::unknown}, {}};
  number.samples.add(double(from / second), std::uint32_t(from / scale.day));
  delta.numbers.push_back(number);
  return delta;
}

bool same(const Evidence& a, const Evidence& b) {
  if (a.keys.size() != b.keys.size() || a.slices.size() != b.slices.size() || a.overflow != b.overflow)
    return false;
  for (const auto& [id, record] : a.keys) {
    auto other = b.keys.find(id);
    if (other == b.keys.end() || encode(other->second) != encode(record)) return false;
  }
  for (std::size_t i = 0; i < a.slices.size(); ++i)
    if (encode(a.slices[i]) != encode(b.slices[i])) return false;
  return encode_head(a) == encode_head(b);
}

} // namespace

TEST_CASE("a delta survives the way there and back") {
  auto delta = delta_at(100 * second, {7, 8});
  delta.keys[1].peer = *parse_ip("203.0.113.9");
  delta.keys[1].bytes_out = 12'345;
  delta.startups = 1;
  auto bytes = encode(delta);
  auto back = decode_delta(bytes.data(), bytes.size());
  REQUIRE(back);
  CHECK(encode(*back) == bytes);
  CHECK(back->keys[1].peer == delta.keys[1].peer);
  CHECK(profile_of(back->entity) == "edgex-core-data@sha256:1");
}

TEST_CASE(
    "behaviours of families that only a newer node knows are counted, and the rest of its delta is read") {
  auto delta = delta_at(100 * second, {7, 8});
  const auto keys = delta.keys.size();
  REQUIRE(keys > 0);
  auto tomorrow = delta.keys.front();
  tomorrow.family = Family(family_count);
  delta.keys.push_back(tomorrow);
  auto bytes = encode(delta);
  auto back = decode_delta(bytes.data(), bytes.size());
  REQUIRE(back);
  CHECK(back->keys.size() == keys);
  CHECK(back->overflow == delta.overflow + 1);
}

TEST_CASE("damaged deltas are refused and never crash") {
  auto bytes = encode(delta_at(100 * second, {7, 8, 9}));
  CHECK_FALSE(decode_delta(bytes.data(), bytes.size() - 8));
  CHECK_FALSE(decode_delta(bytes.data(), 3));
  auto wrong = delta_at(100 * second, {7});
  wrong.steady = 5 * second;
  auto lie = encode(wrong);
  auto refused = decode_delta(lie.data(), lie.size());
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message == "delta: more exposure than time");
  std::mt19937 random{1};
  int accepted = 0;
  for (int round = 0; round < 3'000; ++round) {
    auto broken = bytes;
    broken[random() % broken.size()] = char(random());
    accepted += decode_delta(broken.data(), broken.size()).ok();
  }
  CHECK(accepted < 3'000);
}

TEST_CASE("evidence gathers hours, days and first days") {
  Evidence evidence{"p", "gw", scale};
  for (int i = 0; i < 20; ++i)
    evidence.apply(delta_at((100 + i) * second, {1}));
  evidence.apply(delta_at(120 * second, {2}));
  const auto& known = evidence.keys.at(1 * 2 + 1);
  CHECK(known.hours == 40);
  CHECK(known.first_days.size() == KeyRecord::day_limit);
  CHECK(known.day_reached(2) == 51);
  CHECK_FALSE(evidence.keys.at(2 * 2 + 1).day_reached(2));
  CHECK(evidence.steady() == 21 * second);
  // 21 s are ten learning days and a half: slices [0,1) [1,2) [2,4) [4,8) [8,16).
  REQUIRE(evidence.slices.size() == 5);
  CHECK(evidence.slices[0].steady == 2 * second);
  CHECK(evidence.slices[3].steady == 8 * second);
}

TEST_CASE("merging evidence is commutative and associative") {
  Evidence parts[3];
  for (auto& part : parts)
    part = Evidence{"p", "gw", scale};
  std::mt19937 random{4};
  for (auto& part : parts)
    part.started = 100 * second;
  for (int i = 0; i < 60; ++i)
    parts[random() % 3].apply(delta_at((100 + i) * second, {random() % 12 + 1, 99}));
  auto left = parts[0];
  left.merge(parts[1]);
  left.merge(parts[2]);
  auto right = parts[1];
  right.merge(parts[2]);
  auto other = parts[0];
  other.merge(right);
  auto backward = parts[2];
  backward.merge(parts[1]);
  backward.merge(parts[0]);
  CHECK(same(left, other));
  CHECK(same(left, backward));
}

TEST_CASE("evidence is bounded and says so") {
  Evidence evidence{"p", "gw", scale};
  for (std::uint64_t base = 0; base < 6; ++base) {
    std::vector<std::uint64_t> keys;
    for (std::uint64_t i = 0; i < 4'000; ++i)
      keys.push_back(base * 4'000 + i + 1);
    evidence.apply(delta_at(std::int64_t(100 + base) * second, keys));
  }
  CHECK(evidence.keys.size() == Evidence::key_limit);
  CHECK(evidence.overflow == 4'000);
}

TEST_CASE("rows of the store survive the way there and back") {
  Evidence evidence{"p", "gw", scale};
  for (int i = 0; i < 9; ++i)
    evidence.apply(delta_at((100 + i) * second, {1, 2}));
  auto head = encode_head(evidence);
  auto back = decode_head(head.data(), head.size());
  REQUIRE(back);
  for (const auto& [id, record] : evidence.keys) {
    auto bytes = encode(record);
    auto row = decode_key(bytes.data(), bytes.size());
    REQUIRE(row);
    CHECK(row->id() == id);
    back->keys.emplace(row->id(), *row);
  }
  for (std::size_t i = 0; i < evidence.slices.size(); ++i) {
    auto bytes = encode(evidence.slices[i]);
    auto row = decode_slice(bytes.data(), bytes.size());
    REQUIRE(row);
    back->slices[i] = *row;
  }
  CHECK(same(*back, evidence));
  auto bytes = encode(evidence.keys.begin()->second);
  CHECK_FALSE(decode_key(bytes.data(), 8));
}
