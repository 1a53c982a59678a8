#include "tests/actors/link/world.hpp"

#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

using namespace iris;
using namespace iris::test;
using namespace linktest;

namespace {

/// Somebody who wants to join, without a certificate.
struct Stranger {
  TlsStream tls{make_enrolment_tls()};
  int fd;
  explicit Stranger(const std::string& address) : fd{dial(address)} {
    while (tls.handshake() && !tls.established()) {
      flush();
      char piece[16'384];
      const auto count = ::recv(fd, piece, sizeof piece, 0);
      REQUIRE(count > 0);
      tls.feed({piece, std::size_t(count)});
    }
    flush();
  }
  ~Stranger() { ::close(fd); }
  void flush() {
    std::string out;
    tls.drain(out);
    ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
  }
  void say(const std::string& text) {
    REQUIRE(tls.write(text));
    flush();
  }
  /// What the other end says until it closes; "patience" when it does not within 5 s.
  std::string hear() {
    std::string heard;
    for (;;) {
      std::string_view plain;
      const auto status = tls.read(plain);
      if (status == TlsStream::Read::data) heard += plain;
      if (status == TlsStream::Read::closed || status == TlsStream::Read::failed) return heard;
      if (status != TlsStream::Read::more) continue;
      char piece[16'384];
      const auto count = ::recv(fd, piece, sizeof piece, 0);
      if (count == 0) return heard;
      if (count < 0) return "patience";
      tls.feed({piece, std::size_t(count)});
    }
  }
};

} // namespace

TEST_CASE("who joins has one line of 8 KiB, and is closed for more", "[link][hostile]") {
  Authority authority;
  Happened<std::function<void(EnrolResponse)>> asked;
  Cloud cloud{authority.cloud(), {}, [&](const EnrolRequest&, auto reply) { asked.add(reply); }};
  SECTION("a line that does not end") {
    Stranger stranger{cloud.address()};
    stranger.say(std::string(largest_enrolment + 1, 'x'));
    CHECK(stranger.hear().empty());
  }
  SECTION("a second one") {
    Stranger stranger{cloud.address()};
    stranger.say("{\"secret\":\"00\",\"csr\":\"x\"}\n");
    std::function<void(EnrolResponse)> reply;
    REQUIRE(asked.wait(reply));
    stranger.say("x");
    CHECK(stranger.hear().empty());
    reply({"too late", {}, {}, {}});
    CHECK(asked.size() == 0);
  }
}

TEST_CASE("nothing that a peer says is looked at before it is admitted", "[link][hostile]") {
  Authority authority;
  Cloud cloud{authority.cloud()};
  const auto files = authority.give(gateway("gw-1"));
  Node first{files, {cloud.address()}};
  REQUIRE(first.connect());
  RawPeer clone{files, cloud.address(), random_node(cloud.system)};
  REQUIRE(clone.tls_handshake());
  clone.send(frame(Operation::client_handshake, 0, 0, 0, text_of(clone.node)) +
             frame(Operation::routed, 0, 5, 1, "x"));
  CHECK(clone.farewell() == CloseCause::clone);
  CHECK(cloud.counter("violation.routed") == 0);
  CHECK(first.down.size() == 0);
}
