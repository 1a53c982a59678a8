#include "life.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>

using namespace iris;

TEST_CASE("steady life is promoted and raises nothing, before or after") {
  Life life;
  life.live(36);
  CHECK(life.findings.empty());
  REQUIRE(life.baseline);
  CHECK(life.baseline->state_for("gw") == LearningState::monitoring);
  life.live(300);
  CHECK(life.findings.empty());
  CHECK(life.judge.counters().quiet_novelties == 0);
}

TEST_CASE("ping in the logging service is one finding by the tool, which names the novelty") {
  Life life;
  life.grow_up();
  life.run({"/usr/bin/ping", "-c", "4", "10.77.0.21"}, "/bin/sh", Origin::image, true);
  REQUIRE(life.findings.size() == 1);
  const auto& finding = life.findings[0];
  CHECK(finding.detector == "process.tool");
  CHECK(finding.also == std::vector<std::string>{"process.novel"});
  CHECK(finding.act == "ran /usr/bin/ping, which looks for hosts on the network");
  CHECK(finding.expected.find("/usr/bin/java") != std::string::npos);
  CHECK(finding.observed.find("from outside of the container") != std::string::npos);
  CHECK(finding.processes.at(0).args.size() == 4);
  CHECK(std::find(finding.attack.begin(), finding.attack.end(), "T1018") != finding.attack.end());
  CHECK(finding.severity >= Severity::medium);
}

TEST_CASE("a never-learn tool is reported on day 0 and for ever, until a person accepts it") {
  Life life;
  life.run({"/usr/bin/nmap", "10.77.0.0/24"});
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "process.tool");
  for (int i = 0; i < 40; ++i) {
    life.run({"/usr/bin/nmap", "10.77.0.0/24"});
    life.live(1);
  }
  CHECK(life.findings.size() >= 40);
  life.findings.clear();
  for (auto key : keys_in_cause("tool:nmap" + std::string{"#"} + "0000000000000000"))
    life.input.accepted[key] = "anna";
  Observation probe;
  ProcessStart start;
  start.process.exe = "/usr/bin/nmap";
  start.process.args = {"/usr/bin/nmap", "x"};
  probe.what = start;
  life.input.accepted[behaviours_of(probe)[0].keys[2]] = "anna";
  life.live(1);
  life.findings.clear();
  life.run({"/usr/bin/nmap", "10.77.0.0/24"});
  CHECK(life.findings.empty());
}

TEST_CASE("a downloaded payload under a known interpreter is told by its origin") {
  Life life;
  life.grow_up();
  life.run_script("/usr/bin/python3", "/tmp/payload.py", Origin::upper);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "process.origin");
  CHECK(life.findings[0].also == std::vector<std::string>{"process.novel"});
  CHECK(
      life.findings[0].act ==
      "ran /tmp/payload.py with /usr/bin/python3, which was written into the container after it was created");
  CHECK(life.findings[0].severity == Severity::high);
}

TEST_CASE("a known program whose file was replaced is told by its origin, and the real one stays known") {
  for (auto origin : {Origin::upper, Origin::tmpfs, Origin::mount}) {
    CAPTURE(to_string(origin));
    Life life;
    life.grow_up();
    life.run({"/usr/bin/java", "-jar", "support-logging.jar"}, "/bin/sh", origin);
    REQUIRE(life.findings.size() == 1);
    CHECK(life.findings[0].detector == "process.origin");
    CHECK(life.findings[0].observed.find("the file was replaced") != std::string::npos);
    // Its alert holds back what it names; the image's own program is not among that.
    for (auto key : keys_in_cause(life.findings[0].cause))
      life.input.blocked.insert(key);
    life.findings.clear();
    life.live(2);
    CHECK(life.findings.empty());
    life.run({"/usr/bin/java", "-jar", "support-logging.jar"}, "/bin/sh", Origin::unknown);
    CHECK(life.findings.empty());
  }
}

TEST_CASE("an accepted file of the writable layer is quiet there and nowhere else") {
  Life life;
  life.grow_up();
  life.run({"/opt/update", "now"}, "/bin/sh", Origin::upper);
  REQUIRE(life.findings.size() == 1);
  for (auto key : keys_in_cause(life.findings[0].cause))
    life.input.accepted[key] = "anna";
  life.live(1);
  life.findings.clear();
  life.run({"/opt/update", "now"}, "/bin/sh", Origin::upper);
  CHECK(life.findings.empty());
  life.run({"/opt/update", "now"}, "/bin/sh", Origin::tmpfs);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "process.origin");
}

TEST_CASE("a known start script that was replaced is told, one that was always in a volume is not") {
  Life life;
  for (int i = 0; i < 36; ++i) {
    life.run_script("/bin/sh", "/app/start.sh", Origin::image);
    life.run_script("/bin/sh", "/init/consul.sh", Origin::mount);
    life.normal();
    life.close();
    life.train();
  }
  REQUIRE(life.baseline->state_for("gw") == LearningState::monitoring);
  life.findings.clear();
  life.run_script("/bin/sh", "/init/consul.sh", Origin::mount);
  life.run_script("/bin/sh", "/init/consul.sh", Origin::image); // mounted read-only elsewhere
  CHECK(life.findings.empty());
  life.run_script("/bin/sh", "/app/start.sh", Origin::upper);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "process.origin");
  life.run_script("/bin/sh", "/init/consul.sh", Origin::tmpfs);
  CHECK(life.findings.size() == 2);
}

TEST_CASE("new program, new parent, new arguments are told apart") {
  Life life;
  life.grow_up();
  life.run({"/bin/sh", "-c", "id"}, "/usr/bin/java");
  life.run({"/usr/bin/java", "-jar", "support-logging.jar"}, "/usr/sbin/cron");
  life.run({"/usr/bin/java", "-jar", "other.jar"});
  REQUIRE(life.findings.size() == 3);
  CHECK(life.findings[0].act == "ran /bin/sh");
  CHECK(life.findings[0].attack == std::vector<std::string>{"T1059.004"});
  CHECK(life.findings[1].act == "ran /usr/bin/java from a parent that never starts it");
  CHECK(life.findings[2].act == "ran /usr/bin/java with arguments that it never uses");
  for (const auto& finding : life.findings) {
    CHECK(finding.detector == "process.novel");
    CHECK(finding.expected.find("on 1 gateway); 0 new in 1") != std::string::npos);
    CHECK(keys_in_cause(finding.cause).size() == 1);
    CHECK(finding.score > 4);
  }
}

TEST_CASE("calls to a thermostat and to a sibling are two lateral findings with names") {
  Life life;
  life.grow_up();
  life.call(life.thermostat, 47808);
  life.call(life.snmp, 49989);
  REQUIRE(life.findings.size() == 2);
  for (const auto& finding : life.findings)
    CHECK(finding.detector == "network.lateral");
  CHECK(life.findings[0].act == "called {peer} on tcp/47808");
  CHECK(life.findings[0].peer.name == "kmc-thermostat");
  CHECK(life.findings[0].peer.kind == EntityKind::device);
  CHECK(life.findings[0].peer.port == 47808);
  CHECK(life.findings[0].expected.find("It calls edgex-core-consul tcp/8500") == 0);
  CHECK(life.findings[1].peer.name == "edgex-device-snmp");
  CHECK(life.findings[1].flows.at(0).bytes_out == 600);
}

TEST_CASE("repeats of a cause come once a window and add up") {
  Life life;
  life.grow_up();
  for (int i = 0; i < 50; ++i)
    life.call(life.thermostat, 47808);
  CHECK(life.findings.size() == 1);
  life.close();
  REQUIRE(life.findings.size() == 2);
  CHECK(life.findings[0].cause == life.findings[1].cause);
  CHECK(life.findings[0].count + life.findings[1].count == 50);
  CHECK(life.findings[1].flows.size() == Finding::evidence_limit);
  life.close();
  CHECK(life.findings.size() == 2);
}

TEST_CASE("many new peers of one kind do not make many alerts") {
  Life life;
  life.grow_up();
  for (int i = 1; i < 200; ++i) {
    auto device = entity_of(EntityKind::device, "", ("10.77.0." + std::to_string(i)).c_str());
    life.call(device, 502);
  }
  life.close();
  std::set<std::string> causes;
  for (const auto& finding : life.findings)
    causes.insert(finding.cause);
  CHECK(causes.size() == 5);
}

TEST_CASE("a remote client and the dump that it takes are two findings") {
  Life life{entity_of(EntityKind::service, "edgex-mongo", "172.18.0.3")};
  for (int i = 0; i < 36; ++i) {
    life.used_by(life.consul, 27017);
    life.close();
    life.train();
  }
  REQUIRE(life.baseline->state_for("gw") == LearningState::monitoring);
  auto flow = life.flow(nullptr, "203.0.113.50", 27017, true);
  flow.last_report = false;
  life.see({.what = flow});
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "network.client");
  CHECK(life.findings[0].act == "was used on tcp/27017 by {peer}");
  CHECK(life.findings[0].peer.kind == EntityKind::internet);
  for (int part = 0; part < 8; ++part) {
    flow.first_report = false;
    flow.bytes_in = 400'000;
    life.see({.what = flow});
  }
  life.close();
  std::vector<Finding> volumes;
  for (const auto& finding : life.findings)
    if (finding.detector == "network.volume") volumes.push_back(finding);
  REQUIRE(volumes.size() == 2);
  CHECK(volumes[0].act.starts_with("sent 1.1 MiB to"));
  CHECK(volumes[1].act.starts_with("sent 3.1 MiB to"));
  CHECK(volumes[0].flows[0].bytes_in + volumes[1].flows[0].bytes_in == 900 + 8 * 400'000);
  CHECK(volumes[0].observed.find("times the limit") != std::string::npos);
  CHECK(volumes[0].cause == volumes[1].cause);
}

TEST_CASE("listed addresses: contact is told on day 0, a forged opening is not") {
  Life life;
  auto set = std::make_shared<IndicatorSet>();
  CHECK(set->add_list("bad-hosts", "198.51.100.66\t8\n"));
  set->build(1);
  life.judge.set_indicators(set);
  life.collector.set_indicators(set);
  auto forged = life.flow(nullptr, "198.51.100.66", 48061, true);
  forged.state = FlowState::opening;
  forged.packets_out = 1;
  forged.packets_in = 0;
  forged.payload_out = forged.payload_in = 0;
  life.see({.what = forged});
  forged.state = FlowState::established; // our SYN-ACK counts for nothing
  forged.packets_in = 1;
  life.see({.what = forged});
  CHECK(life.findings.empty());
  life.call("198.51.100.66", 443);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "network.known-bad");
  CHECK(life.findings[0].act == "talked to {peer}, which is on the threat list bad-hosts (8 feeds)");
  CHECK(life.findings[0].severity == Severity::critical);
  life.live(36);
  life.findings.clear();
  for (int i = 0; i < 10; ++i) {
    life.call("198.51.100.66", 443);
    life.live(1);
  }
  CHECK(life.findings.size() >= 10); // never learned
}

TEST_CASE("a lookup and the call that follows are one cause") {
  Life life;
  life.grow_up();
  life.see({.what = DnsAnswer{"cdn.evil.example", {*parse_ip("203.0.113.9")}}});
  life.call(entity_of(EntityKind::internet, "cdn.evil.example", "203.0.113.9"), 443);
  life.close();
  REQUIRE(life.findings.size() == 2);
  CHECK(life.findings[0].detector == "network.destination");
  CHECK(life.findings[0].act == "looked up {peer}");
  CHECK(life.findings[1].act == "talked to {peer}");
  CHECK(life.findings[0].cause == life.findings[1].cause);
  CHECK(keys_in_cause(life.findings[0].cause).size() == 2);
}

TEST_CASE("a lookup of a domain that the service calls, or looked up in its startup, is no news") {
  Life life;
  auto ingest = entity_of(EntityKind::internet, "ingest.vendor.example", "203.0.113.9");
  auto ask = [&](const char* name) { life.see({.what = DnsAnswer{name, {*parse_ip("203.0.113.9")}}}); };
  for (int i = 0; i < 36; ++i) {
    life.call(ingest, 443); // the address was looked up before the monitor was there
    life.phase = Phase::startup;
    ask("boot.other.example");
    life.phase = Phase::steady;
    life.live(1);
  }
  life.findings.clear();
  ask("ingest.vendor.example");
  ask("cdn.vendor.example");
  ask("boot.other.example");
  life.close();
  CHECK(life.findings.empty());
  ask("cdn.evil.example");
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].observed == "cdn.evil.example was looked up and is 203.0.113.9.");
}

TEST_CASE("crashes are told, orderly ends are not") {
  Life life;
  life.container(ContainerAction::died, 0);
  life.container(ContainerAction::died, 143, true);
  CHECK(life.findings.empty());
  life.container(ContainerAction::died, 139);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "container.crash");
  CHECK(life.findings[0].act == "was ended by signal 11 (Segmentation fault) without being asked to");
  Life other;
  other.container(ContainerAction::oom);
  other.container(ContainerAction::died, 137);
  REQUIRE(other.findings.size() == 1);
  CHECK(other.findings[0].act == "ran out of memory and was killed by the kernel without being asked to");
}

TEST_CASE("a plain failure of a service that is not learned yet, as a one-shot's, weighs little") {
  Life young;
  young.container(ContainerAction::died, 1);
  REQUIRE(young.findings.size() == 1);
  CHECK(young.findings[0].score == 2);
  Life grown;
  grown.grow_up();
  grown.container(ContainerAction::died, 1);
  REQUIRE(grown.findings.size() == 1);
  CHECK(grown.findings[0].score == 7);
  Life killed; // by a signal: no one-shot ends so
  killed.container(ContainerAction::died, 139);
  REQUIRE(killed.findings.size() == 1);
  CHECK(killed.findings[0].score == 7);
}

TEST_CASE("dangerous settings from the start make one quiet alert, later ones a loud one") {
  Life life;
  ContainerChange listed;
  listed.action = ContainerAction::listed;
  listed.notes = {{"port:27017/tcp", "opens the MongoDB database", "T1133", 3.9, false},
                  {"root", "starts as root", "", 0, false}};
  life.see({.what = listed});
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].detector == "posture");
  CHECK(life.findings[0].severity == Severity::low);
  CHECK(life.findings[0].act == "opens the MongoDB database");
  CHECK(life.findings[0].observed == "It opens the MongoDB database. It also starts as root.");
  CHECK(life.findings[0].attack == std::vector<std::string>{"T1133"});
  listed.notes.erase(listed.notes.begin()); // nothing but what is usual
  life.see({.what = listed});
  CHECK(life.findings.size() == 1);
  ContainerChange changed;
  changed.action = ContainerAction::started;
  changed.notes = {{"port:80/tcp", "is reachable from outside", "T1133", 5, true},
                   {"privileged", "is privileged", "T1611", 8, true}};
  life.see({.what = changed});
  REQUIRE(life.findings.size() == 2);
  CHECK(life.findings[1].detector == "container.drift");
  CHECK(life.findings[1].severity == Severity::high);
  CHECK(life.findings[1].act == "was given more than it had: it now is privileged");
  CHECK(life.findings[1].observed == "It is reachable from outside; is privileged.");
  CHECK(life.findings[1].cause == "drift:privileged");
  ContainerChange fresh;
  fresh.action = ContainerAction::started;
  fresh.new_container = true;
  Life other{entity_of(EntityKind::service, "toolbox")};
  other.see({.what = fresh});
  REQUIRE(other.findings.size() == 1);
  CHECK(other.findings[0].detector == "container.drift");
  CHECK(other.findings[0].severity == Severity::medium);
  CHECK(other.findings[0].act == "is a new container on this gateway");
}

TEST_CASE("novelties of a first startup make one digest") {
  Life life;
  life.grow_up();
  life.container(ContainerAction::died, 0, true);
  life.container(ContainerAction::started);
  life.phase = Phase::startup;
  life.normal(); // what is normal in steady life is normal in a start
  CHECK(life.findings.empty());
  life.run({"/bin/sh", "launch.sh"}, "");
  life.run({"/usr/bin/mongo", "init_mongo.js"});
  life.call(life.mongo, 27017);
  CHECK(life.findings.empty());
  life.phase = Phase::steady;
  for (int i = 0; i < 4; ++i) {
    life.normal();
    life.close();
  }
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].act == "started in a way that was not seen before (3 new behaviours)");
  CHECK(life.findings[0].count == 3);
  CHECK(life.findings[0].severity == Severity::low);
}

TEST_CASE("an attack that lasts does not become normal while its alert is open") {
  Life life;
  life.grow_up();
  for (int i = 0; i < 12; ++i) {
    life.run({"/usr/bin/wget", "http://x/y"}, "/usr/bin/java");
    for (const auto& finding : life.findings)
      for (auto key : keys_in_cause(finding.cause))
        life.input.blocked.insert(key);
    life.live(1);
  }
  life.findings.clear();
  life.run({"/usr/bin/wget", "http://x/y"}, "/usr/bin/java");
  life.close();
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].score > 4); // nor does it make other new programs less surprising
}

TEST_CASE("a person may promote early and vouches for what was seen") {
  Life life;
  life.normal();
  life.close();
  life.input.force_promotion = true;
  life.train();
  life.normal();
  life.close();
  CHECK(life.findings.empty() == false); // nothing has been seen on two days yet
  life.findings.clear();
  life.live(4);
  life.findings.clear();
  life.normal();
  CHECK(life.findings.empty());
  life.call(life.thermostat, 47808);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].score == Approx(std::log2(14)));
}

TEST_CASE("ONVIF netscan and BACnet Who-Is are quiet once they were learned") {
  Life life{entity_of(EntityKind::service, "edgex-device-onvif-camera", "172.18.0.12")};
  auto discover = [&] {
    for (int host = 1; host < 255; ++host) {
      auto probe = life.flow(nullptr, ("10.77.0." + std::to_string(host)).c_str(), 3702, false, 900, 0);
      probe.protocol = 17;
      probe.state = FlowState::one_way;
      probe.packets_in = 0;
      life.see({.what = probe});
    }
    auto who_is = life.flow(nullptr, "255.255.255.255", 47808, false, 40, 0);
    who_is.protocol = 17;
    life.see({.what = who_is});
  };
  for (int i = 0; i < 36; ++i) {
    if (i % 2 == 0) discover();
    life.close();
    life.train();
  }
  REQUIRE(life.baseline->state_for("gw") == LearningState::monitoring);
  life.findings.clear();
  discover();
  life.close();
  CHECK(life.findings.empty());
  // The same probe from a service that never did it is told.
  Life other;
  other.grow_up();
  other.call("10.77.0.9", 3702);
  CHECK(other.findings.size() == 1);
}

TEST_CASE(
    "sys-mgmt-agent calls docker: quiet once learned; programs that a start script puts on a volume too") {
  Life life{entity_of(EntityKind::service, "edgex-sys-mgmt-agent", "172.18.0.14")};
  for (int i = 0; i < 36; ++i) {
    life.run({"/sys-mgmt-executor", "edgex-core-data", "metrics"}, "/sys-mgmt-agent");
    life.run({"/usr/bin/docker", "stats", "edgex-core-data", "--no-stream"}, "/sys-mgmt-executor");
    life.run({"/edgex-init/security-bootstrapper", "listenTcp"}, "/bin/sh", Origin::mount);
    life.close();
    life.train();
  }
  REQUIRE(life.baseline->state_for("gw") == LearningState::monitoring);
  CHECK(life.findings.front().detector == "process.origin");
  life.findings.clear();
  life.run({"/usr/bin/docker", "stats", "edgex-core-data", "--no-stream"}, "/sys-mgmt-executor");
  life.run({"/edgex-init/security-bootstrapper", "listenTcp"}, "/bin/sh", Origin::mount);
  CHECK(life.findings.empty());
  life.run({"/usr/bin/docker", "exec", "-it", "edgex-mongo", "sh"}, "/sys-mgmt-executor");
  CHECK(life.findings.size() == 1);
}

TEST_CASE("memory execution is never learned, a runtime's own is exempt by its parent") {
  Life life;
  for (int i = 0; i < 36; ++i) {
    life.run({"/memfd:x (deleted)"}, "/usr/bin/java", Origin::memory);
    life.normal();
    life.close();
    life.train();
  }
  life.findings.clear();
  life.run({"/memfd:x (deleted)"}, "/usr/bin/java", Origin::memory);
  REQUIRE(life.findings.size() == 1);
  CHECK(life.findings[0].severity == Severity::critical);
  CHECK(life.findings[0].act == "ran /memfd:x (deleted), which exists in memory only");
  life.findings.clear();
  Life fresh;
  ProcessStart runc;
  runc.process.exe = "/memfd:runc_cloned";
  runc.process.args = {"runc", "init"};
  runc.process.origin = Origin::memory;
  fresh.see({.what = runc});
  CHECK(fresh.findings.empty());
}

TEST_CASE("the same life gives the same findings") {
  auto play = [] {
    Life life;
    life.grow_up();
    life.run({"/usr/bin/ping", "x"});
    life.call(life.thermostat, 161);
    life.call("203.0.113.9", 443);
    life.close();
    std::string all;
    for (const auto& finding : life.findings)
      all += finding.detector + finding.cause + finding.expected + finding.observed +
             std::to_string(finding.score);
    return all;
  };
  CHECK(play() == play());
}
