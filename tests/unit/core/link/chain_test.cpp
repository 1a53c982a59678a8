#include "core/link/chain.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace iris;

namespace {

/// A gateway's lane, and a cloud that got the same key.
struct Pair {
  ChainLink node = ChainLink::first(std::string(32, 'k'), 0);
  LaneChain cloud;
  std::uint64_t seq = 0;
  Pair() {
    cloud.active = true;
    cloud.link = ChainLink::first(std::string(32, 'k'), 0);
  }
  struct Sent {
    BatchPlace place;
    BatchSeal seal;
    LaneChain::Found found;
  };
  Sent make(const std::string& entry, std::uint64_t entries = 1) {
    Sent sent;
    sent.place = {4, 0, ++seq};
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
  std::string take(const Sent& sent) { return cloud.take(sent.place, sent.seal, sent.found); }
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
  SECTION("without a seal") { CHECK_FALSE(pair.cloud.take(second.place, {}, second.found).empty()); }
  SECTION("made anew with the running key, which is later") {
    Pair thief;
    thief.node = pair.node; // what is on the stolen gateway after the third
    thief.seq = 1;
    CHECK_FALSE(pair.take(thief.make("forged")).empty());
  }
}

TEST_CASE("merged batches must come with what they counted") {
  Pair pair;
  auto left = pair.make("a", 2), right = pair.make("b", 3);
  for (auto* sent : {&left, &right}) {
    sent->seal.state = BatchSeal::State::merged;
    sent->seal.into = 3;
    sent->found = {};
    sent->found.losses_digest = PartsDigest{}.finish();
  }
  CHECK(pair.take(left).empty());
  CHECK(pair.take(right).empty());
  Pair::Sent sum;
  sum.place = {4, 0, 3};
  sum.found.losses_digest = PartsDigest{}.finish();
  sum.seal.entries = sum.seal.merged_entries = 5;
  sum.seal.observations = sum.seal.merged_observations = 50;
  sum.found.entries = 1;
  sum.found.observations = 50;
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
  sum.seal.mac = pair.node.mac(sum.place, sum.seal, sum.found.losses_digest);
  const auto why = pair.take(sum);
  CHECK(why.empty() == wanted.empty());
  CHECK(why.find(wanted) != std::string::npos);
}
