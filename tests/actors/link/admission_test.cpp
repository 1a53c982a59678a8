#include "actors/link/endpoint.hpp"
#include "tests/actors/link/world.hpp"

#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <ctime>
#include <thread>

/// Who gets in, for how long, and who makes room: certificates and strangers.
using namespace iris;
using namespace linktest;

namespace {

Timestamp now() { return Timestamp(std::time(nullptr)) * iris::second; }

/// Replaces what Authority::give() wrote.
void give_anew(const Authority& authority, const Identity& identity, Duration validity) {
  auto bundle = pki::issue(authority.directory, identity, now(), validity);
  REQUIRE(bundle);
  const auto base = authority.directory + "/" + identity.name;
  REQUIRE(pki::write_file(base + ".key", bundle->key));
  REQUIRE(pki::write_file(base + ".pem", bundle->certificate.pem));
}

/// Does something whenever it is copied. The server copies its tap for each connection, just after it looked
/// whether the certificate is revoked.
struct AtCopy {
  std::shared_ptr<std::function<void()>> what;
  explicit AtCopy(std::shared_ptr<std::function<void()>> given) : what{std::move(given)} {}
  AtCopy(const AtCopy& other) : what{other.what} {
    if (*what) std::exchange(*what, {})();
  }
  void operator()(const Frame&, bool) const {
    // nop: only its being copied matters
  }
};

} // namespace

TEST_CASE("issue: a revocation while the cloud's clock was ahead locks nobody out", "[link]") {
  Authority authority;
  const auto other = authority.give(gateway("gw-2"));
  const auto ahead = now() + 100 * pki::day;
  REQUIRE(pki::revoke(authority.directory, {authority.serial_of(gateway("gw-2"))}, ahead, ahead + pki::day));
  Cloud cloud{authority.cloud()};
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  CHECK(node.connect());
  Node revoked{other, {cloud.address()}};
  CloseReason reason;
  REQUIRE(revoked.failed.wait(reason));
  CHECK(reason.cause == CloseCause::tls);
}

TEST_CASE("issue: a session ends with its certificate, and goes on with the next one", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  auto files = authority.give(gateway("gw-1"));
  give_anew(authority, gateway("gw-1"), 3 * iris::second);
  Node node{files, {cloud.address()}};
  REQUIRE(node.connect());
  give_anew(authority, gateway("gw-1"), 3'600 * iris::second);
  CloseReason reason;
  REQUIRE(node.down.wait(reason, {}, 6s));
  CHECK(reason.cause == CloseCause::local); // no fault: it has the next one
  CHECK(reason.detail == "it ends with the certificate that was renewed since");
  Closed closed;
  REQUIRE(cloud.closed.wait(closed));
  CHECK(closed.reason.detail.find("expired") != std::string::npos);
  CHECK(node.connect());
}

TEST_CASE("issue: who renewed and is cut by the old certificate's revocation comes back at once", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  const auto files = authority.give(gateway("gw-1"));
  const auto old = authority.serial_of(gateway("gw-1"));
  Node node{files, {cloud.address()}, [](auto& options) {
              if constexpr (requires { options.backoff_least; }) {
                options.backoff_least = 50ms;
                options.backoff_most = 24h; // a wait below 3 s by chance: once in 28,000
              }
            }};
  REQUIRE(node.connect());
  give_anew(authority, gateway("gw-1"), pki::day);
  std::this_thread::sleep_for(1'500ms); // the client looks at its files each second
  REQUIRE(pki::revoke(authority.directory, {old}, now(), now() + 30 * pki::day));
  CloseReason reason;
  REQUIRE(node.down.wait(reason));
  CHECK(reason.cause == CloseCause::local);
  Up again;
  CHECK(node.up.wait(again, {}, 3s));
}

TEST_CASE("issue: who is revoked between his handshake and his admission gets no session", "[link]") {
  Authority authority;
  const auto files = authority.give(gateway("gw-1"));
  auto race = std::make_shared<std::function<void()>>();
  Cloud cloud{authority.cloud(), [&](LinkServerOptions& options) { options.tap = AtCopy{race}; }};
  *race = [&] {
    REQUIRE(
        pki::revoke(authority.directory, {authority.serial_of(gateway("gw-1"))}, now(), now() + pki::day));
    REQUIRE(cloud.server->reload());
  };
  RawPeer peer{files, cloud.address(), random_node(cloud.system)};
  (void)peer.handshake();
  CHECK_FALSE(*race);
  std::this_thread::sleep_for(100ms);
  CHECK(cloud.server->connections().empty());
  CHECK(cloud.counter("revoked") == 1);
}

TEST_CASE("issue: silent strangers do not keep a gateway out", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) {
                options.max_strangers = 8;
                options.max_strangers_per_address = 4;
              }};
  std::vector<int> silent;
  for (const auto* source : {"127.0.0.2", "127.0.0.3"})
    for (int i = 0; i < 4; ++i)
      silent.push_back(dial(cloud.address(), source));
  std::this_thread::sleep_for(200ms);
  Node node{authority.give(gateway("gw-1")), {cloud.address()}};
  CHECK(node.connect());
  CHECK(node.failed.size() == 0);
  CHECK(cloud.counter("refused.strangers") == 1); // the oldest of them
  CHECK(cloud.server->connections().size() == 1);
  for (auto fd : silent)
    ::close(fd);
}

TEST_CASE("issue: one IPv6 network is one stranger", "[link]") {
  CHECK(address_group("2001:db8:1:2::1") == "2001:db8:1:2::/64");
  CHECK(address_group("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64");
  CHECK(address_group("2001:db8:1:3::1") != "2001:db8:1:2::/64");
  CHECK(address_group("::ffff:192.0.2.7") == "192.0.2.7");
  CHECK(address_group("192.0.2.7") == "192.0.2.7");
}

TEST_CASE("issue: a gateway whose clock is wrong says what it is set to", "[link]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  auto files = authority.give(gateway("gw-1"));
  auto bundle = pki::issue(authority.directory, gateway("gw-1"), now() + 3 * pki::day, 30 * pki::day);
  REQUIRE(bundle);
  REQUIRE(pki::write_file(files.key, bundle->key));
  REQUIRE(pki::write_file(files.certificate, bundle->certificate.pem));
  Node node{files, {cloud.address()}};
  CloseReason reason;
  REQUIRE(node.failed.wait(reason));
  INFO(reason.detail);
  CHECK(reason.detail.find("this machine's clock says 20") != std::string::npos);
  // One that is right says nothing of it.
  Node stranger{authority.give(gateway("gw-2")), {"127.0.0.1:1"}};
  REQUIRE(stranger.failed.wait(reason));
  CHECK(reason.detail.find("clock") == std::string::npos);
}
