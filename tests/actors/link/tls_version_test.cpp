#include "tests/actors/link/world.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

using namespace iris;
using namespace linktest;

TEST_CASE("a client that speaks TLS 1.2 only is refused, with a good certificate, too", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  auto context = *TlsContext::load(TlsContext::Use::client, authority.give(gateway("gw-1")));
  auto shakes_hands = [&](int version) {
    auto ssl = context->make();
    SSL_set_min_proto_version(ssl.get(), version);
    SSL_set_max_proto_version(ssl.get(), version);
    if (version == TLS1_2_VERSION) // it has no suite of that version by itself
      SSL_set_cipher_list(ssl.get(), "ECDHE-ECDSA-AES128-GCM-SHA256");
    TlsStream tls{std::move(ssl)};
    const auto fd = dial(cloud.address());
    bool good = true, ended = false;
    while ((good = tls.handshake()) && !tls.established() && !ended) {
      std::string out;
      tls.drain(out);
      ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
      char piece[16'384];
      const auto count = ::recv(fd, piece, sizeof piece, 0);
      ended = count <= 0;
      if (!ended) tls.feed({piece, std::size_t(count)});
    }
    ::close(fd);
    return good && tls.established();
  };
  CHECK_FALSE(shakes_hands(TLS1_2_VERSION));
  CHECK(cloud.counter("tls.failed") == 1);
  CHECK(shakes_hands(TLS1_3_VERSION));
}
