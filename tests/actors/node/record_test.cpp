#include "core/alert/codec.hpp"
#include "core/base/clock_line.hpp"
#include "node/replay/replay.hpp"
#include "tests/actors/node/router_world.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<Recorder> recorder_to(const std::string& path) {
  auto recorder = Recorder::start(path, {});
  REQUIRE(recorder.ok());
  return *recorder;
}

Flow flow_of(const char* src, const char* dst, std::uint16_t dport, Timestamp at) {
  Flow flow;
  flow.src = *parse_ip(src);
  flow.dst = *parse_ip(dst);
  flow.sport = 40'000;
  flow.dport = dport;
  flow.protocol = 6;
  flow.state = FlowState::closed;
  flow.last_report = true;
  flow.packets_out = flow.packets_in = 5;
  flow.bytes_out = flow.bytes_in = 900;
  flow.payload_out = flow.payload_in = 600;
  flow.first = at - second;
  flow.last = at;
  return flow;
}

TrafficAlarm scan(Timestamp at) {
  TrafficAlarm alarm;
  alarm.kind = TrafficKind::port_scan;
  alarm.src = *parse_ip("172.18.0.2");
  alarm.dst = *parse_ip("10.0.0.7");
  alarm.protocol = 6;
  alarm.distinct = alarm.tries = alarm.fresh = 20;
  alarm.first = at - second;
  alarm.last = at;
  return alarm;
}

/// The service runs one program and talks to nobody; nothing else is normal.
Baseline strict_baseline(const char* profile) {
  Baseline baseline;
  baseline.profile = profile;
  baseline.version = 1;
  baseline.fleet.progress.state = LearningState::monitoring;
  baseline.fleet.gateways = 3;
  for (auto& stat : baseline.fleet.stats)
    stat = {0, 30};
  return baseline;
}

/// In small steps, so that timers strike at the time that they see.
void live(Node& node, std::chrono::milliseconds span) {
  node.settle();
  for (; span > 0ms; span -= 100ms)
    node.live(std::min(span, std::chrono::milliseconds{100ms}));
}

/// A day in a gateway's life, in which much goes wrong.
void live_through(Node& node) {
  caf::anon_send(node.router,
                 make_ref(HostAddresses{{*parse_ip("10.0.0.1")}, {*parse_cidr("10.0.0.0/24")}, {}, 0}));
  caf::anon_send(node.router, make_ref(DeviceList{{{"kmc-thermostat",
                                                    "device-bacnet",
                                                    "KMC",
                                                    {},
                                                    "BACnet-IP",
                                                    {*parse_ip("10.0.0.7")},
                                                    {},
                                                    47'808}}}));
  node.run('b', "/usr/bin/socat"); // its container is told of later
  live(node, 1'300ms);
  node.container('a', "172.18.0.2", ContainerAction::started);
  node.container('b', "172.18.0.3", ContainerAction::started);
  node.run('a', "/usr/bin/nmap");
  node.run('c', "/usr/bin/nmap"); // of one that the engine never tells of
  for (int i = 0; i < 12; ++i) {
    live(node, 3'700ms);
    node.run('a', "/usr/bin/nmap");
    node.settle();
  }
  caf::anon_send(node.router,
                 make_ref(HealthBatch{{{"process", "dropped", 7, node.now, "ring full"}}, node.now}));
  FlowBatch traffic;
  traffic.alarms = {scan(node.now)};
  traffic.answers = {{*parse_ip("172.18.0.2"),
                      *parse_ip("10.0.0.1"),
                      node.now,
                      {"evil.example", {*parse_ip("198.51.100.7")}}}};
  traffic.flows = {flow_of("172.18.0.2", "198.51.100.7", 443, node.now)};
  caf::anon_send(node.router, make_ref(traffic));
  live(node, 130'100ms); // startup is over
  caf::anon_send(node.router, make_ref(strict_baseline("edgex-support-logging@sha256:1")));
  node.settle();
  node.run('a', "/bin/nice");
  traffic.alarms.clear();
  traffic.flows = {flow_of("172.18.0.2", "198.51.100.7", 443, node.now),
                   flow_of("172.18.0.2", "10.0.0.7", 47'808, node.now)};
  caf::anon_send(node.router, make_ref(traffic));
  live(node, 5'200ms);
  node.wall_shift = 3'600 * second;
  caf::anon_send(
      node.router,
      make_ref(HealthBatch{{{"clock", clock_jump, 0, node.now, describe_jump(node.wall_shift)}}, node.now}));
  live(node, 20s);
  node.run('b', "/usr/bin/nmap");
  live(node, 7s);
  ContainerEvent died;
  died.id = Node::id('b');
  died.at = node.now;
  died.change.action = ContainerAction::died;
  died.change.exit_code = 139;
  caf::anon_send(node.router, make_ref(ContainerBatch{{}, {died}}));
  live(node, 21s);
}

std::vector<std::string> sorted(const std::vector<Finding>& findings) {
  std::vector<std::string> texts;
  for (const auto& finding : findings) {
    const auto bytes = encode(finding);
    texts.emplace_back(bytes.begin(), bytes.end());
  }
  std::sort(texts.begin(), texts.end());
  return texts;
}

struct Replayed {
  std::vector<Finding> findings;
  std::string alerts;
  std::vector<std::string> notes;
};

Replayed replay_of(const std::string& path) {
  Replayed found;
  ReplayOptions options;
  options.captures = {path};
  options.finding = [&](const Finding& finding) { found.findings.push_back(finding); };
  ReplayStats stats;
  auto alerts = replay(options, stats, [&](const std::string& line) { found.notes.push_back(line); });
  REQUIRE(alerts.ok());
  for (const auto& alert : *alerts)
    found.alerts += to_json(alert) + "\n";
  return found;
}

} // namespace

TEST_CASE("what was recorded live gives the same findings again, byte for byte on every run") {
  TempDir dir;
  const auto path = dir.path("recording");
  auto recorder = recorder_to(path);
  Node node{60 * second, 256, recorder};
  live_through(node);
  node.end();
  recorder->finish();
  CHECK(recorder->figures().lost.batches == 0);

  const auto first = replay_of(path), again = replay_of(path);
  CHECK(first.notes.empty());
  CHECK(first.alerts == again.alerts);
  const auto live = sorted(node.kept.findings), replayed = sorted(first.findings);
  std::set<std::string> detectors;
  for (const auto& finding : node.kept.findings)
    detectors.insert(finding.detector);
  CHECK(detectors == std::set<std::string>{"container.crash", "network.destination", "network.lateral",
                                           "network.scan", "process.novel", "process.tool", "sensor.health"});
  CHECK(live.size() == replayed.size());
  CHECK((live == replayed));
}

TEST_CASE("a recording that two lives of the program wrote is judged as two") {
  TempDir dir;
  const auto path = dir.path("recording");
  Timestamp now = 0;
  std::size_t findings = 0;
  for (int life = 0; life < 2; ++life) {
    auto recorder = recorder_to(path);
    Node node{60 * second, 256, recorder};
    if (life == 1) node.now = now + 600 * second;
    node.container('a', "172.18.0.2", ContainerAction::started);
    node.run('a', "/usr/bin/nmap");
    node.live(12s);
    now = node.now;
    node.end();
    recorder->finish();
    findings += node.kept.findings.size();
  }
  CHECK(findings == 2);
  CHECK(replay_of(path).findings.size() == findings);
}
