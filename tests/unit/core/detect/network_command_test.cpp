#include "tests/unit/core/detect/life.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

const std::string read_holding = "read holding registers (function 3)";
const std::string write_holding = "write holding registers (function 6)";

/// A device service that reads all day.
Life reader(const EntityPtr& device) {
  Life life{entity_of(EntityKind::service, "device-modbus", "172.18.0.7")};
  for (int i = 0; i < 36; ++i) {
    life.normal();
    life.call(device, 502);
    life.command(device, "read", read_holding);
    life.close();
    life.train();
  }
  life.findings.clear();
  return life;
}

} // namespace

TEST_CASE("a service that only ever read and now writes is told, though peer and port are known") {
  const auto plc = entity_of(EntityKind::device, "plc-1", "10.77.0.30");
  auto life = reader(plc);
  life.call(plc, 502);
  life.command(plc, "read", read_holding);
  REQUIRE(life.findings.empty());
  life.command(plc, "write", write_holding);
  REQUIRE(life.findings.size() == 1);
  const auto& finding = life.findings[0];
  CHECK(finding.detector == "network.command");
  CHECK(finding.peer.name == "plc-1");
  CHECK(finding.peer.port == 502);
  CHECK(finding.act == "sent a Modbus command to {peer}: write holding registers (function 6)");
  CHECK(finding.attack == std::vector<std::string>{"T0855", "T0836"});
  CHECK(finding.expected.find("It asks for Modbus read holding registers (function 3)") == 0);
  CHECK(finding.observed.find("it never asked any device to write by Modbus") != std::string::npos);
  CHECK(finding.flows.at(0).packets == 1);
}

TEST_CASE("a service that reads what it never read says so, and weighs less than a write") {
  const auto plc = entity_of(EntityKind::device, "plc-1", "10.77.0.30");
  auto life = reader(plc);
  life.command(plc, "read", "read coils (function 1)");
  life.command(plc, "write", write_holding);
  REQUIRE(life.findings.size() == 2);
  CHECK(life.findings[0].attack == std::vector<std::string>{"T0861"});
  CHECK(life.findings[0].score < life.findings[1].score);
}

TEST_CASE("a stranger who writes to a device is told at the device, a service's write at the service only") {
  Life life{entity_of(EntityKind::device, "plc-1", "10.77.0.30")};
  const auto stranger = entity_of(EntityKind::device, "", "10.77.0.66");
  for (int i = 0; i < 36; ++i) {
    life.used_by(life.snmp, 502);
    life.command(life.snmp, "read", read_holding, true);
    life.close();
    life.train();
  }
  life.findings.clear();
  life.command(life.snmp, "write", write_holding, true);
  CHECK(life.findings.empty());
  life.command(stranger, "write", write_holding, true);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "network.command");
  CHECK(life.findings[0].act == "was sent a Modbus command by {peer}: write holding registers (function 6)");
}

TEST_CASE("a read of a device that was never called is told as the call, a write of it as a command too") {
  const auto other = entity_of(EntityKind::device, "plc-2", "10.77.0.31");
  Life life{entity_of(EntityKind::service, "support-logging", "172.18.0.7")};
  for (int i = 0; i < 36; ++i) {
    life.normal();
    life.close();
    life.train();
  }
  life.findings.clear();
  life.command(other, "read", read_holding);
  CHECK(life.findings.empty());
  life.command(other, "write", write_holding);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "network.command");
}

TEST_CASE("regression: what a stranger reads of a device was told by nobody") {
  Life life{entity_of(EntityKind::device, "plc-1", "10.77.0.30")};
  for (int i = 0; i < 36; ++i) {
    life.used_by(life.snmp, 502);
    life.command(life.snmp, "read", read_holding, true);
    life.close();
    life.train();
  }
  life.findings.clear();
  life.command(entity_of(EntityKind::device, "", "10.77.0.66"), "read", "read (function 43/14)", true);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "network.command");
}

TEST_CASE("repeated commands of one kind to one device are one cause") {
  const auto plc = entity_of(EntityKind::device, "plc-1", "10.77.0.30");
  auto life = reader(plc);
  for (int i = 0; i < 20; ++i)
    life.command(plc, "write", write_holding);
  CHECK(life.findings.size() == 1);
  life.close();
  REQUIRE(life.findings.size() == 2);
  CHECK(life.findings[0].cause == life.findings[1].cause);
  CHECK(life.findings[0].count + life.findings[1].count == 20);
}
