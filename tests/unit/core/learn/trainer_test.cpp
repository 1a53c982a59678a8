#include "core/learn/trainer.hpp"

#include "core/base/hash.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <random>

using namespace iris;

namespace {

constexpr TimeScale scale{.day = 2 * second, .window = second, .startup = second, .alert_quiet = 10 * second};
constexpr Timestamp begin = 1'000 * second;

KeyDelta key_of(Family family, std::uint64_t number, Timestamp at) {
  KeyDelta row;
  row.family = family;
  row.keys = {number, number + 10'000, number + 20'000};
  row.texts = {"fine " + std::to_string(number), "middle", "coarse"};
  row.count = 1;
  row.hours = row.days = 1;
  row.first = row.last = at;
  if (family == Family::peer_out || family == Family::peer_in) row.peer_class = EntityKind::device;
  return row;
}

/// One gateway whose windows a test fills.
struct Gateway {
  Evidence evidence;
  Timestamp now = begin;
  explicit Gateway(std::string name) : evidence{"edgex-core-data@sha256:1", std::move(name), scale} {}

  void window(std::vector<KeyDelta> keys, double bytes = 2e6) {
    ServiceDelta delta;
    delta.entity = {.kind = EntityKind::service, .name = "edgex-core-data", .digest = "sha256:1"};
    delta.from = now;
    delta.until = now + second;
    delta.steady = second;
    delta.keys = std::move(keys);
    NumberDelta number{{NumberFamily::window_bytes_out, EntityKind::service}, {}};
    number.samples.add(bytes, std::uint32_t(now / scale.day));
    delta.numbers.push_back(number);
    evidence.apply(delta);
    now += second;
  }
  /// Windows in which the same few things happen.
  void steady(int windows) {
    for (int i = 0; i < windows; ++i)
      window(
          {key_of(Family::exec, 1, now), key_of(Family::peer_out, 2, now), key_of(Family::peer_in, 3, now)});
  }
};

Baseline train_all(const std::vector<const Gateway*>& gateways, Timestamp now,
                   const Baseline* previous = nullptr, const TrainingInput& input = {}) {
  std::vector<const Evidence*> evidence;
  for (const auto* one : gateways)
    evidence.push_back(&one->evidence);
  TrainingPolicy policy;
  policy.scale = scale;
  return train(evidence, policy, input, now, previous);
}

} // namespace

TEST_CASE("a lone gateway of steady life is promoted at sixteen learning days") {
  Gateway gateway{"gw"};
  std::unique_ptr<Baseline> last;
  double promoted = 0;
  for (int i = 0; i < 40 && promoted == 0; ++i) {
    gateway.steady(1);
    auto next = train_all({&gateway}, gateway.now, last.get());
    if (next.state_for("gw") == LearningState::monitoring) promoted = next.progress_for("gw").age_days;
    last = std::make_unique<Baseline>(std::move(next));
  }
  CHECK(promoted == 16);
  const auto& progress = last->progress_for("gw");
  CHECK(progress.alerts == 0);
  CHECK(progress.promise == 6);
  CHECK(progress.looks == 4);
  CHECK(progress.reason == "promoted: at most 6 alerts in the next 7.0 days, from 0 in 8.0 days of replay");
  CHECK(last->site("gw")->find(1, Phase::steady));
  CHECK(last->site("gw")->find(1, Phase::steady)->unconfirmed);
  CHECK(last->site("gw")->find(1 + 20'000, Phase::steady)->level == 2);
  CHECK(last->fleet.keys.empty());
  // Another gateway is not judged by what one alone has shown.
  CHECK(last->state_for("other") == LearningState::learning);
}

TEST_CASE("a service that keeps showing new things is not promoted at that look") {
  Gateway gateway{"gw"};
  for (int i = 0; i < 33; ++i) {
    gateway.steady(1);
    gateway.now -= second;
    // New programs, two a day and each on one day only, from half time on: nothing of it was trusted at the
    // half.
    auto number = std::uint64_t(100 + i);
    gateway.window({key_of(Family::exec, i < 16 ? 1 : number, gateway.now)});
  }
  auto baseline = train_all({&gateway}, gateway.now);
  CHECK(baseline.state_for("gw") == LearningState::learning);
  CHECK(baseline.progress_for("gw").alerts >= 15);
  CHECK(baseline.progress_for("gw").promise > 7);
  TrainingInput input;
  input.force_promotion = true;
  input.forced_by = "anna";
  auto forced = train_all({&gateway}, gateway.now, &baseline, input);
  CHECK(forced.state_for("gw") == LearningState::monitoring);
  CHECK(forced.progress_for("gw").forced);
  CHECK(forced.progress_for("gw").reason.starts_with("promoted by anna"));
}

TEST_CASE("volume exceedances of the second half count as alerts, once a day") {
  Gateway gateway{"gw"};
  for (int i = 0; i < 33; ++i)
    gateway.window({key_of(Family::exec, 1, gateway.now)}, i == 20 || i == 25 ? 9e8 : 2e6);
  auto baseline = train_all({&gateway}, gateway.now);
  CHECK(baseline.progress_for("gw").alerts == 2);
}

TEST_CASE("a key is trusted on its second day, a never-learn key never, an accepted one at once") {
  Gateway gateway{"gw"};
  gateway.steady(8);
  auto once = key_of(Family::exec, 50, gateway.now);
  auto ping = key_of(Family::exec, 60, gateway.now);
  ping.never_learn = true;
  gateway.window({once, ping});
  auto after_once = train_all({&gateway}, gateway.now);
  CHECK_FALSE(after_once.site("gw")->find(50, Phase::steady));
  gateway.steady(1);
  once.first = once.last = ping.first = ping.last = gateway.now;
  gateway.window({once, ping});
  auto after_twice = train_all({&gateway}, gateway.now);
  CHECK(after_twice.site("gw")->find(50, Phase::steady));
  CHECK_FALSE(after_twice.site("gw")->find(60, Phase::steady));
  TrainingInput input;
  input.accepted[60 + 20'000] = "anna"; // the program as such
  auto accepted = train_all({&gateway}, gateway.now, nullptr, input);
  REQUIRE(accepted.fleet.find(60 + 20'000, Phase::steady));
  CHECK(accepted.fleet.find(60, Phase::steady)->accepted_by == "anna");
}

TEST_CASE("an open alert holds its own keys back and no others") {
  Gateway gateway{"gw"};
  gateway.steady(8);
  for (int i = 0; i < 4; ++i)
    gateway.window({key_of(Family::exec, 50, gateway.now), key_of(Family::exec, 51, gateway.now)});
  TrainingInput input;
  auto keys = keys_in_cause("exec#" + to_hex(std::uint64_t(50 + 20'000)));
  REQUIRE(keys == std::vector<std::uint64_t>{50 + 20'000});
  input.blocked.insert(keys.begin(), keys.end());
  auto baseline = train_all({&gateway}, gateway.now, nullptr, input);
  CHECK_FALSE(baseline.site("gw")->find(50, Phase::steady));
  CHECK(baseline.site("gw")->find(51, Phase::steady));
  // What an earlier version knew stays.
  auto before = train_all({&gateway}, gateway.now);
  CHECK(train_all({&gateway}, gateway.now, &before, input).site("gw")->find(50, Phase::steady));
  CHECK(keys_in_cause("volume#xyz").empty());
}

TEST_CASE("three gateways make a fleet part by which a fourth is judged") {
  Gateway a{"a"}, b{"b"}, c{"c"};
  for (auto* gateway : {&a, &b, &c})
    gateway->steady(33);
  a.window({key_of(Family::exec, 70, a.now)});
  auto baseline = train_all({&a, &b, &c}, a.now);
  CHECK(baseline.state_for("a") == LearningState::monitoring);
  CHECK(baseline.state_for("d") == LearningState::monitoring);
  const auto* key = baseline.fleet.find(1, Phase::steady);
  REQUIRE(key);
  CHECK(key->gateways == 3);
  CHECK_FALSE(key->unconfirmed);
  CHECK_FALSE(baseline.fleet.find(70, Phase::steady));
  CHECK(baseline.fleet.stats[BaselinePart::stat_index(Family::exec, Phase::steady, 2)].exposure ==
        Approx(3 * 15.5).epsilon(0.02));
  // The order in which gateways are given changes nothing.
  CHECK(encode(train_all({&c, &a, &b}, a.now)) == encode(baseline));
}

TEST_CASE("addresses of a site never enter the fleet part") {
  Gateway a{"a"}, b{"b"}, c{"c"};
  for (auto* gateway : {&a, &b, &c})
    for (int i = 0; i < 6; ++i) {
      auto row = key_of(Family::peer_out, 5, gateway->now);
      row.site_levels = 1;
      gateway->window({row});
    }
  auto baseline = train_all({&a, &b, &c}, a.now);
  CHECK_FALSE(baseline.fleet.find(5, Phase::steady));
  CHECK(baseline.fleet.find(5 + 10'000, Phase::steady));
  CHECK(baseline.site("a")->find(5, Phase::steady));
}

TEST_CASE("a service that breaks its promise is demoted with a reason, an attack that is held back does not "
          "do it") {
  Gateway gateway{"gw"};
  gateway.steady(33);
  auto promoted = train_all({&gateway}, gateway.now);
  REQUIRE(promoted.state_for("gw") == LearningState::monitoring);
  gateway.steady(1);
  TrainingInput input;
  for (std::uint64_t i = 0; i < 12; ++i) {
    gateway.window({key_of(Family::exec, 500 + i, gateway.now)});
    input.blocked.insert(500 + i);
  }
  auto held = train_all({&gateway}, gateway.now, &promoted, input);
  CHECK(held.state_for("gw") == LearningState::monitoring);
  auto demoted = train_all({&gateway}, gateway.now, &promoted);
  CHECK(demoted.state_for("gw") == LearningState::learning);
  CHECK(demoted.progress_for("gw").reason.starts_with("demoted: 12 alerts"));
}

TEST_CASE("learning goes on after promotion, and versions do not multiply") {
  Gateway gateway{"gw"};
  gateway.steady(33);
  auto first = train_all({&gateway}, gateway.now);
  gateway.steady(1);
  auto second_one = train_all({&gateway}, gateway.now, &first);
  CHECK(second_one.version == first.version + 1);
  CHECK_FALSE(differs(first, second_one));
  for (int i = 0; i < 3; ++i)
    gateway.window({key_of(Family::exec, 80, gateway.now)});
  auto third = train_all({&gateway}, gateway.now, &first);
  CHECK(third.site("gw")->find(80, Phase::steady));
  CHECK(differs(first, third));
}
