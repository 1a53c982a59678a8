#include "tests/actors/node/router_world.hpp"

#include "actors/query.hpp"
#include "actors/terms.hpp"
#include "core/base/clock_line.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

TEST_CASE("a finding names the container that did it, not the first one of its service") {
  Node node;
  node.container('a', "172.18.0.2", ContainerAction::started);
  node.run('a', "/usr/bin/nmap");
  node.settle();
  node.container('a', "172.18.0.2", ContainerAction::removed);
  node.container('b', "172.18.0.9", ContainerAction::started);  // made anew
  node.container('c', "172.18.0.10", ContainerAction::started); // and a replica
  node.live(12s);
  for (char digit : {'b', 'c'}) {
    node.live(30s);
    node.run(digit, "/usr/bin/nmap");
    node.settle();
  }
  REQUIRE(node.kept.findings.size() == 3);
  CHECK(node.kept.findings[0].entity.container == Node::id('a'));
  CHECK(node.kept.findings[1].entity.container == Node::id('b'));
  CHECK(to_string(node.kept.findings[1].entity.address) == "172.18.0.9");
  CHECK(node.kept.findings[2].entity.container == Node::id('c'));
  // The pair lives as long as one of them does.
  node.live(200s);
  CHECK(node.ask<Ref<InspectAnswer>>(node.router, atom::inspect_v)->json.find("\"pairs\":1") !=
        std::string::npos);
  node.live(11s);
  CHECK(node.kept.deltas.back().entity.container == Node::id('c'));
}

TEST_CASE("a router that follows a crashed one knows the containers") {
  Node node;
  node.container('a', "172.18.0.2", ContainerAction::started);
  node.container('b', "172.18.0.3", ContainerAction::started);
  node.container('b', "172.18.0.3", ContainerAction::removed);
  caf::anon_send_exit(node.router, caf::exit_reason::kill);
  node.settle();
  node.start_router();
  node.run('a', "/usr/bin/nmap");
  node.settle();
  REQUIRE(node.kept.findings.size() == 1);
  CHECK(node.kept.findings[0].entity.name == "edgex-support-logging"); // at once, and not by its id
  CHECK(node.world->memory->containers.size() == 1);
}

TEST_CASE("a clock that is set an hour does not break windows or order, and is told") {
  const auto by = GENERATE(Duration{3'600} * second, Duration{-3'600} * second, -second);
  Node node;
  node.container('a', "172.18.0.2", ContainerAction::started);
  const auto start = node.now;
  auto live = [&](int seconds) {
    while (seconds-- > 0)
      node.live(1s);
  };
  live(12);
  node.run('a', "/usr/bin/nmap");
  live(3); // within a window
  node.wall_shift = by;
  caf::anon_send(node.router,
                 make_ref(HealthBatch{{{"clock", clock_jump, 0, node.now, describe_jump(by)}}, node.now}));
  node.run('a', "/usr/bin/nmap");
  live(30);
  node.end();
  std::uint64_t seen = 0;
  for (const auto& delta : node.kept.deltas) {
    CHECK(delta.until - delta.from <= 12 * second);
    CHECK(delta.from >= start + std::min<Duration>(by, 0));
    CHECK(delta.until <= node.now + std::max<Duration>(by, 0));
    for (const auto& key : delta.keys)
      if (key.family == Family::exec) {
        seen += key.count;
        CHECK(key.first >= delta.from);
        CHECK(key.last <= delta.until);
      }
  }
  CHECK(seen == 2);
  REQUIRE(node.kept.deltas.size() >= 2);
  for (std::size_t i = 1; i < node.kept.deltas.size(); ++i) {
    const auto step = node.kept.deltas[i].from - node.kept.deltas[i - 1].from;
    CHECK((step < 60 * second || step > 3'000 * second || step < -3'000 * second));
  }
  const auto& findings = node.kept.findings;
  auto told = std::find_if(findings.begin(), findings.end(),
                           [](const Finding& f) { return f.detector == "sensor.health"; });
  REQUIRE(told != findings.end());
  CHECK(told->entity.kind == EntityKind::gateway);
  CHECK(told->last == start + 15 * second + by); // wall time
  CHECK(told->act == "had its clock set " + describe_jump(by));
}

TEST_CASE("what a window holds is delivered when its pair retires and when the node stops") {
  for (bool retires : {true, false}) {
    CAPTURE(retires);
    Node node{second};
    node.container('a', "172.18.0.2", ContainerAction::started);
    for (int i = 0; i < 5; ++i)
      node.run('a', "/usr/bin/nmap");
    if (retires) {
      node.settle();
      node.container('a', "172.18.0.2", ContainerAction::removed);
      node.live(2s); // the window is not over
    } else {
      node.settle(1); // the router has handed them on, or not even that
      node.ask<Ref<InspectAnswer>>(node.router, atom::inspect_v);
      node.end();
    }
    std::uint64_t seen = 0, told = 0;
    for (const auto& delta : node.kept.deltas)
      for (const auto& key : delta.keys)
        if (key.family == Family::exec) seen += key.count;
    for (const auto& finding : node.kept.findings)
      told += finding.count;
    CHECK(seen == 5);
    CHECK(told == 5); // the first at once, the rest with the window's end
  }
}

TEST_CASE("regression: what waits for the pairs is bounded in observations, and the rest is told as a loss") {
  Node node;
  node.container('a', "172.18.0.2", ContainerAction::started);
  auto figure = [&](const std::string& name) {
    auto json = node.ask<Ref<InspectAnswer>>(node.router, atom::inspect_v)->json;
    return std::stoull(json.substr(json.find("\"" + name + "\":") + name.size() + 3));
  };
  ProcessEvent event;
  event.container = Node::id('a');
  event.at = node.now;
  event.what = ProcessStart{};
  for (std::uint64_t i = 0; i < 3; ++i)
    caf::anon_send(node.router, make_ref(ProcessBatch{std::vector<ProcessEvent>(20'000, event)}));
  node.settle(3); // the router hands on; the pair has done nothing yet
  CHECK(figure("overflow") == 20'000);
  node.settle();
  CHECK(figure("waiting") == 0);
  caf::anon_send(node.router, make_ref(ProcessBatch{std::vector<ProcessEvent>(60'000, event)}));
  node.settle(); // one batch beyond the limit, and nothing before it
  CHECK(figure("overflow") == 20'000);
}

TEST_CASE("regression: devices that came first do not blind the router for those that come later") {
  Node node{60 * second, 4};
  auto talk = [&](const std::string& device) {
    FlowBatch batch;
    batch.role = InterfaceRole::lan;
    Flow flow;
    flow.src = *parse_ip(device);
    flow.dst = *parse_ip("203.0.113.9");
    flow.protocol = 6;
    flow.dport = 443;
    flow.packets_out = flow.packets_in = 3;
    flow.last = node.now;
    batch.flows = {flow};
    caf::anon_send(node.router, make_ref(std::move(batch)));
    node.settle();
  };
  auto json = [&] { return node.ask<Ref<InspectAnswer>>(node.router, atom::inspect_v)->json; };
  for (int i = 1; i <= 6; ++i)
    talk("10.77.0." + std::to_string(i));
  CHECK(json().find("\"pairs\":4") != std::string::npos);
  CHECK(json().find("\"without_pair\":2") != std::string::npos);
  node.live(40s);
  talk("10.77.0.9");
  CHECK(json().find("\"retired\":1") != std::string::npos);
  CHECK(json().find("\"without_pair\":2") != std::string::npos);
}

TEST_CASE("a full mailbox does not stop an actor's clock") {
  Node node;
  auto world = std::make_shared<PairWorld>();
  world->entity = std::make_shared<Entity>(Entity{EntityKind::service, "edgex-mongo"});
  world->losses = std::make_shared<LossLedger>();
  world->spool.set(node.spool);
  world->now = [&node] { return node.now; };
  auto collector = spawn_in<CollectorActor, CollectorState>(
      node.system, node.directory, {.kind = "collector", .bound = 5}, collector_actor,
      std::shared_ptr<const PairWorld>{world}, Slot<ScorerActor>{});
  node.settle();
  for (int i = 0; i < 12; ++i)
    caf::anon_send(collector, make_ref(LinkTerms{}));
  node.scheduler.clock().advance_time(1s); // its tick is due now
  node.settle();
  node.live(12s);
  CHECK_FALSE(node.kept.deltas.empty());
  caf::anon_send_exit(collector, caf::exit_reason::user_shutdown);
  node.settle();
}
