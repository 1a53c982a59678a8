#include "tests/actors/link/world.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <thread>

using namespace iris;
using namespace linktest;

std::string raw_ping(const RawPeer& peer, std::uint64_t number); // hostile_test.cpp

TEST_CASE("issue: a peer that trickles, with less than 4 MiB waiting for it, is let go", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) { options.timing.slow = 1s; }};
  RawPeer lazy{authority.give(gateway("gw-1")), cloud.address(), random_node(cloud.system)};
  int size = 4096; // as little as the system gives: what it holds for a peer is not what waits here
  ::setsockopt(lazy.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  REQUIRE(lazy.handshake());
  ConnectionInfo info;
  REQUIRE(cloud.opened.wait(info));
  // Answers of 256 KiB, until what the system takes is full and so much waits here that it is not below a
  // moment later.
  std::size_t waits = 0;
  for (std::uint64_t i = 1; i <= 100 && waits < (512 << 10) && cloud.closed.size() == 0; ++i) {
    lazy.send(raw_ping(lazy, 1'000'004));
    for (int wait = 0; wait < 500 && cloud.pings < i; ++wait)
      std::this_thread::sleep_for(2ms);
    std::this_thread::sleep_for(30ms);
    waits = info.buffered->load();
  }
  REQUIRE(waits >= (512 << 10));
  REQUIRE(waits < max_buffered);
  // It goes on to read, but less than 64 KiB a second.
  char piece[2'048];
  for (int i = 0; i < 200 && cloud.closed.size() == 0; ++i) {
    (void)::recv(lazy.fd, piece, sizeof piece, MSG_DONTWAIT);
    std::this_thread::sleep_for(50ms);
  }
  Closed closed;
  REQUIRE(cloud.closed.wait(closed));
  CHECK(closed.reason.cause == CloseCause::slow);
  CHECK(closed.reason.detail == "does not take what it is sent");
}
