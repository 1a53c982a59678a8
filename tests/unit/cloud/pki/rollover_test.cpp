#include "actors/link/tls_context.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "core/base/hash.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <ctime>
#include <filesystem>

using namespace iris;
namespace fs = std::filesystem;

namespace {

const Identity gw{Role::gateway, "acme", "gw-1", false};

struct Rolling {
  TempDir dir;
  std::string path = dir.path("pki");
  Timestamp now = Timestamp(std::time(nullptr)) * second;
  Rolling() {
    REQUIRE(pki::make_authority(path, "Test", now));
    REQUIRE(pki::issue_server(path, "s", {"127.0.0.1", "iris.example"}, now, 100 * second));
  }
  TlsFiles server() const {
    return {path + "/server.pem", path + "/server.key", path + "/ca.pem", path + "/crl.pem"};
  }
  bool starts() const {
    auto tls = TlsContext::load(TlsContext::Use::server, server(), true);
    if (!tls) UNSCOPED_INFO(tls.error().message);
    return bool(tls);
  }
  std::string in(const char* name) const { return path + "/" + name; }
  void copy(const std::string& from, const std::string& to) const {
    fs::remove_all(to);
    fs::copy(from, to);
  }
};

} // namespace

TEST_CASE_METHOD(Rolling, "the server's certificate is renewed for its key and names, due at two thirds") {
  const auto key = *pki::read_file(in("server.key")), old = *pki::read_file(in("server.pem"));
  // 100 s and a tenth for clocks that are behind.
  CHECK(*pki::server_renewable(path) <= now + 67 * second);
  CHECK(*pki::server_renewable(path) >= now + 60 * second);
  auto fresh = pki::renew_server(path, now + 70 * second, 200 * second);
  REQUIRE(fresh);
  CHECK(fresh->expires == now + 270 * second);
  CHECK(*pki::read_file(in("server.pem")) != old);
  CHECK(*pki::read_file(in("server.key")) == key);
  CHECK(starts());
  REQUIRE(pki::write_file(in("server.pem"), "junk"));
  CHECK(pki::renew_server(path, now).error().code == Errc::corrupt);
}

TEST_CASE_METHOD(Rolling, "one authority takes over from the other with both trusted in between") {
  const auto first = pki::authorities(path)->front().fingerprint;
  auto before = pki::issue(path, gw, now);
  CHECK(pki::retire(path, now).error().code == Errc::refused);
  REQUIRE(pki::roll(path, now));
  CHECK(pki::roll(path, now).error().code == Errc::refused);
  auto both = *pki::authorities(path);
  REQUIRE(both.size() == 2);
  CHECK(both[0].name == "Test #2");
  CHECK(both[1].fingerprint == first);
  CHECK(both[1].signs_server);
  CHECK(to_hex(*pki::fingerprint(path)) == first); // what tokens name
  auto during = pki::issue(path, gw, now);
  CHECK(during->certificate.authority == both[0].fingerprint);
  CHECK(starts());
  // Revoking reaches certificates of both.
  REQUIRE(pki::revoke(path, {before->certificate.serial, during->certificate.serial}, now, now + pki::day));
  CHECK(pki::revoked(path)->size() == 2);
  CHECK(starts());
  REQUIRE(pki::renew_server(path, now)); // by the one that everybody trusts
  CHECK((*pki::authorities(path))[1].signs_server);
  REQUIRE(pki::retire(path, now));
  auto last = *pki::authorities(path);
  REQUIRE(last.size() == 1);
  CHECK(last[0].fingerprint == both[0].fingerprint);
  CHECK(last[0].signs_server);
  CHECK(to_hex(*pki::fingerprint(path)) == last[0].fingerprint);
  CHECK(pki::revoked(path)->size() == 2);
  CHECK_FALSE(fs::exists(in("ca.new.key")));
  CHECK(starts());
  REQUIRE(pki::roll(path, now)); // and again
  CHECK(pki::authorities(path)->front().name == "Test #3");
}

TEST_CASE_METHOD(Rolling,
                 "a rollover or retirement that is cut off after any file leaves what starts and goes on") {
  const auto kept = dir.path("kept"), half = dir.path("half");
  copy(path, kept);
  REQUIRE(pki::roll(path, now));
  const auto rolled = dir.path("rolled");
  copy(path, rolled);
  REQUIRE(pki::retire(path, now));
  const auto retired = dir.path("retired");
  copy(path, retired);
  // The files in the order in which they are written.
  const auto cut = [&](const std::string& from, const std::string& to, std::vector<std::string> files,
                       std::size_t done) {
    copy(from, path);
    for (std::size_t i = 0; i < done; ++i)
      fs::copy(to + "/" + files[i], path + "/" + files[i], fs::copy_options::overwrite_existing);
  };
  for (std::size_t done = 0; done <= 2; ++done) {
    INFO("roll " << done);
    cut(kept, rolled, {"ca.new.key", "crl.pem", "ca.pem"}, done);
    CHECK(starts());
    CHECK(pki::authorities(path)->size() == 1);
    REQUIRE(pki::issue(path, gw, now));
    REQUIRE(pki::roll(path, now));
    CHECK(starts());
  }
  for (std::size_t done = 0; done <= 3; ++done) {
    INFO("retire " << done);
    cut(rolled, retired, {"server.pem", "ca.pem", "crl.pem"}, done);
    CHECK(starts());
    REQUIRE(pki::issue(path, gw, now));
    const auto newest = pki::authorities(path)->front().fingerprint;
    auto again = pki::retire(path, now);
    CHECK((again || again.error().code == Errc::refused)); // refused: it was done but for the key's name
    CHECK(pki::authorities(path)->size() == 1);
    CHECK(pki::authorities(path)->front().fingerprint == newest);
    CHECK_FALSE(fs::exists(in("ca.new.key")));
    CHECK(starts());
    REQUIRE(pki::roll(path, now));
  }
  // Without a word from retire(), too, roll() must not write over the only key.
  cut(rolled, retired, {"server.pem", "ca.pem", "crl.pem"}, 3);
  REQUIRE(pki::roll(path, now));
  CHECK(pki::authorities(path)->size() == 2);
}

TEST_CASE_METHOD(Rolling,
                 "a file that is damaged or of somebody else keeps what is in use, and is said once") {
  REQUIRE(pki::roll(path, now));
  auto tls = *TlsContext::load(TlsContext::Use::server, server(), true);
  const auto until = tls->expires();
  const auto newest = from_hex(pki::authorities(path)->front().fingerprint);
  const auto other = dir.path("other");
  REQUIRE(pki::make_authority(other, "Other", now));
  REQUIRE(pki::issue_server(other, "s", {}, now));
  for (const std::string name : {"server.pem", "server.key", "ca.pem", "crl.pem"}) {
    const auto good = *pki::read_file(path + "/" + name);
    for (const std::string& bad :
         {std::string{}, good.substr(0, good.size() / 2), good.substr(0, good.size() - 30),
          std::string{"junk"}, *pki::read_file(other + "/" + name)}) {
      INFO(name << " " << bad.size());
      REQUIRE(pki::write_file(path + "/" + name, bad));
      auto seen = tls->refresh();
      REQUIRE_FALSE(seen);
      CHECK(seen.error().message.find(path) != std::string::npos);
      CHECK(*tls->refresh() == false); // not said again
      CHECK(tls->expires() == until);
      CHECK(tls->trusts(newest));
    }
    fs::remove(path + "/" + name);
    CHECK_FALSE(tls->refresh());
    REQUIRE(pki::write_file(path + "/" + name, good));
    CHECK(*tls->refresh());
  }
}
