#include "tests/actors/link/world.hpp"

#include "actors/link/enrol.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>

#include <filesystem>
#include <thread>

using namespace iris;
using namespace linktest;

std::string raw_ping(const RawPeer& peer, std::uint64_t number); // hostile_test.cpp

TEST_CASE("a gateway asks its session over TLS and gets answers", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  auto session = node.connect();
  REQUIRE(session);
  CHECK(node.ping(session, 7) == "7");
  ConnectionInfo info;
  REQUIRE(cloud.opened.wait(info));
  CHECK(info.identity == gateway("gw-1"));
  CHECK(info.serial == authority.serial_of(gateway("gw-1")));
  CHECK(info.remote.starts_with("127.0.0.1:"));
  CHECK(cloud.server->connections().size() == 1);
  // Its answer is an error with context: the context stays behind, the link stays up.
  CHECK(node.ping(session, 666).find("runtime_error") != std::string::npos);
  CHECK(node.ping(session, 8) == "8");
  CHECK(cloud.alarms.size() == 0);
}

TEST_CASE("ten megabytes go through in batches of 64 KiB", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  auto session = node.connect();
  REQUIRE(session);
  // With a window, as credit has it: more at once than max_buffered would end the connection.
  std::uint64_t sent = 0, sum = 0;
  auto send = [&] { node.self->send(session, Ping{++sent, std::vector<char>(65'536, char(sent))}); };
  while (sent < 48)
    send();
  for (int i = 0; i < 160; ++i) {
    node.self->receive([&](const Pong& pong) { sum += pong.number; },
                       caf::after(5s) >> [] { FAIL("a batch was not answered"); });
    if (sent < 160) send();
  }
  CHECK(sum == 160 * 161 / 2);
  CHECK(cloud.pings == 160);
}

TEST_CASE("after a loss the gateway hears DOWN and comes back by itself", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  for (int round = 0; round < 5; ++round) {
    auto session = node.connect();
    REQUIRE(session);
    CHECK(node.ping(session, 1) == "1");
    node.self->monitor(session);
    ConnectionInfo info;
    REQUIRE(cloud.opened.wait(info));
    cloud.server->close(info.id, "test");
    node.self->receive(
        [&](const caf::down_msg& down) { CHECK(down.reason == caf::exit_reason::remote_link_unreachable); },
        caf::after(3s) >> [] { FAIL("no DOWN"); });
    Closed closed;
    REQUIRE(cloud.closed.wait(closed));
    CHECK(closed.info.id == info.id);
    CHECK(closed.reason.cause == CloseCause::local);
    CloseReason reason;
    REQUIRE(node.down.wait(reason));
    CHECK(reason.cause == CloseCause::local); // as the server said
  }
}

TEST_CASE("a gateway tries its addresses in turn", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {"127.0.0.1:1", cloud.address()}};
  auto session = node.connect();
  REQUIRE(session);
  CloseReason reason;
  CHECK(node.failed.wait(reason));
  CHECK(reason.cause == CloseCause::unreachable);
  CHECK(node.ping(session, 3) == "3");
}

TEST_CASE("issue: addresses that changed are taken with the next attempt, without a restart", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  std::mutex mutex;
  Result<std::vector<std::string>> written = std::vector<std::string>{"127.0.0.1:1"};
  const auto write = [&](Result<std::vector<std::string>> fresh) {
    const std::lock_guard lock{mutex};
    written = std::move(fresh);
  };
  Node node{authority.give(gateway("gw-1")), {"127.0.0.1:2"}, [&](LinkClientOptions& options) {
              options.backoff_least = options.backoff_most = 50ms;
              options.read_addresses = [&] {
                const std::lock_guard lock{mutex};
                return written;
              };
            }};
  CloseReason reason;
  REQUIRE(node.failed.wait(reason));
  write(Error{Errc::io, "no such file"}); // the last ones stay, and it is told once
  const auto told = [](const CloseReason& one) {
    return one.detail.find("no such file") != std::string::npos;
  };
  CHECK(node.failed.wait(reason, told));
  CHECK_FALSE(node.failed.wait(reason, told, 300ms));
  write(std::vector{cloud.address()});
  auto session = node.connect();
  REQUIRE(session);
  CHECK(node.ping(session, 3) == "3");
}

TEST_CASE("issue: a gateway whose certificate has ended says so, and when", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  auto files = authority.give(gateway("gw-1"));
  const auto made = make_key_and_request();
  const auto ended = pki::sign_request(authority.directory, made->csr, gateway("gw-1"),
                                       Timestamp(std::time(nullptr) - 31 * 86'400) * iris::second);
  REQUIRE(pki::write_file(files.key, made->key));
  REQUIRE(pki::write_file(files.certificate, ended->pem));
  Node node{files, {cloud.address()}};
  CloseReason reason;
  CHECK(node.failed.wait(reason, [&](const CloseReason& one) {
    return one.detail.find("; " + files.certificate + " ended at " + rfc3339(ended->expires)) !=
               std::string::npos &&
           one.detail.find("iris-node enroll --again with a new token") != std::string::npos;
  }));
}

TEST_CASE("a gateway that leaves because it was refused does not come back at once, again and again",
          "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}, [](auto& options) {
              if constexpr (requires { options.backoff_least; }) {
                options.backoff_least = 400ms;
                options.backoff_most = 2s;
              }
            }};
  int connected = 0;
  for (const auto until = std::chrono::steady_clock::now() + 2s; std::chrono::steady_clock::now() < until;)
    if (node.connect()) {
      ++connected;
      node.client->leave("the cloud refuses");
      CloseReason reason;
      REQUIRE(node.down.wait(reason));
    }
  CHECK(connected >= 1);
  CHECK(connected < 12); // the pauses are 0.2 s, 0.4 s, 0.8 s … on average
}

TEST_CASE("a gateway that cannot speak with the cloud's version leaves for long", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}, [](auto& options) {
              options.backoff_least = 1ms;
              options.backoff_most = 24h; // that the wait is below a second by chance happens once in 80,000
            }};
  for (const bool later : {false, true}) {
    REQUIRE(node.connect());
    node.client->leave("the cloud speaks another protocol", later);
    CloseReason reason;
    REQUIRE(node.down.wait(reason));
    if (!later) continue; // back at once
    Up again;
    CHECK_FALSE(node.up.wait(again, {}, 1s));
    CHECK(node.failed.size() == 0);
  }
}

TEST_CASE("silence is noticed on both ends, and heartbeats keep an idle link", "[link]") {
  Authority authority;
  auto quick = [](auto& options) {
    options.timing.heartbeat = 100ms;
    options.timing.silence = 600ms;
  };
  Cloud cloud{authority.cloud(), quick};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}, quick};
  auto session = node.connect();
  REQUIRE(session);
  RawPeer mute{authority.give(gateway("gw-2")), cloud.address(), random_node(cloud.system)};
  REQUIRE(mute.handshake());
  Closed closed;
  REQUIRE(cloud.closed.wait(closed));
  CHECK(closed.info.identity == gateway("gw-2"));
  CHECK(closed.reason.cause == CloseCause::silent);
  CHECK(node.ping(session, 5) == "5");
  CHECK(node.down.size() == 0);
}

namespace {

/// As little as the system gives: what it holds for a peer is not what waits here.
void small_buffer(const RawPeer& peer) {
  int size = 4096;
  ::setsockopt(peer.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

} // namespace

TEST_CASE("more than 4 MiB never wait for a peer that does not read", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  RawPeer lazy{authority.give(gateway("gw-1")), cloud.address(), random_node(cloud.system)};
  small_buffer(lazy);
  REQUIRE(lazy.handshake());
  ConnectionInfo info;
  REQUIRE(cloud.opened.wait(info));
  lazy.send(raw_ping(lazy, 1'000'400)); // 400 answers of 64 KiB: at once, not after 30 s
  Closed closed;
  REQUIRE(cloud.closed.wait(closed));
  CHECK(closed.reason.cause == CloseCause::slow);
  // What came after the end was dropped, not kept.
  CHECK(info.buffered->load() < 2 * max_buffered);
}

TEST_CASE("a peer that sends a frame byte by byte is let go like a silent one", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) { options.timing.silence = 800ms; }};
  RawPeer slow{authority.give(gateway("gw-1")), cloud.address(), random_node(cloud.system)};
  REQUIRE(slow.handshake());
  auto frame = raw_ping(slow, 1);
  Closed closed;
  for (std::size_t i = 0; i < frame.size() && cloud.closed.size() == 0; ++i) {
    slow.send(frame.substr(i, 1));
    std::this_thread::sleep_for(50ms);
  }
  REQUIRE(cloud.closed.wait(closed));
  CHECK(closed.reason.cause == CloseCause::silent);
  CHECK(cloud.pings == 0);
}

TEST_CASE("revocation cuts a live session within two seconds and keeps it out", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  auto files = authority.give(gateway("gw-1"));
  Node node{files, {cloud.address()}};
  Node other{authority.give(gateway("gw-2")), {cloud.address()}};
  REQUIRE(node.connect());
  auto unharmed = other.connect();
  REQUIRE(unharmed);
  auto begin = std::chrono::steady_clock::now();
  const auto now = Timestamp(std::time(nullptr)) * iris::second;
  REQUIRE(pki::revoke(authority.directory, {authority.serial_of(gateway("gw-1"))}, now, now + 30 * pki::day));
  CloseReason reason;
  REQUIRE(node.down.wait(reason));
  CHECK(reason.cause == CloseCause::revoked);
  CHECK(std::chrono::steady_clock::now() - begin < 2s);
  REQUIRE(node.failed.wait(reason, [](const CloseReason& r) { return r.cause == CloseCause::tls; }));
  CHECK(other.ping(unharmed, 2) == "2");
}

TEST_CASE("a bad certificate file does not replace a good one", "[link]") {
  Authority authority;
  auto files = authority.cloud();
  Cloud cloud{files};
  std::filesystem::resize_file(files.certificate, 100);
  CHECK(!cloud.server->reload());
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  CHECK(node.connect());
}

TEST_CASE("an actor system whose own heartbeats would cut the link is refused", "[link]") {
  Authority authority;
  Config config;
  config.set("middleman.heartbeat-interval", caf::timespan{10s});
  caf::actor_system system{config};
  LinkServerOptions server;
  server.listen = {"127.0.0.1:0"};
  server.tls = authority.cloud();
  CHECK(!LinkServer::start(system, server, {}));
  LinkClientOptions client;
  client.addresses = {"127.0.0.1:1"};
  client.tls = authority.give(gateway("gw-1"));
  CHECK(!LinkClient::start(system, client, {}));
}
