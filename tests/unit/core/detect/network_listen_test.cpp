#include "life.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
void open_port(Life& life, std::uint16_t port, bool again = false, const char* exe = "/usr/bin/java") {
  Listen listen;
  listen.port = port;
  listen.pid = 77;
  listen.exe = exe;
  listen.again = again;
  life.see({.what = listen});
}
void live(Life& life, int windows) {
  for (int i = 0; i < windows; ++i) {
    open_port(life, 48061, i > 0);
    life.live(1);
  }
}
} // namespace

TEST_CASE("a port that a monitored service never listened on is a finding, once; its own is none") {
  Life life;
  live(life, 36);
  REQUIRE(life.baseline->state_for("gw") == LearningState::monitoring);
  CHECK(life.findings.empty());
  open_port(life, 48061); // started anew
  CHECK(life.findings.empty());
  open_port(life, 4444, false, "/usr/bin/nc");
  REQUIRE(life.findings.size() == 1);
  const auto& finding = life.findings[0];
  CHECK(finding.detector == "network.listen");
  CHECK(finding.act == "opened tcp/4444 for callers with /usr/bin/nc");
  CHECK(finding.expected.find("tcp/48061") != std::string::npos);
  CHECK(finding.observed == "tcp/4444 is open at all addresses; pid 77.");
  CHECK(finding.attack == std::vector<std::string>{"T1571", "T1505"});
  CHECK(finding.severity >= Severity::medium);
  for (int i = 0; i < 5; ++i)
    open_port(life, 4444, true);
  life.close();
  CHECK(life.findings.size() == 1);
}

TEST_CASE("a health check that asks with a tool of the never-learn list is learned, and quiet") {
  Life life;
  auto probe = [&] {
    ProcessStart start;
    start.process.exe = "/usr/bin/nc";
    start.process.args = {"nc", "-z", "localhost", "6379"};
    start.process.parent_exe = "/bin/sh";
    start.process.ancestors = {"/bin/sh"};
    start.process.origin = Origin::image;
    start.process.health_check = true;
    life.see({.what = start});
  };
  for (int i = 0; i < 40; ++i) {
    probe();
    life.live(1);
  }
  REQUIRE(life.baseline->state_for("gw") == LearningState::monitoring);
  CHECK(life.findings.empty());
  // The same by the service itself is what it always was.
  life.run({"/usr/bin/nc", "-z", "localhost", "6379"});
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "process.tool");
}
