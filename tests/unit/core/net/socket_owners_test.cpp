#include "core/net/socket_owners.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
const std::string box(64, 'a'), other(64, 'b');
const IpAddress gateway = IpAddress::v4(0x0a000001), outside = IpAddress::v4(0xc6336407),
                elsewhere = IpAddress::v4(0xc6336408);

SocketUse call(const std::string& container, std::uint16_t port, const IpAddress& to, Timestamp at,
               std::uint32_t pid = 7) {
  SocketUse use;
  use.host_network = true;
  use.local = gateway;
  use.local_port = port;
  use.remote = to;
  use.remote_port = 443;
  use.container = container;
  use.pid = pid;
  use.at = at;
  return use;
}
SocketUse listen(const std::string& container, std::uint16_t port, Timestamp at) {
  SocketUse use;
  use.host_network = use.listening = true;
  use.local_port = port;
  use.container = container;
  use.at = at;
  return use;
}
} // namespace

TEST_CASE("a call is its process's, by both ends; one local port may be of two") {
  SocketOwners owners;
  owners.opened(call(box, 40'000, outside, 10 * second));
  owners.opened(call(other, 40'000, elsewhere, 11 * second));
  const auto at = 20 * second;
  REQUIRE(owners.find("", 6, gateway, 40'000, outside, 443, at));
  CHECK(owners.find("", 6, gateway, 40'000, outside, 443, at)->container == box);
  CHECK(owners.find("", 6, gateway, 40'000, elsewhere, 443, at)->container == other);
  CHECK_FALSE(owners.find("", 6, gateway, 40'000, outside, 80, at));
  CHECK_FALSE(owners.find("", 17, gateway, 40'000, outside, 443, at));
  CHECK_FALSE(owners.find("", 6, outside, 40'000, outside, 443, at));
  CHECK_FALSE(owners.find(box, 6, gateway, 40'000, outside, 443, at)); // not in the container's own namespace
  // Before it was there, but for the slack.
  CHECK_FALSE(owners.find("", 6, gateway, 40'000, outside, 443, 7 * second));
  CHECK(owners.find("", 6, gateway, 40'000, outside, 443, 9 * second));
}

TEST_CASE("a port that is used again is the later one's") {
  SocketOwners owners;
  owners.opened(call(box, 40'000, outside, 10 * second));
  owners.opened(call(other, 40'000, outside, 100 * second, 8));
  CHECK(owners.find("", 6, gateway, 40'000, outside, 443, 50 * second)->container == box);
  CHECK(owners.find("", 6, gateway, 40'000, outside, 443, 101 * second)->container == other);
}

TEST_CASE("a listening socket takes any caller until it is closed") {
  SocketOwners owners;
  owners.opened(listen(box, 8080, 10 * second));
  REQUIRE(owners.find("", 6, gateway, 8080, outside, 51'000, 20 * second));
  auto gone = listen(box, 8080, 30 * second);
  owners.closed(gone);
  CHECK(owners.find("", 6, gateway, 8080, outside, 51'000, 31 * second)); // slack
  CHECK_FALSE(owners.find("", 6, gateway, 8080, outside, 51'000, 40 * second));
  owners.opened(listen(other, 8080, 50 * second));
  CHECK(owners.find("", 6, gateway, 8080, outside, 51'000, 60 * second)->container == other);
}

TEST_CASE("a UDP socket is told for each remote side, and is not taken for what is masqueraded to another") {
  SocketOwners owners;
  auto use = call(box, 50'000, outside, 10 * second);
  use.protocol = 17;
  use.local = IpAddress::v4(0); // unbound: any
  owners.opened(use);
  CHECK(owners.find("", 17, gateway, 50'000, outside, 443, 11 * second));
  CHECK_FALSE(owners.find("", 17, gateway, 50'000, elsewhere, 161, 11 * second));
  use.remote = elsewhere;
  use.remote_port = 161;
  owners.opened(use);
  CHECK(owners.find("", 17, gateway, 50'000, elsewhere, 161, 11 * second));
}

TEST_CASE("sockets of a container's own namespace are kept apart and go with it") {
  SocketOwners owners;
  auto use = listen(box, 6379, 10 * second);
  use.host_network = false;
  owners.opened(use);
  CHECK(owners.find(box, 6, gateway, 6379, outside, 1, 11 * second));
  CHECK_FALSE(owners.find("", 6, gateway, 6379, outside, 1, 11 * second));
  owners.container_gone(box);
  CHECK_FALSE(owners.find(box, 6, gateway, 6379, outside, 1, 11 * second));
  CHECK(owners.size() == 0);
}

TEST_CASE("the port that was longest unused is forgotten at the limit, and counted") {
  SocketOwners owners{4};
  for (std::uint16_t port = 1; port <= 4; ++port)
    owners.opened(call(box, port, outside, second));
  owners.opened(call(box, 1, outside, second)); // used again
  owners.opened(call(box, 5, outside, second));
  CHECK(owners.size() == 4);
  CHECK(owners.evicted() == 1);
  CHECK(owners.find("", 6, gateway, 1, outside, 443, second));
  CHECK_FALSE(owners.find("", 6, gateway, 2, outside, 443, second));
  for (std::uint32_t pid = 0; pid < 100; ++pid)
    owners.opened(call(box, 9, outside, second, pid));
  CHECK(owners.size() <= SocketOwners::uses_of_port);
}
