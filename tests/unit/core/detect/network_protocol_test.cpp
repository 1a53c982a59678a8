#include "tests/unit/core/detect/life.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

void speak(Life& life, const EntityPtr& peer, const char* application, std::uint16_t port,
           bool inbound = false) {
  auto flow = life.flow(peer, nullptr, port, inbound);
  flow.application = application;
  life.see({.peer = peer, .what = std::move(flow)});
}

/// A service that asks the database all day, and is asked by HTTP.
Life speaker() {
  Life life;
  for (int i = 0; i < 36; ++i) {
    life.normal();
    speak(life, life.mongo, "MongoDB", 27017);
    speak(life, life.consul, "HTTP", 48'061, true);
    life.close();
    life.train();
  }
  life.findings.clear();
  return life;
}

} // namespace

TEST_CASE("another protocol on a usual port to a usual peer is told") {
  auto life = speaker();
  speak(life, life.mongo, "MongoDB", 27017);
  life.call(life.mongo, 27017); // nothing recognised: nothing new
  REQUIRE(life.findings.empty());
  speak(life, life.mongo, "SSH", 27017);
  REQUIRE(life.findings.size() == 1);
  const auto& finding = life.findings[0];
  CHECK(finding.detector == "network.protocol");
  CHECK(finding.act == "spoke SSH on tcp/27017 to {peer}");
  CHECK(finding.peer.name == "edgex-mongo");
  CHECK(finding.attack == std::vector<std::string>{"T1571", "T1071"});
  CHECK(finding.expected.find("It speaks MongoDB on tcp/27017") == 0);
  CHECK(finding.observed.find("the protocol is new to it") != std::string::npos);
}

TEST_CASE("a known protocol on another port is one act with the destination that is new") {
  auto life = speaker();
  speak(life, life.thermostat, "MongoDB", 8080);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "network.lateral");
  CHECK(life.findings[0].also == std::vector<std::string>{"network.protocol"});
}

TEST_CASE(
    "what a sibling service speaks is told at the one who speaks, what a stranger speaks at the service") {
  auto life = speaker();
  speak(life, life.consul, "SSH", 48'061, true);
  CHECK(life.findings.empty());
  const auto stranger = entity_of(EntityKind::device, "", "10.77.0.66");
  speak(life, stranger, "SSH", 48'061, true);
  bool told = false;
  for (const auto& finding : life.findings)
    told |= finding.detector == "network.protocol" ||
            std::find(finding.also.begin(), finding.also.end(), "network.protocol") != finding.also.end();
  CHECK(told);
}

TEST_CASE("a flow whose start was not seen says nothing of ports") {
  auto life = speaker();
  auto flow = life.flow(life.mongo, nullptr, 27017, false);
  flow.application = "SSH";
  flow.initiator_known = false;
  life.see({.peer = life.mongo, .what = flow});
  CHECK(life.findings.empty());
}
