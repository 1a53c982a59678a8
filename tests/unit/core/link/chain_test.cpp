#include "core/link/chain.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace iris;

namespace {

/// A gateway's lane, and a cloud that got the same key.
struct Pair {
  std::uint8_t lane;
  ChainLink node;
  LaneChain cloud;
  std::uint64_t seq = 0;
  explicit Pair(std::uint8_t of = 0) : lane{of}, node{ChainLink::first(std::string(32, 'k'), of)} {
    cloud.active = true;
    cloud.link = node;
  }
  struct Sent {
    BatchPlace place;
    BatchSeal seal;
    LaneChain::Found found;
  };
  Sent make(const std::string& entry, std::uint64_t entries = 1) {
    Sent sent;
    sent.place = {4, lane, ++seq};
    sent.found.entries = entries;
    sent.found.entries_digest = PartsDigest{}.text(entry).finish();
    sent.found.losses_digest = PartsDigest{}.finish();
    sent.seal.entries = entries;
    sent.seal.observations = sent.found.observations = entries * 10;
    sent.seal.entries_digest = sent.found.entries_digest;
    sent.seal.mac = node.mac(sent.place, sent.seal, sent.found.losses_digest);
    node.step(sent.seal.mac);
    return sent;
  }
  std::string take(const Sent& sent, Timestamp now = 0) {
    return cloud.take(sent.place, sent.seal, sent.found, now);
  }
};

Pair::Sent shed(Pair::Sent sent) {
  sent.seal.state = BatchSeal::State::shed;
  sent.found.told_entries = sent.seal.entries;
  sent.found.told_observations = sent.seal.observations;
  sent.found.entries = sent.found.observations = 0;
  sent.found.entries_digest = PartsDigest{}.finish();
  return sent;
}

} // namespace

TEST_CASE("an honest chain is whole, whatever was dropped and told") {
  Pair pair;
  CHECK(pair.take(pair.make("a")).empty());
  CHECK(pair.take(shed(pair.make("b", 7))).empty());
  CHECK(pair.take(pair.make("c")).empty());
}

TEST_CASE("keys go forwards only and differ by lane and grant") {
  auto link = ChainLink::first(std::string(32, 'k'), 0);
  const auto first = link.key;
  link.step({});
  CHECK(link.key != first);
  CHECK(ChainLink::first(std::string(32, 'k'), 1).key != first);
  CHECK(ChainLink::first(std::string(32, 'l'), 0).key != first);
}

TEST_CASE("parts cannot be moved between each other without another digest") {
  CHECK(PartsDigest{}.text("ab").text("c").finish() != PartsDigest{}.text("a").text("bc").finish());
  CHECK(PartsDigest{}.text("").finish() != PartsDigest{}.finish());
}

TEST_CASE("what a thief changes in older batches is seen, and honest ones after it are good again") {
  Pair pair;
  CHECK(pair.take(pair.make("a")).empty());
  auto changed = pair.make("b");
  SECTION("other entries") { changed.found.entries_digest[0] ^= 1; }
  SECTION("another mac") { changed.seal.mac[3] ^= 1; }
  SECTION("another number of entries") { changed.seal.entries = 2; }
  SECTION("another span") { changed.seal.until = 1; }
  SECTION("fewer statements of loss") { changed.found.losses_digest[0] ^= 1; }
  SECTION("dropped, and less told than it had") {
    changed = shed(changed);
    changed.found.told_entries = 0;
  }
  SECTION("dropped, and other entries put in") {
    changed.seal.state = BatchSeal::State::shed;
    changed.found.told_entries = 1;
    changed.found.told_observations = 10;
  }
  CHECK_FALSE(pair.take(changed).empty());
  (void)pair.take(pair.make("c")); // where the mac itself was changed, this one cannot fit either
  CHECK(pair.take(pair.make("d")).empty());
}

TEST_CASE("a batch that was taken out or put in breaks what follows") {
  Pair pair;
  const auto first = pair.make("a"), second = pair.make("b"), third = pair.make("c");
  CHECK(pair.take(first).empty());
  SECTION("taken out and the rest renumbered") {
    auto moved = third;
    moved.place.seq = 2;
    CHECK_FALSE(pair.take(moved).empty());
  }
  SECTION("without a seal") { CHECK_FALSE(pair.cloud.take(second.place, {}, second.found, 0).empty()); }
  SECTION("made anew with the running key, which is later") {
    Pair thief;
    thief.node = pair.node; // what is on the stolen gateway after the third
    thief.seq = 1;
    CHECK_FALSE(pair.take(thief.make("forged")).empty());
  }
}

namespace {

constexpr std::uint8_t counts = 1;

/// What a spool leaves of a batch whose counts moved into number `into`.
Pair::Sent merged(Pair::Sent sent, std::uint64_t into) {
  sent.seal.state = BatchSeal::State::merged;
  sent.seal.into = into;
  sent.found = {};
  sent.found.losses_digest = PartsDigest{}.finish();
  return sent;
}

/// The batch that has them, before it is sealed.
Pair::Sent sum_of(std::uint8_t lane, std::uint64_t seq, std::uint64_t entries, std::uint64_t observations) {
  Pair::Sent sum;
  sum.place = {4, lane, seq};
  sum.found.losses_digest = PartsDigest{}.finish();
  sum.seal.entries = sum.seal.merged_entries = entries;
  sum.seal.observations = sum.seal.merged_observations = observations;
  sum.found.entries = 1;
  sum.found.observations = observations;
  return sum;
}

void seal(Pair& pair, Pair::Sent& sent) {
  sent.seal.mac = pair.node.mac(sent.place, sent.seal, sent.found.losses_digest);
  pair.node.step(sent.seal.mac);
}

} // namespace

TEST_CASE("merged batches must come with what they counted") {
  Pair pair{counts};
  auto left = pair.make("a", 2), right = pair.make("b", 3);
  CHECK(pair.take(merged(left, 3)).empty());
  CHECK(pair.take(merged(right, 3)).empty());
  auto sum = sum_of(counts, 3, 5, 50);
  std::string wanted;
  SECTION("and do") {
    // nop
  }
  SECTION("too few of them") {
    sum.seal.merged_entries = 4;
    wanted = "should have the counts";
  }
  SECTION("less than the seal says") {
    sum.found.observations = 49;
    wanted = "counts other than";
  }
  SECTION("none at all") {
    sum.seal.merged_entries = sum.seal.merged_observations = 0;
    wanted = "should have the counts";
  }
  SECTION("an empty batch that says it has them") {
    sum.seal.entries = sum.seal.observations = 0;
    sum.found.entries = sum.found.observations = 0;
    wanted = "says that more was merged into it than it has";
  }
  SECTION("an empty batch that says so of its entries only") {
    sum.seal.observations = 0;
    sum.found.entries = sum.found.observations = 0;
    wanted = "says that more was merged into it than it has";
  }
  SECTION("an empty batch that says it has counts of nothing") {
    sum.found.entries = sum.found.observations = 0;
    wanted = "counts other than";
  }
  seal(pair, sum);
  const auto why = pair.take(sum);
  CHECK(why.empty() == wanted.empty());
  CHECK(why.find(wanted) != std::string::npos);
}

TEST_CASE("findings are never merged: who says so makes them vanish") {
  Pair pair;
  auto left = pair.make("a", 2), right = pair.make("b", 3);
  CHECK(pair.take(merged(left, 3)).find("findings are never merged") != std::string::npos);
  CHECK(pair.take(merged(right, 3)).find("findings are never merged") != std::string::npos);
  auto sum = sum_of(0, 3, 5, 50);
  seal(pair, sum);
  CHECK(pair.take(sum).find("findings are never merged") != std::string::npos);
}

TEST_CASE("a debt of merged counts does not wrap around to nothing") {
  Pair pair{counts};
  CHECK(pair.take(merged(pair.make("a", 2), 3)).empty()); // 20 observations
  auto huge = sum_of(counts, 2, UINT64_MAX - 1, UINT64_MAX - 19);
  huge.seal.merged_entries = huge.seal.merged_observations = 0;
  seal(pair, huge); // of the thief's own making
  (void)pair.take(merged(huge, 3));
  pair.seq = 2;
  CHECK_FALSE(pair.take(pair.make("c")).empty());
}

TEST_CASE("a debt of merged counts is not due with a batch that never comes") {
  constexpr Timestamp noon = 1'764'000'000 * second, day = 86'400 * second;
  Pair pair{counts};
  auto batch = [&](Timestamp until) {
    Pair::Sent sent;
    sent.place = {4, counts, ++pair.seq};
    sent.found.entries = sent.seal.entries = 1;
    sent.found.observations = sent.seal.observations = 10;
    sent.found.losses_digest = PartsDigest{}.finish();
    sent.seal.since = sent.seal.until = until;
    seal(pair, sent);
    return sent;
  };
  const auto old = batch(noon - 2 * day), waiting = batch(noon - day);
  CHECK(pair.take(merged(old, 1'000'000), noon).empty());
  CHECK(pair.take(waiting, noon + day).empty()); // made before the batch that it is due in: sent later
  CHECK(pair.take(batch(noon + 30 * 60 * second), noon + day).empty()); // clocks differ
  const auto why = pair.take(batch(noon + day), noon + day);
  CHECK(why.find("was made after the one that should have the counts") != std::string::npos);
  CHECK(pair.take(batch(noon + day), noon + day).empty()); // told once
}
