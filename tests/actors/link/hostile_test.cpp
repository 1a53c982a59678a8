#include "tests/actors/link/world.hpp"

#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>
#include <thread>

using namespace iris;
using namespace linktest;
using namespace iris::test;

std::string raw_ping(const RawPeer& peer, std::uint64_t number) {
  return frame(Operation::direct, 0, 5, peer.session,
               message("linktest::Ping", iris::test::number(number, 8) + text("x")), async_id);
}

TEST_CASE("a gateway that breaks the rules is closed and named, and nobody else notices", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node honest{authority.give(gateway("gw-1")), {cloud.address()}};
  auto session = honest.connect();
  REQUIRE(session);
  auto files = authority.give(gateway("gw-2"));

  struct Attack {
    const char* name;
    Violation violation;
    std::function<std::string(const RawPeer&)> bytes;
  };
  auto ping = message("linktest::Ping", number(1, 8) + text("x"));
  auto pair = [](const RawPeer& peer) { return text_of(peer.node) + text_of(peer.cloud); };
  // exit_msg{source, reason}: kill, as CAF's own would be
  auto kill = message("@exit_msg", number(0, 8) + number(1, 8) + error(1));
  const Attack attacks[] = {
      {"routed message", Violation::routed,
       [&](auto& p) { return frame(Operation::routed, 0, 5, p.session, pair(p) + ping, async_id); }},
      {"named receiver", Violation::named_receiver,
       [&](auto&) { return frame(Operation::direct, flag_named_receiver, 5, 0x2f3a, ping, async_id); }},
      {"another session", Violation::destination,
       [&](auto& p) { return frame(Operation::direct, 0, 5, p.session - 1, ping, async_id); }},
      {"the config server", Violation::destination,
       [&](auto&) { return frame(Operation::direct, 0, 5, 2, ping, async_id); }},
      {"kill its session", Violation::message_type,
       [&](auto& p) { return frame(Operation::direct, 0, 0, p.session, kill, async_id); }},
      {"oversized", Violation::oversized,
       [&](auto& p) {
         FrameHeader header{2, 0, 0, 0, (1 << 20) + 1, async_id, 5, p.session};
         return encode_header(header);
       }},
      {"a length that is not there", Violation::message_layout,
       [&](auto& p) {
         auto lie = message("linktest::Ping", number(1, 8) + varint(0xffffffff) + "x");
         return frame(Operation::direct, 0, 5, p.session, lie, async_id);
       }},
      {"forwarding stack", Violation::forwarding,
       [&](auto& p) {
         return frame(Operation::direct, 0, 5, p.session,
                      message("linktest::Ping", number(1, 8) + text("x"), 1), 9);
       }},
      {"monitor of another actor", Violation::destination,
       [&](auto& p) { return frame(Operation::monitor, 0, 0, 3, pair(p)); }},
      {"down in another's name", Violation::node,
       [&](auto& p) {
         auto other = p.node;
         other[20] ^= 1;
         return raw_ping(p, 1) +
                frame(Operation::down, 0, 5, 0, text_of(other) + text_of(p.cloud) + error(1));
       }},
      {"handle in a message", Violation::message_type,
       [&](auto& p) {
         return frame(Operation::direct, 0, 5, p.session, message("@strong_actor_ptr", "x"), async_id);
       }},
      {"answer nobody asked for", Violation::unsolicited_response,
       [&](auto& p) { return frame(Operation::direct, 0, 5, p.session, ping, 3 | response); }},
      {"too many speakers", Violation::sources,
       [&](auto& p) {
         std::string all;
         for (std::uint64_t i = 1; i <= 17; ++i)
           all += frame(Operation::direct, 0, i, p.session, ping, async_id);
         return all;
       }},
      {"random bytes", Violation::none,
       [&](auto&) {
         std::string noise;
         std::mt19937 random{7};
         for (int i = 0; i < 5000; ++i)
           noise.push_back(char(random()));
         return noise;
       }},
  };
  for (const auto& attack : attacks) {
    INFO(attack.name);
    RawPeer peer{files, cloud.address(), random_node(cloud.system)};
    REQUIRE(peer.handshake());
    peer.send(attack.bytes(peer));
    Closed alarm;
    REQUIRE(cloud.alarms.wait(alarm));
    CHECK(alarm.info.identity == gateway("gw-2"));
    CHECK(alarm.reason.cause == CloseCause::violation);
    if (attack.violation != Violation::none)
      CHECK(std::string{to_string(alarm.reason.violation)} == to_string(attack.violation));
    CHECK(peer.farewell() == CloseCause::violation);
    Closed closed;
    REQUIRE(cloud.closed.wait(closed));
    CHECK(closed.info.identity == gateway("gw-2"));
    CHECK(honest.ping(session, 4) == "4");
  }
  CHECK(honest.down.size() == 0);
  CHECK(cloud.counter("violation.destination") == 3);
}

TEST_CASE("who is not of our authority, or not what he says, gets nowhere", "[link][hostile]") {
  Authority authority, foreign;
  auto files = authority.cloud();
  auto ours = authority.give(gateway("gw-1"));
  SECTION("a gateway of a foreign authority") {
    Cloud cloud{files};
    auto theirs = foreign.give(gateway("gw-1"));
    theirs.ca = ours.ca; // it may even know our authority's certificate
    Node node{theirs, {cloud.address()}};
    CloseReason reason;
    REQUIRE(node.failed.wait(reason));
    CHECK(cloud.counter("tls.failed") >= 1);
    CHECK(cloud.counter("authenticated") == 0);
  }
  SECTION("a cloud of a foreign authority") {
    Cloud cloud{foreign.cloud()};
    Node node{ours, {cloud.address()}};
    CloseReason reason;
    REQUIRE(node.failed.wait(reason));
    CHECK(reason.cause == CloseCause::tls);
    CHECK(node.up.size() == 0);
  }
  SECTION("a gateway's certificate at a server") {
    auto started = [&] {
      Config config;
      caf::actor_system system{config};
      LinkServerOptions options;
      options.listen = {"127.0.0.1:0"};
      options.tls = ours;
      return LinkServer::start(system, options, {}).ok();
    }();
    CHECK(!started);
    // One that does not check itself:
    auto context = *TlsContext::load(TlsContext::Use::server, ours);
    auto listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = 0x0100007f;
    socklen_t size = sizeof place;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&place), size) == 0);
    ::listen(listener, 1);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size);
    std::thread impostor{[&] {
      auto fd = ::accept(listener, nullptr, nullptr);
      TlsStream tls{context->make()};
      char piece[4096];
      for (;;) {
        auto count = ::recv(fd, piece, sizeof piece, 0);
        if (count <= 0) break;
        tls.feed({piece, std::size_t(count)});
        (void)tls.handshake();
        std::string out;
        tls.drain(out);
        ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
      }
      ::close(fd);
    }};
    {
      auto port = __builtin_bswap16(place.sin_port);
      Node node{ours, {"127.0.0.1:" + std::to_string(port)}, [](LinkClientOptions& options) {
                  options.backoff_least = options.backoff_most = 60s;
                }};
      CloseReason reason;
      REQUIRE(node.failed.wait(reason));
      CHECK(reason.cause == CloseCause::tls);
      CHECK(reason.detail.find("purpose") != std::string::npos);
    }
    ::close(listener);
    impostor.join();
  }
}

TEST_CASE("strangers neither disturb a session nor stay for ever", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) {
                options.timing.handshake = 700ms;
                options.max_strangers_per_address = 20;
              }};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  auto session = node.connect();
  REQUIRE(session);
  std::vector<int> silent;
  for (int i = 0; i < 30; ++i)
    silent.push_back(dial(cloud.address()));
  CHECK(node.ping(session, 1) == "1");
  char byte;
  for (auto fd : silent) {
    CHECK(::recv(fd, &byte, 1, 0) == 0); // turned away at once, or at the deadline
    ::close(fd);
  }
  CHECK(cloud.counter("refused.address") == 10);
  CHECK(cloud.counter("deadline") == 20);
  std::mt19937 random{3};
  for (int i = 0; i < 30; ++i) {
    auto fd = dial(cloud.address());
    std::string noise;
    for (int n = 0; n < 300; ++n)
      noise.push_back(char(random()));
    if (i % 3 == 0) noise = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    if (i % 3 == 1) noise = std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + noise;
    ::send(fd, noise.data(), noise.size(), MSG_NOSIGNAL);
    ::close(fd);
    CHECK(node.ping(session, 2) == "2");
  }
  CHECK(node.down.size() == 0);
}

TEST_CASE("an identity is at one place at a time", "[link][hostile]") {
  Authority authority;
  auto quick = [](auto& options) { options.timing.probe = 300ms; };
  Cloud cloud{authority.cloud(), quick};
  auto files = authority.give(gateway("gw-1"));
  SECTION("a clone is refused while the first answers") {
    Node first{files, {cloud.address()}};
    auto session = first.connect();
    REQUIRE(session);
    Node clone{files, {cloud.address()}};
    CloseReason reason;
    REQUIRE(clone.failed.wait(reason));
    CHECK(reason.cause == CloseCause::clone);
    Closed alarm;
    REQUIRE(cloud.alarms.wait(alarm));
    CHECK(alarm.reason.cause == CloseCause::clone);
    CHECK(alarm.info.identity == gateway("gw-1"));
    CHECK(first.ping(session, 1) == "1");
    CHECK(first.down.size() == 0);
  }
  SECTION("one that is gone is replaced") {
    RawPeer dead{files, cloud.address(), random_node(cloud.system)};
    REQUIRE(dead.handshake());
    Node second_one{files, {cloud.address()}};
    auto session = second_one.connect();
    REQUIRE(session);
    CHECK(second_one.ping(session, 1) == "1");
    Closed closed;
    REQUIRE(cloud.closed.wait(closed));
    CHECK(closed.reason.cause == CloseCause::replaced);
  }
  SECTION("the same process may connect anew at once") {
    auto id = random_node(cloud.system);
    RawPeer first{files, cloud.address(), id};
    REQUIRE(first.handshake());
    first.send(raw_ping(first, 1));
    std::vector<std::unique_ptr<RawPeer>> later;
    for (int i = 0; i < 3; ++i) {
      later.push_back(std::make_unique<RawPeer>(files, cloud.address(), id));
      REQUIRE(later.back()->handshake());
      later.back()->send(raw_ping(*later.back(), 1));
      Closed closed;
      REQUIRE(cloud.closed.wait(closed));
      CHECK(closed.reason.cause == CloseCause::replaced);
    }
    CHECK(first.farewell() == CloseCause::replaced);
    // The answer comes over the new connection.
    std::string answer;
    do {
      REQUIRE(later.back()->next_frame(answer));
    } while (answer.find("linktest::Pong") == std::string::npos);
  }
  SECTION("a node id of another identity is not to be had") {
    Node first{files, {cloud.address()}};
    REQUIRE(first.connect());
    auto id = random_node(cloud.system);
    RawPeer owner{authority.give(gateway("gw-2")), cloud.address(), id};
    REQUIRE(owner.handshake());
    RawPeer thief{authority.give(gateway("gw-3")), cloud.address(), id};
    CHECK(!thief.handshake());
    Closed alarm;
    REQUIRE(cloud.alarms.wait(alarm));
    CHECK(alarm.reason.violation == Violation::node_taken);
    CHECK(alarm.info.identity == gateway("gw-3"));
    RawPeer bold{authority.give(gateway("gw-4")), cloud.address(), owner.cloud};
    CHECK(!bold.handshake());
    REQUIRE(cloud.alarms.wait(alarm));
    CHECK(alarm.reason.violation == Violation::node_taken);
  }
  SECTION("an operator may have several shells, up to a limit") {
    Identity eve{Role::operator_, "acme", "eve", false};
    auto shell = authority.give(eve);
    std::vector<std::unique_ptr<RawPeer>> shells;
    for (int i = 0; i < 8; ++i) {
      shells.push_back(std::make_unique<RawPeer>(shell, cloud.address(), random_node(cloud.system)));
      REQUIRE(shells.back()->handshake());
    }
    RawPeer ninth{shell, cloud.address(), random_node(cloud.system)};
    CHECK(!ninth.handshake());
    CHECK(cloud.counter("refused.identity") == 1);
    cloud.server->close_identity(eve, CloseCause::revoked, "test");
    for (auto& peer : shells)
      CHECK(peer->farewell() == CloseCause::revoked);
  }
}

TEST_CASE("issue: a peer that only asks has a bounded number of messages inside, and is closed",
          "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) {
                options.timing.stalled = 1s;
                options.max_unanswered = 32;
              }};
  Node honest{authority.give(gateway("gw-1")), {cloud.address()}};
  auto session = honest.connect();
  REQUIRE(session);
  RawPeer peer{authority.give(gateway("gw-2")), cloud.address(), random_node(cloud.system)};
  REQUIRE(peer.handshake());
  auto ask = [&](std::uint64_t number, std::uint64_t id) {
    return frame(Operation::direct, 0, 5, peer.session,
                 message("linktest::Ping", iris::test::number(number, 8) + text("x")), id);
  };
  std::string all;
  for (std::uint64_t id = 1; id <= 500; ++id)
    all += ask(555, id);
  peer.send(all);
  Closed closed;
  REQUIRE(cloud.closed.wait(closed));
  CHECK(closed.info.identity == gateway("gw-2"));
  CHECK(closed.reason.violation == Violation::unanswered);
  CHECK(cloud.pings == 32);
  CHECK(cloud.counter("violation.unanswered") == 1);
  CHECK(honest.ping(session, 4) == "4");
}

TEST_CASE("a peer that asked more than it may gets its answers all the same, when they are there",
          "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) {
                options.timing.stalled = 5s;
                options.max_unanswered = 8;
              }};
  RawPeer peer{authority.give(gateway("gw-2")), cloud.address(), random_node(cloud.system)};
  REQUIRE(peer.handshake());
  std::string all;
  for (std::uint64_t i = 0; i < 1'000; ++i) // after 7 of the first kind, the eighth answers them
    all += frame(Operation::direct, 0, 5, peer.session,
                 message("linktest::Ping", iris::test::number(i % 8 == 7 ? 556 : 555, 8) + text("x")), i + 1);
  peer.send(all);
  std::string answer;
  for (int answers = 0; answers < 1'000;) {
    REQUIRE(peer.next_frame(answer));
    answers += answer.find("linktest::Pong") != std::string::npos;
  }
  CHECK(cloud.pings == 1'000);
  CHECK(cloud.closed.size() == 0);
}

TEST_CASE("issue: connections of one identity that are never admitted are limited", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) { options.timing.handshake = 2s; }};
  auto files = authority.give(gateway("gw-1"));
  std::vector<std::unique_ptr<RawPeer>> silent;
  for (int i = 0; i < 10; ++i) {
    silent.push_back(std::make_unique<RawPeer>(files, cloud.address(), random_node(cloud.system)));
    REQUIRE(silent.back()->tls_handshake());
  }
  for (int i = 4; i < 10; ++i)
    CHECK(silent[std::size_t(i)]->farewell() == CloseCause::limit);
  CHECK(cloud.counter("authenticated") == 10);
  CHECK(cloud.counter("refused.identity") == 6);
  // Others are not concerned, and neither is this one when those are gone.
  Node other{authority.give(gateway("gw-2")), {cloud.address()}};
  REQUIRE(other.connect());
  silent.clear();
  Node honest{files, {cloud.address()}};
  CHECK(honest.connect());
}

TEST_CASE("issue: strangers cannot fill the log", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) { options.stranger_lines = 3; }};
  for (int i = 0; i < 20; ++i) {
    auto fd = dial(cloud.address());
    ::send(fd, "GET / HTTP/1.1\r\n\r\n", 18, MSG_NOSIGNAL);
    char sink[512];
    while (::recv(fd, sink, sizeof sink, 0) > 0) {
    }
    ::close(fd);
  }
  std::uint64_t held_back = 0, written = 0;
  std::string line;
  while (held_back + written < 20 && cloud.lines.wait(line)) {
    if (line.find(" more strangers came and went") != std::string::npos)
      held_back += std::stoul(line);
    else if (line.find("stranger at 127.0.0.1:") == 0)
      ++written;
  }
  CHECK(held_back + written == 20);
  CHECK(written < 10);
  CHECK(cloud.counter("log.held_back") == held_back);
}
