#include "node/host_interfaces.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

HostInterface interface(const char* name, const char* address, const char* network) {
  HostInterface made;
  made.name = name;
  made.address = *parse_ip(address);
  made.network = *parse_cidr(network);
  made.up = true;
  return made;
}

} // namespace

TEST_CASE("capture goes to container bridges and to the LAN") {
  std::vector<HostInterface> interfaces{
      interface("lo", "127.0.0.1", "127.0.0.0/8"),         interface("br-1", "172.18.0.1", "172.18.0.0/16"),
      interface("docker0", "172.17.0.1", "172.17.0.0/16"), interface("eth0", "192.168.1.2", "192.168.1.0/24"),
      interface("wan", "198.51.100.9", "198.51.100.0/24"), interface("veth12", "10.9.9.9", "10.9.9.0/24")};
  interfaces[0].loopback = true;
  std::vector<IpAddress> containers{*parse_ip("172.18.0.5"), *parse_ip("172.18.0.6")};
  CHECK(plan_capture(interfaces, containers, {}) == CapturePlan{{"br-1"}, {"eth0"}});
  CHECK(plan_capture(interfaces, containers, {"wan"}) == CapturePlan{{"br-1"}, {"wan"}});
  CHECK(plan_capture(interfaces, {}, {"nosuch"}) == CapturePlan{});
  interfaces[3].up = false;
  CHECK(plan_capture(interfaces, containers, {}).lan.empty());
}
