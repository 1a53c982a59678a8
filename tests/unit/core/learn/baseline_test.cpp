#include "core/learn/baseline.hpp"
#include "core/learn/signed_baseline.hpp"

#include "schemas/baseline.capnp.h"

#include <capnp/serialize.h>
#include <catch2/catch.hpp>

#include <random>

using namespace iris;

namespace {

Baseline sample() {
  Baseline baseline;
  baseline.profile = "edgex-core-data@sha256:1";
  baseline.version = 7;
  baseline.entity = {.kind = EntityKind::service, .name = "edgex-core-data"};
  for (std::uint64_t key = 1; key < 40; ++key)
    baseline.fleet.keys.push_back(
        {.key = key * 3, .family = Family::exec, .hours = 12, .gateways = 3, .text = "/bin/x"});
  LearnedNumber number;
  number.key = {NumberFamily::flow_bytes_out, EntityKind::internet};
  number.threshold.value = 1e6;
  for (int i = 0; i < 100; ++i)
    number.sketch.add(i * 100);
  baseline.fleet.numbers.push_back(number);
  baseline.sites["mine"].progress.state = LearningState::monitoring;
  baseline.sites["mine"].keys.push_back({.key = 5, .family = Family::peer_out, .text = "kmc udp/47808"});
  baseline.sites["theirs"].keys.push_back(
      {.key = 6, .family = Family::peer_out, .text = "secret-device udp/161"});
  return baseline;
}

} // namespace

TEST_CASE("a baseline survives the way there and back, and a gateway gets its own site only") {
  auto baseline = sample();
  auto bytes = encode(baseline);
  auto back = decode_baseline(bytes.data(), bytes.size());
  REQUIRE(back);
  CHECK(encode(*back) == bytes);
  CHECK(back->fleet.find(3, Phase::startup) == nullptr);
  CHECK(back->fleet.find(3, Phase::steady)->hours == 12);
  CHECK(back->fleet.find(NumberKey{NumberFamily::flow_bytes_out, EntityKind::internet})->threshold.value ==
        1e6);
  auto mine = encode_for(baseline, "mine");
  auto pushed = decode_baseline(mine.data(), mine.size());
  REQUIRE(pushed);
  CHECK(pushed->site("mine"));
  CHECK_FALSE(pushed->site("theirs"));
  CHECK(std::string{mine.begin(), mine.end()}.find("secret-device") == std::string::npos);
  CHECK(pushed->state_for("mine") == LearningState::monitoring);
}

TEST_CASE("families of a newer cloud are left out, and the rest of its baseline is used") {
  auto baseline = sample();
  baseline.fleet.stats[0] = {3, 12.5};
  baseline.fleet.keys.push_back({.key = 1000, .family = Family(family_count), .text = "of tomorrow"});
  auto bytes = encode(baseline);
  auto words = kj::heapArray<capnp::word>(bytes.size() / 8);
  std::memcpy(words.begin(), bytes.data(), bytes.size());
  capnp::FlatArrayMessageReader reader{words};
  capnp::MallocMessageBuilder message;
  message.setRoot(reader.getRoot<schema::Baseline>());
  auto stats = message.getRoot<schema::Baseline>().getFleet().initStats(unsigned(family_count + 1) * 6);
  stats[0].setFresh(3);
  auto newer = capnp::messageToFlatArray(message);
  auto chars = newer.asChars();
  auto back = decode_baseline(chars.begin(), chars.size());
  REQUIRE(back);
  CHECK(back->fleet.keys.size() == baseline.fleet.keys.size() - 1);
  CHECK(back->fleet.find(3, Phase::steady));
  CHECK_FALSE(back->fleet.find(1000, Phase::steady));
  CHECK(back->fleet.stats[0].fresh == 3);
}

TEST_CASE("only the right signature and a higher number open a baseline") {
  auto key = signing_key_of(std::string(32, 'k'));
  auto other = signing_key_of(std::string(32, 'o'));
  REQUIRE(key);
  REQUIRE(other);
  auto document = sign_document(encode_for(sample(), "mine"), *key);
  REQUIRE(document);
  auto opened = open_signed(document->data(), document->size(), key->public_key, 6);
  REQUIRE(opened);
  CHECK(opened->version == 7);
  auto stale = open_signed(document->data(), document->size(), key->public_key, 7);
  REQUIRE_FALSE(stale);
  CHECK(stale.error().message ==
        "baseline of edgex-core-data@sha256:1 refused: its number 7 is not higher than 7, which is in use");
  CHECK(open_signed(document->data(), document->size(), other->public_key).error().code == Errc::refused);
  CHECK_FALSE(signing_key_of("short"));
  std::mt19937 random{8};
  for (int round = 0; round < 500; ++round) { // not one changed byte of the document is accepted
    auto broken = *document;
    auto at = random() % broken.size();
    auto old = broken[at];
    broken[at] = char(broken[at] ^ char(1 << (random() % 8)));
    auto result = open_signed(broken.data(), broken.size(), key->public_key);
    if (result) CHECK(encode(*result) == encode(*opened)); // padding outside of the signed bytes
    broken[at] = old;
  }
}

TEST_CASE("damaged baselines never crash") {
  auto bytes = encode(sample());
  std::mt19937 random{6};
  int refused = 0;
  for (int round = 0; round < 2'000; ++round) {
    auto broken = bytes;
    broken[random() % broken.size()] = char(random());
    refused += !decode_baseline(broken.data(), broken.size()).ok();
  }
  CHECK(refused > 50);
  CHECK_FALSE(decode_baseline(bytes.data(), bytes.size() / 16 * 8));
}
