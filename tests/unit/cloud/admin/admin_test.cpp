#include "actors/link/enrol.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/pki/pki.hpp"
#include "core/link/token.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace iris;

namespace {

constexpr Timestamp noon = 1'764'000'000 * second;

struct Authority {
  TempDir dir;
  Timestamp now = noon;
  std::vector<Identity> cut;
  std::unique_ptr<Admin> admin;

  Authority() {
    REQUIRE(pki::make_authority(dir.path("pki"), "Test", now));
    auto store = Store::create(dir.path("db"));
    REQUIRE(store);
    Admin::Terms terms{dir.path("pki"),
                       {"iris.example:7443"},
                       [this] { return now; },
                       random_bytes,
                       [this](const Identity& identity) { cut.push_back(identity); }};
    admin = std::make_unique<Admin>(std::move(*store), terms);
  }
  QueryAnswer ask(std::string verb, std::vector<std::string> arguments = {}) {
    QueryRequest request;
    request.verb = std::move(verb);
    request.arguments = std::move(arguments);
    return admin->execute(request);
  }
  nlohmann::json line(std::string verb, std::vector<std::string> arguments = {}) {
    auto answer = ask(std::move(verb), std::move(arguments));
    INFO(answer.message);
    REQUIRE(answer.lines.size() == 1);
    return nlohmann::json::parse(answer.lines[0]);
  }
  std::string secret_of(const nlohmann::json& line) {
    return parse_token(line["token"].get<std::string>())->secret;
  }
  EnrolResponse enrol(const std::string& secret) {
    EnrolRequest request;
    request.secret = secret;
    request.csr = make_key_and_request()->csr;
    request.remote = "192.0.2.1:1";
    return admin->enrol(request);
  }
};

} // namespace

TEST_CASE_METHOD(
    Authority, "a token lets in the gateway that it names, as often as it says and no longer than it says") {
  auto made = line("token-create", {"gateway=gw-1", "tenant=acme", "site=plant 1", "ttl=10m", "uses=2"});
  auto token = parse_token(made["token"].get<std::string>());
  REQUIRE(token);
  CHECK(token->addresses == std::vector<std::string>{"iris.example:7443"});
  CHECK(token->fingerprint == *pki::fingerprint(dir.path("pki")));
  auto first = enrol(token->secret);
  CHECK(first.error.empty());
  CHECK(first.identity == "iris://gateway/acme/gw-1");
  CHECK(first.certificate.find("BEGIN CERTIFICATE") != std::string::npos);
  CHECK(line("gateways-list")["site"] == "plant 1");
  CHECK(line("token-list")["uses_left"] == 1);
  CHECK(enrol(token->secret).error.empty());
  CHECK(line("token-list")["state"] == "used");
  const auto refusal = enrol(token->secret).error;
  CHECK_FALSE(refusal.empty());
  // A secret that never was gets the same answer.
  CHECK(enrol(std::string(32, 'x')).error == refusal);
  auto late = secret_of(line("token-create", {"ttl=1m"}));
  now += 61 * second;
  CHECK(enrol(late).error == refusal);
}

TEST_CASE_METHOD(Authority, "who enrols anew ends the certificates of the old key; revoking ends them all") {
  auto secret = secret_of(line("token-create", {"gateway=gw-1", "uses=3"}));
  REQUIRE(enrol(secret).error.empty());
  CHECK(pki::revoked(dir.path("pki"))->empty());
  REQUIRE(enrol(secret).error.empty());
  CHECK(pki::revoked(dir.path("pki"))->size() == 1);
  CHECK(ask("gateways-revoke", {"gw-1"}).status == 0);
  CHECK(pki::revoked(dir.path("pki"))->size() == 2);
  CHECK(line("gateways-list")["revoked"] == true);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0].name == "gw-1");
  EnrolRequest renewal;
  renewal.csr = make_key_and_request()->csr;
  renewal.renews = Identity{Role::gateway, "default", "gw-1", false};
  CHECK(admin->enrol(renewal).error == "this gateway is not enrolled here");
  CHECK(ask("gateways-revoke", {"gw-2"}).status == std::uint8_t(Errc::not_found));
}

TEST_CASE_METHOD(Authority,
                 "a gateway renews on the strength of its certificate and keeps the old one valid") {
  REQUIRE(enrol(secret_of(line("token-create", {"gateway=gw-1"}))).error.empty());
  EnrolRequest renewal;
  renewal.csr = make_key_and_request()->csr;
  renewal.renews = Identity{Role::gateway, "default", "gw-1", false};
  auto renewed = admin->enrol(renewal);
  CHECK(renewed.error.empty());
  CHECK(renewed.identity == "iris://gateway/default/gw-1");
  CHECK(pki::revoked(dir.path("pki"))->empty());
  renewal.renews->role = Role::operator_;
  CHECK_FALSE(admin->enrol(renewal).error.empty());
  renewal.renews = Identity{Role::gateway, "other", "gw-1", false};
  CHECK_FALSE(admin->enrol(renewal).error.empty());
}

TEST_CASE_METHOD(Authority, "a token without a gateway makes ids of its own; a revoked one lets nobody in") {
  auto made = line("token-create", {"uses=2"});
  auto one = enrol(secret_of(made)).identity;
  CHECK(one.rfind("iris://gateway/default/gw-", 0) == 0);
  CHECK(enrol(secret_of(made)).identity != one);
  auto other = line("token-create");
  CHECK(ask("token-revoke", {other["id"].get<std::string>()}).status == 0);
  CHECK_FALSE(enrol(secret_of(other)).error.empty());
  CHECK(ask("token-revoke", {"0000"}).status == std::uint8_t(Errc::not_found));
}

TEST_CASE_METHOD(Authority, "operators: a bundle once, revoked by name, and then again") {
  auto made = line("operators-add", {"ann", "admin=true", "tenant=acme"});
  CHECK(made["identity"] == "iris://operator/acme/ann?role=admin");
  CHECK(made["key"].get<std::string>().find("PRIVATE KEY") != std::string::npos);
  CHECK(made["addresses"] == "iris.example:7443\n");
  CHECK(ask("operators-add", {"ann", "tenant=acme"}).status == std::uint8_t(Errc::refused));
  CHECK(ask("operators-revoke", {"ann"}).status == std::uint8_t(Errc::not_found)); // of all tenants: none
  CHECK(ask("operators-revoke", {"ann", "tenant=acme"}).status == 0);
  CHECK(pki::revoked(dir.path("pki"))->size() == 1);
  CHECK(cut.size() == 1);
  CHECK(ask("operators-add", {"ann", "tenant=acme"}).status == 0);
  CHECK(line("operators-list")["admin"] == false);
}

TEST_CASE_METHOD(Authority, "what is wrong is said in one line") {
  CHECK(ask("token-create", {"gateway=Bad Name"}).message ==
        "gateway \"Bad Name\": use 1 to 64 of a-z 0-9 . _ -");
  CHECK(ask("token-create", {"ttl=soon"}).message == "ttl must be a duration from 1s to 90d, e.g. 1h");
  CHECK(ask("token-create", {"uses=0"}).message == "uses must be a number from 1 to 100000");
  CHECK(ask("token-create", {"colour=red"}).message == "there is no option colour");
  CHECK(ask("operators-add", {"a/b"}).status == std::uint8_t(Errc::invalid));
  CHECK_FALSE(Admin::knows("alerts"));
  EnrolRequest garbage;
  garbage.secret = secret_of(line("token-create", {"gateway=gw-1"}));
  garbage.csr = "not a request";
  CHECK_FALSE(admin->enrol(garbage).error.empty());
  CHECK(line("token-list")["uses_left"] == 1); // it was not used up by that
}
