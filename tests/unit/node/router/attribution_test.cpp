#include "node/router/attribution.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

const std::string mongo_id(64, 'a'), logging_id(64, 'b');

ContainerFacts container(const std::string& id, const char* name, const char* address) {
  ContainerFacts facts;
  facts.id = id;
  facts.name = facts.service = name;
  facts.digest = "sha256:1";
  facts.running = true;
  ContainerNetwork network;
  network.name = "edgex-network";
  network.address = *parse_ip(address);
  facts.networks = {network};
  return facts;
}

Attribution gateway() {
  Attribution attribution;
  attribution.set_own_addresses("gw1", {*parse_ip("10.77.0.1"), *parse_ip("172.18.0.1")});
  attribution.inventory().set_lan({*parse_cidr("10.77.0.0/24")});
  auto mongo = container(mongo_id, "edgex-mongo", "172.18.0.2");
  PublishedPort port;
  port.host_ip = "0.0.0.0";
  port.host_port = port.container_port = 27017;
  mongo.ports = {port};
  attribution.inventory().set_container(mongo);
  attribution.inventory().set_container(container(logging_id, "edgex-support-logging", "172.18.0.3"));
  return attribution;
}

Flow flow(const char* src, const char* dst, std::uint16_t dport) {
  Flow made;
  made.src = *parse_ip(src);
  made.dst = *parse_ip(dst);
  made.sport = 40'000;
  made.dport = dport;
  made.protocol = 6;
  made.packets_out = 3;
  made.packets_in = 2;
  return made;
}

} // namespace

TEST_CASE("a flow between two services is told to both") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.flow(flow("172.18.0.3", "172.18.0.2", 27017), InterfaceRole::bridge, out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].entity->name == "edgex-support-logging");
  CHECK(out[0].peer->name == "edgex-mongo");
  CHECK_FALSE(std::get<Flow>(out[0].what).inbound);
  CHECK(out[1].entity->name == "edgex-mongo");
  CHECK(std::get<Flow>(out[1].what).inbound);
}

TEST_CASE("translated traffic counts once, by the copy on the bridge") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.flow(flow("10.77.0.99", "10.77.0.1", 27017), InterfaceRole::lan, out);
  attribution.flow(flow("10.77.0.1", "10.77.0.99", 47808), InterfaceRole::lan, out);
  CHECK(out.empty());
  CHECK(attribution.counters().translated == 2);
  attribution.flow(flow("10.77.0.99", "172.18.0.2", 27017), InterfaceRole::bridge, out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].entity->kind == EntityKind::device);
  CHECK(out[1].entity->name == "edgex-mongo");
  CHECK(out[1].peer->name == "10.77.0.99");
}

TEST_CASE("a command to a device is told to the service that sent it and to the device, once") {
  auto attribution = gateway();
  FieldCommand command;
  command.src = *parse_ip("172.18.0.3");
  command.dst = *parse_ip("10.77.0.21");
  command.dport = 47808;
  command.protocol = 17;
  command.application = "BACnet";
  command.action = "write";
  command.function = "write property of analog-value";
  command.count = 2;
  command.first = command.last = second;
  std::vector<Observation> out;
  attribution.flow(flow("172.18.0.3", "10.77.0.21", 47808), InterfaceRole::bridge, out); // answered: real
  out.clear();
  attribution.command(command, InterfaceRole::bridge, out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].entity->name == "edgex-support-logging");
  CHECK(out[0].peer->name == "10.77.0.21");
  CHECK_FALSE(std::get<FieldCommand>(out[0].what).inbound);
  CHECK(out[1].entity->kind == EntityKind::device);
  CHECK(std::get<FieldCommand>(out[1].what).inbound);

  auto copy = command; // after the gateway put its own address in
  copy.src = *parse_ip("10.77.0.1");
  out.clear();
  attribution.command(copy, InterfaceRole::lan, out);
  CHECK(out.empty());

  auto forged = command; // nobody knows this sender, and UDP needs no answer to be sent
  forged.src = *parse_ip("10.77.0.200");
  attribution.command(forged, InterfaceRole::lan, out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].entity->name == "10.77.0.21");
}

TEST_CASE("answers that a bridged LAN shows already translated are no scan of the container") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.flow(flow("10.77.0.22", "172.18.0.3", 40'001), InterfaceRole::lan, out);
  CHECK(out.empty());
  CHECK(
      attribution.is_other_copy(*parse_ip("10.77.0.22"), *parse_ip("172.18.0.3"), 0, 17, InterfaceRole::lan));
  CHECK_FALSE(attribution.is_other_copy(*parse_ip("10.77.0.22"), *parse_ip("172.18.0.3"), 0, 17,
                                        InterfaceRole::bridge));
}

TEST_CASE("regression: a made-up address is no device until it took part in an exchange") {
  auto attribution = gateway();
  std::vector<Observation> out;
  auto spray = [&](std::uint8_t protocol) {
    auto made = flow("10.77.0.50", "10.77.0.51", 9'999);
    made.protocol = protocol;
    made.state = protocol == 6 ? FlowState::opening : FlowState::one_way;
    made.packets_in = 0;
    made.packets_out = 1;
    for (std::uint32_t i = 0; i < 3'000; ++i) {
      made.src = IpAddress::v4(0x0a4d0100U + i);
      attribution.flow(made, InterfaceRole::lan, out);
    }
  };
  spray(17);
  spray(6);
  // One packet from a well-known port looks like an answer, of which the question was not seen.
  auto answer = flow("10.77.0.52", "10.77.0.53", 53);
  answer.protocol = 17;
  answer.packets_out = 0;
  attribution.flow(answer, InterfaceRole::lan, out);
  CHECK(out.empty());
  CHECK(attribution.counters().strangers == 6'001);
  // A service answers a forged opening; that proves the service, not the caller.
  auto forged = flow("10.77.0.60", "172.18.0.2", 27017);
  forged.state = FlowState::opening;
  forged.packets_out = 1;
  forged.packets_in = 1;
  attribution.flow(forged, InterfaceRole::bridge, out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].entity->name == "edgex-mongo");
  out.clear();
  // Once it spoke it is a device, whatever it does then.
  attribution.flow(flow("10.77.0.60", "172.18.0.2", 27017), InterfaceRole::bridge, out);
  CHECK(out.size() == 2);
  out.clear();
  forged = flow("10.77.0.60", "203.0.113.9", 443);
  forged.packets_in = 0;
  attribution.flow(forged, InterfaceRole::lan, out);
  CHECK(out.size() == 1);
  out.clear();
  // EdgeX's own devices need no proof.
  EdgexDevice thermostat;
  thermostat.name = "KMC-thermostat";
  thermostat.addresses = {*parse_ip("10.77.0.70")};
  attribution.inventory().set_devices({thermostat});
  forged = flow("10.77.0.70", "203.0.113.9", 443);
  forged.packets_in = 0;
  attribution.flow(forged, InterfaceRole::lan, out);
  CHECK(out.size() == 1);
}

TEST_CASE("a device's flow through the gateway is the device's") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.flow(flow("10.77.0.20", "203.0.113.9", 443), InterfaceRole::lan, out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].entity->kind == EntityKind::device);
  CHECK(out[0].peer->kind == EntityKind::internet);
}

namespace {

DnsSeen told(const char* client, std::string name, const IpAddress& address) {
  return {*parse_ip(client), *parse_ip("198.51.100.53"), 0, {std::move(name), {address}}};
}

} // namespace

TEST_CASE("a name that one service was told names an address for nobody else") {
  auto attribution = gateway();
  const auto outside = *parse_ip("198.51.100.10"), mongo = *parse_ip("172.18.0.2"),
             logging = *parse_ip("172.18.0.3");
  std::vector<Observation> lookups;
  attribution.lookup(told("172.18.0.2", "export.example.com", outside), InterfaceRole::bridge, lookups);
  CHECK(attribution.entity_at(outside, mongo)->name == "export.example.com");
  CHECK(attribution.entity_at(outside, mongo)->kind == EntityKind::internet);
  CHECK(attribution.entity_at(outside, mongo) == attribution.entity_at(outside, mongo));
  CHECK(attribution.entity_at(outside, logging)->name == "198.51.100.10");
  // Neither a service nor a LAN device gets another name by it.
  attribution.lookup(told("172.18.0.2", "a.example.com", logging), InterfaceRole::bridge, lookups);
  CHECK(attribution.entity_at(logging, mongo)->name == "edgex-support-logging");
  std::vector<Observation> out;
  attribution.flow(flow("172.18.0.2", "198.51.100.10", 443), InterfaceRole::bridge, out);
  attribution.flow(flow("172.18.0.3", "198.51.100.10", 443), InterfaceRole::bridge, out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].peer->name == "export.example.com");
  CHECK(out[1].peer->name == "198.51.100.10");
}

TEST_CASE("the table of names is bounded, and who is told many names loses only his own") {
  auto attribution = gateway();
  const auto outside = *parse_ip("198.51.100.10");
  std::vector<Observation> lookups;
  attribution.lookup(told("172.18.0.2", "export.example.com", outside), InterfaceRole::bridge, lookups);
  attribution.lookup(told("172.18.0.3", "export.example.com", outside), InterfaceRole::bridge, lookups);
  for (std::uint32_t i = 0; i < 2 * NameBook::address_limit; ++i)
    attribution.lookup(told("172.18.0.3", "n" + std::to_string(i), IpAddress::v4(0xcb007100 + i)),
                       InterfaceRole::bridge, lookups);
  CHECK(attribution.entity_at(outside, *parse_ip("172.18.0.2"))->name == "export.example.com");
  CHECK(attribution.entity_at(outside, *parse_ip("172.18.0.3"))->name == "198.51.100.10");
  CHECK(attribution.names().evicted() == NameBook::address_limit + 1);
  for (std::uint32_t i = 0; i < NameBook::client_limit; ++i)
    attribution.lookup(told(to_string(IpAddress::v4(0x0a4d0064 + i)).c_str(), "n", outside),
                       InterfaceRole::bridge, lookups);
  CHECK(attribution.entity_at(outside, *parse_ip("172.18.0.2"))->name == "198.51.100.10");
}

TEST_CASE("a lookup is an observation of the service or device that made it") {
  auto attribution = gateway();
  const auto outside = *parse_ip("198.51.100.10");
  std::vector<Observation> out;
  auto mixed = told("172.18.0.3", "x.example.com", *parse_ip("10.77.0.21"));
  attribution.lookup(mixed, InterfaceRole::bridge, out); // a local name
  attribution.lookup({mixed.client, mixed.server, 0, {"x.example.com.lan", {}}}, InterfaceRole::bridge, out);
  attribution.lookup(told("10.77.0.1", "x.example.com", outside), InterfaceRole::lan, out); // masqueraded
  attribution.lookup(told("203.0.113.1", "x.example.com", outside), InterfaceRole::lan, out);
  CHECK(out.empty());
  mixed.answer.addresses.push_back(outside);
  mixed.at = 7 * second;
  attribution.lookup(mixed, InterfaceRole::bridge, out);
  attribution.lookup(told("10.77.0.21", "x.example.com", outside), InterfaceRole::lan, out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].entity->name == "edgex-support-logging");
  CHECK(out[0].at == 7 * second);
  CHECK(std::get<DnsAnswer>(out[0].what).name == "x.example.com");
  CHECK(std::get<DnsAnswer>(out[0].what).addresses == std::vector{outside});
  CHECK(out[1].entity->kind == EntityKind::device);
}

TEST_CASE("the monitor's own questions are nobody's habit") {
  auto attribution = gateway();
  attribution.set_own_target(*parse_ip("172.18.0.3"), 48081);
  std::vector<Observation> out;
  attribution.flow(flow("172.18.0.1", "172.18.0.3", 48081), InterfaceRole::bridge, out);
  CHECK(out.empty());
  CHECK(attribution.counters().own == 1);
}

TEST_CASE("startup lasts while programs are being started, and not for ever") {
  PhaseClock phases;
  TimeScale scale;
  scale.startup = 8 * second;
  phases.set_scale(scale);
  phases.started("c", 0);
  CHECK(phases.phase_of("c", 7 * second) == Phase::startup);
  phases.exec("c", 7 * second);
  CHECK(phases.phase_of("c", 8 * second) == Phase::startup);
  CHECK(phases.phase_of("c", 10 * second) == Phase::steady);
  for (int i = 8; i < 60; ++i)
    phases.exec("c", i * second);
  CHECK(phases.phase_of("c", 41 * second) == Phase::steady);
  CHECK(phases.phase_of("unknown", 1) == Phase::steady);
}

TEST_CASE("a program in a steady container does not make it start up again") {
  PhaseClock phases;
  phases.started("c", 0);
  phases.exec("c", 1'000 * second);
  CHECK(phases.phase_of("c", 1'000 * second) == Phase::steady);
}

namespace {
SocketEvent opened_port(const std::string& container, std::uint16_t port, bool bound = true) {
  SocketEvent event;
  event.action = SocketAction::listening;
  event.bound = bound;
  event.use.listening = event.use.host_network = true;
  event.use.container = container;
  event.use.local_port = port;
  event.use.at = 100 * second;
  event.use.exe = "/usr/bin/mongod";
  return event;
}
} // namespace

TEST_CASE("a service that listens is told once, and again by every look") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.socket(opened_port(mongo_id, 27017), out);
  auto look = opened_port(mongo_id, 27017);
  look.looked_up = true;
  attribution.socket(look, out);
  REQUIRE(out.size() == 2);
  CHECK(out[0].entity->name == "edgex-mongo");
  CHECK(std::get<Listen>(out[0].what).port == 27017);
  CHECK_FALSE(std::get<Listen>(out[0].what).again);
  CHECK(std::get<Listen>(out[1].what).again);
  // Not of the host, nor of a container that nobody knows yet.
  attribution.socket(opened_port("", 22), out);
  attribution.socket(opened_port(std::string(64, 'f'), 80), out);
  CHECK(out.size() == 2);
  CHECK(attribution.sockets().find("", 6, *parse_ip("10.77.0.1"), 27017, *parse_ip("10.77.0.9"), 50'000,
                                   101 * second) != nullptr);
  attribution.sockets_gone(mongo_id);
  CHECK(attribution.sockets().find("", 6, *parse_ip("10.77.0.1"), 27017, *parse_ip("10.77.0.9"), 50'000,
                                   101 * second) == nullptr);
  attribution.socket(look, out);
  REQUIRE(out.size() == 3);
  CHECK_FALSE(std::get<Listen>(out[2].what).again); // it began anew
}

TEST_CASE("a port that the kernel chose is known as such to the looks that come after") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.socket(opened_port(mongo_id, 41'234, false), out);
  auto look = opened_port(mongo_id, 41'234);
  look.looked_up = true;
  attribution.socket(look, out);
  REQUIRE(out.size() == 2);
  CHECK(std::get<Listen>(out[1].what).chosen_by_kernel);
}

TEST_CASE("health checks do not keep a container in its startup") {
  auto attribution = gateway();
  attribution.phases().set_scale({.startup = 60 * second});
  attribution.phases().started(mongo_id, 0);
  std::vector<Observation> out;
  ProcessStart probe;
  probe.process.exe = "/bin/sh";
  probe.process.health_check = true;
  for (int i = 1; i <= 14; ++i)
    attribution.process(mongo_id, i * 5 * second, 0, probe, out);
  CHECK(out.back().phase == Phase::steady);
}

TEST_CASE("a flow of a container on the host's network is its own, by who has the socket") {
  auto attribution = gateway();
  const std::string snmp_id(64, 'd');
  auto snmp = container(snmp_id, "edgex-device-snmp", "172.18.0.9");
  snmp.networks.clear();
  snmp.network_mode = "host";
  attribution.inventory().set_container(snmp);
  auto poll = flow("10.77.0.1", "10.77.0.20", 161);
  poll.protocol = 17;
  poll.last = 100 * second;
  std::vector<Observation> out;
  attribution.flow(poll, InterfaceRole::lan, out);
  CHECK(out.empty()); // nobody's, as far as is known: masqueraded, or the host's
  SocketEvent sent;
  sent.use.protocol = 17;
  sent.use.host_network = true;
  sent.use.container = snmp_id;
  sent.use.local = poll.src;
  sent.use.local_port = poll.sport;
  sent.use.remote = poll.dst;
  sent.use.remote_port = 161;
  sent.use.at = 99 * second;
  attribution.socket(sent, out);
  attribution.flow(poll, InterfaceRole::lan, out);
  REQUIRE_FALSE(out.empty());
  CHECK(out[0].entity->name == "edgex-device-snmp");
  CHECK_FALSE(std::get<Flow>(out[0].what).inbound);
  CHECK(attribution.counters().by_socket == 1);
  // Another flow from the same port, of what is masqueraded there.
  auto other = poll;
  other.dst = *parse_ip("10.77.0.21");
  out.clear();
  attribution.flow(other, InterfaceRole::lan, out);
  CHECK(out.empty());

  // And a caller from the LAN to what it listens on.
  auto listens = opened_port(snmp_id, 49'989);
  attribution.socket(listens, out);
  out.clear();
  auto call = flow("10.77.0.50", "10.77.0.1", 49'989);
  call.last = 101 * second;
  attribution.flow(call, InterfaceRole::lan, out);
  REQUIRE_FALSE(out.empty());
  CHECK(std::any_of(out.begin(), out.end(), [](const Observation& observation) {
    return observation.entity->name == "edgex-device-snmp" && std::get<Flow>(observation.what).inbound;
  }));
}

TEST_CASE(
    "the name that a TLS client asks for tells the names of one address apart, and is no proof by itself") {
  auto attribution = gateway();
  std::vector<Observation> out;
  const auto service = *parse_ip("172.18.0.3"), outside = *parse_ip("203.0.113.9");
  auto told = [&](const char* name) {
    attribution.lookup({service, *parse_ip("172.18.0.1"), 0, {name, {outside}}}, InterfaceRole::bridge, out);
  };
  auto peer = [&](const char* asked) {
    out.clear();
    auto made = flow("172.18.0.3", "203.0.113.9", 443);
    if (asked != nullptr) made.server_name = std::make_shared<const std::string>(asked);
    attribution.flow(made, InterfaceRole::bridge, out);
    REQUIRE(out.size() == 1);
    return out[0].peer;
  };
  CHECK(peer(nullptr)->name == "203.0.113.9");
  CHECK(peer("mirror.example")->name == "mirror.example (by TLS only)");
  CHECK(peer("mirror.example") == peer("mirror.example")); // the same, so that it need not be looked at again
  CHECK(peer(nullptr)->name == "203.0.113.9");
  told("mirror.example");
  told("cdn.example");
  CHECK(peer(nullptr)->name == "cdn.example");
  CHECK(peer("mirror.example")->name == "mirror.example");
  CHECK(peer("evil.example")->name == "evil.example (by TLS only)"); // another name than a friend's
  for (int i = 0; i < 10; ++i)
    told(("n" + std::to_string(i) + ".example").c_str());
  CHECK(peer("mirror.example")->name == "mirror.example (by TLS only)"); // bounded: the oldest are forgotten
  CHECK(peer("n9.example")->name == "n9.example");
}

TEST_CASE("what a device calls itself is shown, and changes nobody's identity") {
  auto attribution = gateway();
  std::vector<Observation> out;
  attribution.device_name({*parse_ip("10.77.0.33"), 0, "hue-bridge"});
  attribution.device_name({*parse_ip("203.0.113.9"), 0, "printer"});
  attribution.device_name({*parse_ip("172.18.0.2"), 0, "printer"});
  attribution.flow(flow("10.77.0.33", "203.0.113.9", 443), InterfaceRole::lan, out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].entity->name == "10.77.0.33");
  CHECK(out[0].entity->alias == "hue-bridge");
  CHECK(profile_of(*out[0].entity) == "device:10.77.0.33");
  CHECK(out[0].peer->alias.empty());
  CHECK(attribution.inventory().by_address(*parse_ip("172.18.0.2"))->alias.empty());
  auto& inventory = attribution.inventory();
  for (std::uint32_t i = 0; i < Inventory::alias_limit; ++i)
    inventory.hear_alias(IpAddress::v4(0x0a4d0100U + i), "a");
  CHECK(inventory.by_address(*parse_ip("10.77.0.33"))->alias.empty()); // the one heard of first goes
}
