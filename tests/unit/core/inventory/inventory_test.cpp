#include "core/inventory/inventory.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
IpAddress ip(const char* text) { return *parse_ip(text); }

ContainerFacts container(char letter, const std::string& name, const char* address) {
  ContainerFacts facts;
  facts.id = std::string(64, letter);
  facts.name = facts.service = name;
  facts.image = "edgexfoundry/" + name + ":1";
  facts.digest = "sha256:1";
  facts.running = true;
  facts.networks.push_back({"edgex-network", ip(address), {}, ""});
  return facts;
}
} // namespace

TEST_CASE("addresses belong to containers, the gateway, devices, and the internet") {
  Inventory inventory;
  inventory.set_gateway("gw-7", {ip("127.0.0.1"), ip("192.168.1.2"), ip("172.18.0.1")});
  inventory.set_lan({*parse_cidr("192.168.1.0/24")});
  inventory.set_container(container('a', "edgex-core-data", "172.18.0.3"));
  EdgexDevice tower{.name = "patlite1", .service = "edgex-device-snmp"};
  tower.addresses = {ip("192.168.1.103")};
  EdgexDevice second_unit = tower;
  second_unit.name = "a-unit";
  inventory.set_devices({tower, second_unit});

  CHECK(inventory.by_address(ip("172.18.0.3"))->name == "edgex-core-data");
  CHECK(inventory.by_address(ip("172.18.0.3"))->kind == EntityKind::service);
  CHECK(inventory.by_container(std::string(64, 'a')) == inventory.by_address(ip("172.18.0.3")));
  CHECK(inventory.by_address(ip("172.18.0.1")) == inventory.gateway());
  CHECK(inventory.by_address(ip("127.0.0.53")) == inventory.gateway());
  CHECK(inventory.gateway()->address == ip("192.168.1.2"));
  CHECK(inventory.by_address(ip("192.168.1.103"))->name ==
        "a-unit"); // many devices on one address: first by name
  CHECK(inventory.by_address(ip("192.168.1.77"))->kind == EntityKind::device);
  CHECK(inventory.by_address(ip("192.168.1.77"))->name == "192.168.1.77");
  CHECK(inventory.by_address(ip("192.168.1.77")) == inventory.by_address(ip("192.168.1.77")));
  CHECK(inventory.by_address(ip("192.168.1.255"))->name == "broadcast");
  CHECK(inventory.by_address(ip("255.255.255.255"))->name == "broadcast");
  CHECK(inventory.by_address(ip("239.255.255.250"))->name == "multicast 239.255.255.250");
  CHECK(inventory.by_address(ip("203.0.113.9"))->kind == EntityKind::internet);
  inventory.add_local(*parse_cidr("203.0.113.0/24"));
  CHECK(inventory.by_address(ip("203.0.113.9"))->kind == EntityKind::device);
  CHECK(inventory.by_container("unknown") == nullptr);
}

TEST_CASE("a gone container answers for late events until its address is used anew") {
  Inventory inventory;
  auto facts = container('a', "edgex-core-data", "172.18.0.3");
  facts.ports = {{"0.0.0.0", 48080, 48080, 6}};
  inventory.set_container(facts);
  CHECK(inventory.by_published_port(48080, 6)->name == "edgex-core-data");
  CHECK(inventory.published_to(48080, 6) == 48080);
  CHECK(inventory.by_published_port(48080, 17) == nullptr);
  auto stopped = facts;
  stopped.running = false;
  stopped.networks[0].address = {};
  inventory.set_container(stopped); // stopped: the engine shows no address any more
  CHECK(inventory.by_address(ip("172.18.0.3"))->name == "edgex-core-data");
  CHECK(inventory.by_published_port(48080, 6) == nullptr);
  inventory.remove_container(facts.id);
  CHECK(inventory.by_address(ip("172.18.0.3"))->name == "edgex-core-data");
  CHECK(inventory.by_container(facts.id)->name == "edgex-core-data");
  CHECK(inventory.containers() == 0);
  inventory.set_container(container('b', "edgex-core-command", "172.18.0.3"));
  CHECK(inventory.by_address(ip("172.18.0.3"))->name == "edgex-core-command");
  CHECK(inventory.by_container(facts.id)->name == "edgex-core-data");
}

TEST_CASE("an address on the internet that EdgeX gives a device stays the internet") {
  Inventory inventory;
  EdgexDevice thermostat;
  thermostat.name = "KMC-thermostat";
  thermostat.addresses = {ip("192.168.1.20"), ip("203.0.113.9"), ip("2001:db8:1::9"), ip("fe80::9")};
  inventory.set_devices({thermostat});
  CHECK(inventory.by_address(ip("192.168.1.20"))->name == "KMC-thermostat");
  CHECK(inventory.by_address(ip("fe80::9"))->name == "KMC-thermostat");
  for (const char* outside : {"203.0.113.9", "2001:db8:1::9"}) {
    CHECK(inventory.by_address(ip(outside))->kind == EntityKind::internet);
    CHECK(inventory.by_address(ip(outside))->name == outside);
  }
  // A LAN that has public addresses, and a network that an operator calls ours.
  inventory.set_lan({*parse_cidr("203.0.113.0/24")});
  CHECK(inventory.by_address(ip("203.0.113.9"))->name == "KMC-thermostat");
  CHECK(inventory.by_address(ip("203.0.113.10"))->kind == EntityKind::device);
  inventory.add_local(*parse_cidr("2001:db8:1::/48"));
  CHECK(inventory.by_address(ip("2001:db8:1::9"))->name == "KMC-thermostat");
}

TEST_CASE("host network services are listed") {
  Inventory inventory;
  auto facts = container('a', "edgex-device-onvif-camera", "0.0.0.0");
  facts.network_mode = "host";
  inventory.set_container(facts);
  REQUIRE(inventory.on_host_network().size() == 1);
  inventory.remove_container(facts.id);
  CHECK(inventory.on_host_network().empty());
}

TEST_CASE("everything kept on demand is bounded") {
  Inventory inventory;
  auto first = inventory.by_address(IpAddress::v4(0x01000000));
  for (std::uint32_t i = 0; i < 10'000; ++i)
    (void)inventory.by_address(IpAddress::v4(0x01000000 + i));
  CHECK(inventory.evicted() == 10'000 - Inventory::on_demand_limit);
  CHECK(inventory.by_address(IpAddress::v4(0x01000000)) !=
        first); // forgotten and made anew; holders keep the old one
  CHECK(first->name == "1.0.0.0");
  for (int i = 0; i < 2000; ++i) {
    auto facts = container('a', "x", "172.18.0.3");
    auto digits = std::to_string(i);
    facts.id.replace(0, digits.size(), digits);
    inventory.set_container(facts);
    inventory.remove_container(facts.id);
  }
  CHECK(inventory.facts("0" + std::string(63, 'a')) == nullptr);
  CHECK(inventory.facts("1999" + std::string(60, 'a')) != nullptr);
}

TEST_CASE("inventory files") {
  auto entries = parse_inventory(
      "# names\n\n192.168.1.20 kmc-thermostat\n10.0.0.1\tgw gateway # us\r\nfd00::1 x service", "names.txt");
  REQUIRE(entries);
  REQUIRE(entries->size() == 3);
  CHECK(entries->at(0).kind == EntityKind::device);
  CHECK(entries->at(1).kind == EntityKind::gateway);
  CHECK(entries->at(2).kind == EntityKind::service);
  Inventory inventory;
  inventory.set_names(*entries);
  CHECK(inventory.by_address(ip("192.168.1.20"))->name == "kmc-thermostat");
  CHECK(inventory.gateway()->name == "gw");

  struct Row {
    const char* text;
    const char* message;
  };
  const Row rows[] = {
      {"\n192.168.1.300 x", "names.txt:2: \"192.168.1.300\" is not an IPv4 or IPv6 address"},
      {"192.168.1.3", "names.txt:1: expected ADDRESS NAME [service|device|gateway]"},
      {"192.168.1.3 a b c", "names.txt:1: expected ADDRESS NAME [service|device|gateway]"},
      {"192.168.1.3 a printer", "names.txt:1: \"printer\" is none of service, device, gateway"},
      {"10.0.0.1 a\n10.0.0.1 b", "names.txt:2: 10.0.0.1 was named on line 1 already"},
  };
  for (const auto& row : rows) {
    auto result = parse_inventory(row.text, "names.txt");
    REQUIRE_FALSE(result);
    CHECK(result.error().message == row.message);
  }
}
