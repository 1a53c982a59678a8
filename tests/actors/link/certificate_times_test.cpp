#include "tests/actors/link/world.hpp"

#include "actors/link/enrol.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "core/link/openssl_ptr.hpp"

#include <catch2/catch.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <ctime>
#include <thread>

using namespace iris;
using namespace linktest;

namespace {

Timestamp now() { return Timestamp(std::time(nullptr)) * iris::second; }

/// A server that shows what it likes, to one client, and keeps what that says.
struct Impostor {
  std::string heard;
  std::string address;
  int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::thread thread;

  explicit Impostor(SslPtr ssl) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&place), size) == 0);
    ::listen(listener, 1);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&place), &size);
    address = "127.0.0.1:" + std::to_string(ntohs(place.sin_port));
    thread = std::thread{[this, tls = std::make_shared<TlsStream>(std::move(ssl))] {
      auto fd = ::accept(listener, nullptr, nullptr);
      char piece[4096];
      for (ssize_t count; (count = ::recv(fd, piece, sizeof piece, 0)) > 0;) {
        tls->feed({piece, std::size_t(count)});
        std::string_view plain;
        if (tls->handshake() && tls->established() && tls->read(plain) == TlsStream::Read::data)
          heard += plain;
        std::string out;
        tls->drain(out);
        ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
      }
      ::close(fd);
    }};
  }
  void end() {
    ::shutdown(listener, SHUT_RDWR);
    thread.join();
    ::close(listener);
  }
};

} // namespace

TEST_CASE("a certificate that has expired, or does not hold yet, is as good as none", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  const auto base = authority.directory + "/untimely";
  auto with = [&](Timestamp from, Duration validity) {
    auto bundle = pki::issue(authority.directory, gateway("gw-1"), from, validity);
    REQUIRE(bundle);
    REQUIRE(pki::write_file(base + ".pem", bundle->certificate.pem));
    REQUIRE(pki::write_file(base + ".key", bundle->key));
    RawPeer peer{{base + ".pem", base + ".key", authority.directory + "/ca.pem", ""},
                 cloud.address(),
                 random_node(cloud.system)};
    return peer.handshake();
  };
  CHECK_FALSE(with(now() - 3 * pki::day, pki::day));
  CHECK(cloud.counter("tls.failed") == 1);
  CHECK_FALSE(with(now() + 3 * pki::day, pki::day));
  CHECK(cloud.counter("tls.failed") == 2);
  CHECK(with(now(), pki::day));
  CHECK(cloud.counter("authenticated") == 1);
}

TEST_CASE("connections are bounded in all, also those that are authenticated", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud(), [](LinkServerOptions& options) { options.max_connections = 2; }};
  RawPeer first{authority.give(gateway("gw-1")), cloud.address(), random_node(cloud.system)};
  RawPeer second_one{authority.give(gateway("gw-2")), cloud.address(), random_node(cloud.system)};
  REQUIRE(first.handshake());
  REQUIRE(second_one.handshake());
  RawPeer third{authority.give(gateway("gw-3")), cloud.address(), random_node(cloud.system)};
  CHECK_FALSE(third.handshake());
  CHECK(cloud.counter("refused.strangers") == 1);
}

TEST_CASE("who joins tells his secret to no server that only shows the authority's certificate",
          "[link][enrol]") {
  Authority authority, foreign;
  const auto made = make_key_and_request();
  JoinToken token{{}, *pki::fingerprint(authority.directory), std::string(32, 's'), now() + pki::day};
  auto ask = [&](SslPtr ssl) {
    Impostor impostor{std::move(ssl)};
    token.addresses = {impostor.address};
    const auto answer = enrol(token, made->csr, "test", 3s);
    impostor.end();
    CHECK(impostor.heard.empty());
    REQUIRE_FALSE(answer);
    return answer.error().message;
  };
  SECTION("with a certificate of another authority") {
    auto context = *TlsContext::load(TlsContext::Use::server, foreign.cloud(), true);
    auto ssl = context->make();
    const auto ca = ossl::read_cert(*pki::read_file(authority.directory + "/ca.pem"));
    REQUIRE(SSL_add1_chain_cert(ssl.get(), ca.get()) == 1);
    CHECK(ask(std::move(ssl)).find("does not hold") != std::string::npos);
  }
  SECTION("with a gateway's certificate") {
    auto context = *TlsContext::load(TlsContext::Use::server, authority.give(gateway("gw-1")), true);
    CHECK(ask(context->make()).find("purpose") != std::string::npos);
  }
}
