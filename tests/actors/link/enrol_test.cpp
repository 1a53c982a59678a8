#include "tests/actors/link/world.hpp"

#include "actors/link/enrol.hpp"
#include "actors/link/tls_context.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "node/certificate_keeper.hpp"

#include <catch2/catch.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

using namespace iris;
using namespace linktest;

namespace {

Timestamp now() { return Timestamp(std::time(nullptr)) * iris::second; }

/// A cloud that knows one secret, for gw-9.
struct Enrolling {
  Authority authority;
  std::string secret = std::string(32, 's');
  Happened<EnrolRequest> requests;
  Cloud cloud{authority.cloud(), {}, [this](const EnrolRequest& request, auto reply) {
                requests.add(request);
                auto known = request.renews ? *request.renews == gateway("gw-9") : request.secret == secret;
                if (!known) return reply({"unknown secret", {}, {}, {}});
                auto certificate =
                    pki::sign_request(authority.directory, request.csr, gateway("gw-9"), now());
                if (!certificate) return reply({certificate.error().message, {}, {}, {}});
                auto ca = *pki::read_file(authority.directory + "/ca.pem");
                reply({{}, certificate->pem, ca, to_uri(gateway("gw-9"))});
              }};
  JoinToken token() {
    return {{cloud.address()}, *pki::fingerprint(authority.directory), secret, now() + 3600 * iris::second};
  }
};

} // namespace

TEST_CASE("a gateway joins by a token, connects, and renews", "[link][enrol]") {
  Enrolling world;
  auto made = make_key_and_request();
  REQUIRE(made);
  auto token = world.token();
  token.addresses.insert(token.addresses.begin(), "127.0.0.1:1"); // the first shard is away
  auto joined = enrol(token, made->csr, "test");
  if (!joined) FAIL(joined.error().message);
  CHECK(joined->identity == "iris://gateway/acme/gw-9");
  auto base = world.authority.directory + "/joined";
  REQUIRE(pki::write_file(base + ".pem", joined->certificate));
  REQUIRE(pki::write_file(base + ".key", made->key));
  REQUIRE(pki::write_file(base + ".ca", joined->ca));
  TlsFiles files{base + ".pem", base + ".key", base + ".ca", ""};
  Node node{files, {world.cloud.address()}};
  CHECK(node.client->identity() == gateway("gw-9"));
  auto session = node.connect();
  REQUIRE(session);
  CHECK(node.ping(session, 1) == "1");
  EnrolRequest seen;
  REQUIRE(world.requests.wait(seen));
  CHECK(!seen.renews);
  auto next = make_key_and_request();
  auto renewed = renew(files, {world.cloud.address()}, next->csr, "test");
  if (!renewed) FAIL(renewed.error().message);
  CHECK(renewed->certificate != joined->certificate);
  REQUIRE(world.requests.wait(seen));
  CHECK(seen.renews);
  const auto times = certificate_times(joined->certificate);
  REQUIRE(times);
  CHECK(times->renewable > std::time(nullptr) + 19 * 86400);
  CHECK(times->renewable < std::time(nullptr) + 21 * 86400);
  CHECK(times->ends > std::time(nullptr) + 29 * 86400);
  CHECK_FALSE(certificate_times("junk"));
}

TEST_CASE("a gateway renews its certificate by itself, keeps its key, and keeps what it has where that fails",
          "[link][enrol]") {
  Enrolling world;
  auto made = make_key_and_request();
  REQUIRE(made);
  const EnrolmentFiles files{world.authority.directory + "/joined"};
  std::filesystem::create_directory(files.directory);
  // As it is 25 of 30 days after it joined.
  auto old = pki::sign_request(world.authority.directory, made->csr, gateway("gw-9"),
                               now() - 25 * 86'400 * iris::second);
  REQUIRE(old);
  REQUIRE(write_private_file(files.key(), made->key));
  REQUIRE(write_private_file(files.certificate(), old->pem));
  REQUIRE(write_private_file(files.ca(), *pki::read_file(world.authority.directory + "/ca.pem")));
  {
    CertificateKeeper keeper{files, {world.cloud.address()}};
    EnrolRequest seen;
    REQUIRE(world.requests.wait(seen));
    CHECK(seen.renews);
    for (int i = 0; i < 300 && *read_small_file(files.certificate()) == old->pem; ++i)
      std::this_thread::sleep_for(10ms);
  }
  const auto renewed = *read_small_file(files.certificate());
  CHECK(renewed != old->pem);
  CHECK(certificate_times(renewed)->ends > std::time(nullptr) + 29 * 86'400);
  CHECK(*read_small_file(files.key()) == made->key);
  CHECK(TlsContext::load(TlsContext::Use::client, {files.certificate(), files.key(), files.ca(), ""}));
  CHECK(world.requests.size() == 0); // one question was enough

  const auto unreachable = renew_certificate(files, {"127.0.0.1:1"});
  REQUIRE_FALSE(unreachable);
  CHECK(*read_small_file(files.certificate()) == renewed);
  REQUIRE(write_private_file(files.key(), "junk"));
  CHECK(renew_certificate(files, {world.cloud.address()}).error().message ==
        files.key() + ": not a key in PEM form");
}

TEST_CASE("issue: the keeper notices a certificate that was enrolled anew, and takes the addresses beside it",
          "[link][enrol]") {
  Enrolling world;
  auto made = make_key_and_request();
  const EnrolmentFiles files{world.authority.directory + "/joined"};
  std::filesystem::create_directory(files.directory);
  const auto of_age = [&](int days) {
    return pki::sign_request(world.authority.directory, made->csr, gateway("gw-9"),
                             now() - days * 86'400 * iris::second)
        ->pem;
  };
  REQUIRE(write_private_file(files.key(), made->key));
  REQUIRE(write_private_file(files.ca(), *pki::read_file(world.authority.directory + "/ca.pem")));
  REQUIRE(write_private_file(files.certificate(), of_age(1))); // nothing to do for 19 days
  REQUIRE(write_private_file(files.addresses(), "127.0.0.1:1\n"));
  CertificateKeeper keeper{files, {"127.0.0.1:1"}, 20ms};
  EnrolRequest seen;
  CHECK_FALSE(world.requests.wait(seen, {}, 300ms));
  REQUIRE(write_private_file(files.addresses(), world.cloud.address() + "\n"));
  REQUIRE(write_private_file(files.certificate(), of_age(25)));
  CHECK(world.requests.wait(seen));
}

TEST_CASE("enrolment refuses with a reason, and says nothing to a stranger", "[link][enrol]") {
  Enrolling world;
  auto made = make_key_and_request();
  auto token = world.token();
  SECTION("wrong secret") {
    token.secret = std::string(32, 'x');
    auto refused = enrol(token, made->csr, "test");
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::refused);
    CHECK(refused.error().message.find("unknown secret") != std::string::npos);
  }
  SECTION("another authority") {
    token.fingerprint = std::string(32, 'f');
    auto refused = enrol(token, made->csr, "test");
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::refused);
    CHECK(world.requests.size() == 0);
  }
  SECTION("nothing there") {
    token.addresses = {"127.0.0.1:1"};
    auto refused = enrol(token, made->csr, "test");
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::unavailable);
  }
  SECTION("not a request") {
    auto refused = enrol(token, "nonsense", "test");
    REQUIRE(!refused);
    CHECK(refused.error().code == Errc::refused);
  }
  SECTION("too much, too strange") {
    for (auto line : {std::string(9000, 'x'), std::string("[]\n"), std::string(4000, '[') + "\n",
                      std::string("{\"secret\":7,\"csr\":\"x\"}\n"), std::string("{\"csr\":\"x\"}\n")}) {
      TlsStream tls{make_enrolment_tls()};
      auto fd = dial(world.cloud.address());
      char piece[16384];
      std::string out, answer;
      while (tls.handshake() && !tls.established()) {
        tls.drain(out);
        ::send(fd, out.data(), out.size(), 0);
        out.clear();
        auto count = ::recv(fd, piece, sizeof piece, 0);
        REQUIRE(count > 0);
        tls.feed({piece, std::size_t(count)});
      }
      REQUIRE(tls.write(line));
      tls.drain(out);
      ::send(fd, out.data(), out.size(), MSG_NOSIGNAL);
      for (;;) {
        std::string_view plain;
        auto status = tls.read(plain);
        if (status == TlsStream::Read::data) answer += plain;
        if (status == TlsStream::Read::closed || status == TlsStream::Read::failed) break;
        if (status != TlsStream::Read::more) continue;
        auto count = ::recv(fd, piece, sizeof piece, 0);
        if (count <= 0) break;
        tls.feed({piece, std::size_t(count)});
      }
      ::close(fd);
      CHECK((line.size() > 8192 ? answer.empty() : answer.starts_with("{\"error\":")));
    }
    CHECK(world.requests.size() == 0);
  }
  SECTION("a cloud that does not enrol does not even speak of it") {
    Cloud closed{world.authority.cloud("shard-1")};
    token.addresses = {closed.address()};
    CHECK(!enrol(token, made->csr, "test"));
  }
}
