#include "actors/link/enrol.hpp"
#include "actors/link/tls_context.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/pki/files.hpp"
#include "cloud/pki/pki.hpp"
#include "core/base/hash.hpp"
#include "core/link/openssl_ptr.hpp"
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
  std::shared_ptr<Store> store;
  std::unique_ptr<Admin> admin;

  Authority() {
    REQUIRE(pki::make_authority(dir.path("pki"), "Test", now));
    auto made = Store::create(dir.path("db"));
    REQUIRE(made);
    store = std::move(*made);
    Admin::Terms terms{dir.path("pki"),
                       {"iris.example:7443"},
                       [this] { return now; },
                       random_bytes,
                       [this](const Identity& identity) { cut.push_back(identity); }};
    admin = std::make_unique<Admin>(store, terms);
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
  /// As the link would ask for the gateway that has this certificate.
  EnrolRequest renewal_by(const std::string& certificate, const std::string& gateway = "gw-1") {
    auto cert = ossl::read_cert(certificate);
    EnrolRequest request;
    request.csr = make_key_and_request()->csr;
    request.renews = Identity{Role::gateway, "default", gateway, false};
    request.serial = ossl::serial_hex(X509_get0_serialNumber(cert.get()));
    request.renewable = *renewal_time(cert.get());
    return request;
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
  auto first = enrol(secret_of(line("token-create", {"gateway=gw-1"})));
  REQUIRE(first.error.empty());
  auto renewal = renewal_by(first.certificate);
  CHECK(admin->enrol(renewal).error ==
        "too early: this certificate can be renewed from " + rfc3339(renewal.renewable * second) + " on");
  now += 21 * pki::day;
  auto renewed = admin->enrol(renewal);
  CHECK(renewed.error.empty());
  CHECK(renewed.identity == "iris://gateway/default/gw-1");
  CHECK(pki::revoked(dir.path("pki"))->empty());
  renewal.renews->role = Role::operator_; // the same name as another kind of peer
  CHECK(admin->enrol(renewal).error == "this operator is not known here");
  renewal.renews->role = Role::cloud;
  CHECK(admin->enrol(renewal).error == "only gateways and operators renew their certificates here");
  renewal.renews = Identity{Role::gateway, "other", "gw-1", false};
  CHECK_FALSE(admin->enrol(renewal).error.empty());
  // The answer was lost: it may ask again, in a while.
  renewal = renewal_by(first.certificate);
  CHECK(admin->enrol(renewal).error.find("renewed its certificate a moment ago") != std::string::npos);
  now += 5 * 60 * second;
  CHECK(admin->enrol(renewal).error.empty());
}

TEST_CASE_METHOD(Authority, "issue: revocation cannot be dodged by renewing first") {
  const auto first = enrol(secret_of(line("token-create", {"gateway=gw-1"})));
  std::vector<std::string> issued{renewal_by(first.certificate).serial};
  now += 21 * pki::day;
  for (int i = 0; i < 8; ++i, now += 3'600 * second) {
    auto renewed = admin->enrol(renewal_by(first.certificate));
    REQUIRE(renewed.error.empty());
    issued.push_back(renewal_by(renewed.certificate).serial);
  }
  auto listed = *pki::revoked(dir.path("pki"));
  CHECK(listed.size() == issued.size() - 4);                       // what left the row
  CHECK(std::count(listed.begin(), listed.end(), issued[0]) == 0); // the one in use stays
  const Identity who{Role::gateway, "default", "gw-1", false};
  CHECK(admin->may_connect(who, issued[0], noon));
  CHECK(ask("gateways-revoke", {"gw-1"}).status == 0);
  listed = *pki::revoked(dir.path("pki"));
  for (const auto& serial : issued)
    CHECK(std::count(listed.begin(), listed.end(), serial) == 1);
  for (const auto& serial : {issued[0], issued.back(), std::string{"7f"}}) // also one that nobody wrote down
    CHECK_FALSE(admin->may_connect(who, serial, noon));
  // Enrolled anew, the old certificates renew nothing.
  const auto anew = enrol(secret_of(line("token-create", {"gateway=gw-1"})));
  REQUIRE(anew.error.empty());
  CHECK(admin->may_connect(who, renewal_by(anew.certificate).serial, now));
  CHECK(admin->enrol(renewal_by(first.certificate)).error.find("not one of the newest") != std::string::npos);
}

TEST_CASE_METHOD(Authority, "issue: a bad request with a good token leaves the running gateway as it is") {
  const auto secret = secret_of(line("token-create", {"gateway=gw-1", "uses=2"}));
  const auto first = enrol(secret);
  REQUIRE(first.error.empty());
  EnrolRequest bad;
  bad.secret = secret;
  bad.csr = "not a request";
  CHECK_FALSE(admin->enrol(bad).error.empty());
  CHECK(pki::revoked(dir.path("pki"))->empty());
  CHECK(line("token-list")["uses_left"] == 1);
  now += 21 * pki::day;
  CHECK(admin->enrol(renewal_by(first.certificate)).error.empty());
}

TEST_CASE_METHOD(Authority, "a list that cannot be signed keeps nobody out and forgets no certificate") {
  const auto secret = secret_of(line("token-create", {"gateway=gw-1", "uses=3"}));
  REQUIRE(enrol(secret).error.empty());
  const auto list = *pki::read_file(dir.path("pki") + "/crl.pem");
  REQUIRE(pki::write_file(dir.path("pki") + "/crl.pem", "junk"));
  REQUIRE(enrol(secret).error.empty());
  REQUIRE(pki::write_file(dir.path("pki") + "/crl.pem", list));
  REQUIRE(enrol(secret).error.empty());
  CHECK(pki::revoked(dir.path("pki"))->size() == 2);
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
  CHECK(ask("operators-revoke", {"ann"}).message ==
        "there is no operator ann of all tenants; one is of tenant acme: say acme/ann");
  CHECK(ask("operators-revoke", {"eve"}).status == std::uint8_t(Errc::not_found));
  const auto serial = renewal_by(made["certificate"].get<std::string>()).serial;
  CHECK(admin->may_connect(Identity{Role::operator_, "acme", "ann", true}, serial, noon));
  CHECK(ask("operators-revoke", {"ann", "tenant=acme"}).status == 0);
  CHECK_FALSE(admin->may_connect(Identity{Role::operator_, "acme", "ann", true}, serial, noon));
  CHECK(pki::revoked(dir.path("pki"))->size() == 1);
  CHECK(cut.size() == 1);
  CHECK(ask("operators-add", {"ann", "tenant=acme"}).status == 0);
  CHECK(line("operators-list")["state"] == "good");
  CHECK(line("operators-list")["admin"] == false);
  CHECK_FALSE(
      admin->may_connect(Identity{Role::operator_, "acme", "ann", true}, serial, noon)); // the old one
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

TEST_CASE_METHOD(Authority, "an authority is retired when nobody needs it, else they are named") {
  REQUIRE(pki::issue_server(dir.path("pki"), "s", {}, now));
  auto first = enrol(secret_of(line("token-create", {"gateway=gw-1"})));
  CHECK(ask("ca-roll").status == 0);
  auto refusal = ask("ca-retire");
  CHECK(refusal.status == std::uint8_t(Errc::refused));
  CHECK(refusal.message.find("gateway default/gw-1") != std::string::npos);
  now += 21 * pki::day;
  const auto renewed = admin->enrol(renewal_by(first.certificate));
  REQUIRE(renewed.error.empty());
  const Identity who{Role::gateway, "default", "gw-1", false};
  admin->note_shown(who, renewal_by(first.certificate).serial);
  // issue: what was signed need not have arrived; the gateway shows what it has.
  CHECK(ask("ca-retire").message.find("gateway default/gw-1") != std::string::npos);
  admin->note_shown(who, renewal_by(renewed.certificate).serial);
  CHECK(ask("ca-retire").status == 0);
  CHECK(ask("gateways-rename", {"gw-1", "press-7"}).status == 0);
  CHECK(line("gateways-list")["name"] == "press-7");
  CHECK(ask("gateways-revoke", {"press-7"}).status == 0);
  CHECK(cut.at(0).name == "gw-1");
}

TEST_CASE_METHOD(Authority,
                 "a gateway is called by its id or its name; a name of two is refused with both ids") {
  for (const auto* tenant : {"acme", "other"})
    for (const auto* id : {"gw-1", "gw-2"})
      REQUIRE(enrol(secret_of(line("token-create",
                                   {std::string{"gateway="} + id, std::string{"tenant="} + tenant})))
                  .error.empty());
  CHECK(ask("gateways-rename", {"gw-1", "press"}).message ==
        "gw-1 is a gateway of several tenants: acme/gw-1, other/gw-1; say TENANT/gw-1");
  CHECK(ask("gateways-rename", {"acme/gw-1", "press"}).status == 0);
  CHECK(ask("gateways-rename", {"acme/gw-2", "press"}).message == "gateway gw-1 is called press already");
  CHECK(ask("gateways-rename", {"acme/gw-2", "gw-1"})
            .message.find("gw-1 is the id of another gateway, which is called press; take another name") ==
        0);
  CHECK(ask("gateways-rename", {"acme/gw-2", "cloud"}).status == std::uint8_t(Errc::invalid));
  CHECK(ask("gateways-rename", {"other/gw-2", "press"}).status == 0); // another tenant's
  const auto shared = ask("gateways-revoke", {"press"});
  CHECK(shared.status == std::uint8_t(Errc::invalid));
  CHECK(shared.message == "2 gateways are called press: acme/gw-1, other/gw-2; say which by its id");
  CHECK(cut.empty());
  CHECK(ask("gateways-rename", {"acme/press", "saw"}).status == 0); // by its name and tenant
  CHECK(ask("gateways-revoke", {"saw"}).status == 0);
  REQUIRE(cut.size() == 1);
  CHECK(cut[0] == Identity{Role::gateway, "acme", "gw-1", false});
  CHECK(ask("gateways-revoke", {"acme/"}).status == std::uint8_t(Errc::not_found));
  CHECK(ask("gateways-revoke", {"other/saw"}).status == std::uint8_t(Errc::not_found));
  // Who would enrol under another's name gets no token; an id goes before a name where both are there.
  CHECK(ask("token-create", {"gateway=press", "tenant=other"}).message ==
        "gateway gw-2 is called press; give one of them another name");
  REQUIRE(enrol(secret_of(line("token-create", {"gateway=press", "tenant=acme"}))).error.empty());
  CHECK(ask("gateways-revoke", {"press"}).status == 0);
  CHECK(cut.back() == Identity{Role::gateway, "acme", "press", false});
}

TEST_CASE_METHOD(Authority, "an operator renews as a gateway does; what he is stands in the cloud's row") {
  const auto made = line("operators-add", {"ann", "tenant=acme"});
  const auto first = made["certificate"].get<std::string>();
  auto renewal = renewal_by(first);
  const auto asks_as = [&](const std::string& tenant, const std::string& name) {
    renewal.renews = Identity{Role::operator_, tenant, name, true}; // says that he is an admin
    return admin->enrol(renewal);
  };
  CHECK(asks_as("acme", "ann").error.find("too early") == 0);
  now += 250 * pki::day;
  CHECK(asks_as("acme", "bob").error == "this operator is not known here");
  CHECK(asks_as("*", "ann").error == "this operator is not known here");
  const auto second = asks_as("acme", "ann");
  REQUIRE(second.error.empty());
  CHECK(second.identity == "iris://operator/acme/ann?role=viewer"); // the row says viewer
  CHECK(certificate_times(second.certificate)->ends > now / iris::second + 364 * 86'400);
  CHECK(asks_as("acme", "ann").error.find("this operator renewed its certificate a moment ago") == 0);
  CHECK(pki::revoked(dir.path("pki"))->empty());
  now += 5 * 60 * iris::second;
  CHECK(asks_as("acme", "ann").error.empty()); // the answer was lost
  CHECK(ask("operators-revoke", {"ann", "tenant=acme"}).status == 0);
  CHECK(pki::revoked(dir.path("pki"))->size() == 3); // all that he has
  now += 5 * 60 * iris::second;
  CHECK(asks_as("acme", "ann").error == "this operator is revoked");
  // Added anew, his old certificates renew nothing.
  REQUIRE(ask("operators-add", {"ann", "tenant=acme", "admin=true"}).status == 0);
  CHECK(asks_as("acme", "ann").error.find("not one of the newest") != std::string::npos);
}

TEST_CASE_METHOD(Authority,
                 "an operator's certificates that leave his row are revoked, never the one shown") {
  const auto first = line("operators-add", {"ann"})["certificate"].get<std::string>();
  auto renewal = renewal_by(first);
  renewal.renews = Identity{Role::operator_, "*", "ann", false};
  now += 250 * pki::day;
  std::vector<std::string> issued;
  for (int i = 0; i < 6; ++i, now += 3'600 * iris::second) {
    auto renewed = admin->enrol(renewal);
    REQUIRE(renewed.error.empty());
    issued.push_back(renewal_by(renewed.certificate).serial);
  }
  const auto listed = *pki::revoked(dir.path("pki"));
  CHECK(listed.size() == 3); // of seven, four stay: the newest three and the one that is shown
  CHECK(std::count(listed.begin(), listed.end(), renewal.serial) == 0);
  for (int i = 0; i < 6; ++i)
    CHECK(std::count(listed.begin(), listed.end(), issued[std::size_t(i)]) == (i < 3 ? 1 : 0));
}

TEST_CASE_METHOD(Authority, "retiring says first how many unused tokens end with the old authority") {
  REQUIRE(pki::issue_server(dir.path("pki"), "s", {}, now));
  CHECK(line("token-create")["ends_with_authority"] == false);
  CHECK(ask("ca-roll").status == 0);
  const auto late = line("token-create", {"ttl=1d"}); // the server is still the old one's
  CHECK(late["ends_with_authority"] == true);
  CHECK(late["authority"] == to_hex(*pki::fingerprint(dir.path("pki"))));
  auto dry = line("ca-retire", {"dry=true"});
  CHECK(dry["tokens"] == 2);
  CHECK(dry["shuts_out"] == "0 gateways, 0 operators and 2 unused join tokens");
  CHECK(line("ca-retire", {"dry=true"}) == dry); // and nothing has happened
  const auto refusal = ask("ca-retire");
  CHECK(refusal.status == std::uint8_t(Errc::refused));
  CHECK(refusal.message.find("0 gateways, 0 operators and 2 unused join tokens still need") == 0);
  CHECK(refusal.message.find("token " + late["id"].get<std::string>()) != std::string::npos);
  now += 7'200 * iris::second; // one expires, one is used
  REQUIRE(enrol(secret_of(late)).error.empty());
  dry = line("ca-retire", {"dry=true"});
  CHECK(dry["tokens"] == 0);
  CHECK(ask("ca-retire").status == 0);
  CHECK(line("ca-list")["signs_server"] == true);
  CHECK(ask("token-create").lines[0].find("\"ends_with_authority\":false") != std::string::npos);
}

TEST_CASE_METHOD(Authority,
                 "issue: a retirement that was refused is not in the audit, whose lists tell one that was") {
  REQUIRE(pki::issue_server(dir.path("pki"), "s", {}, now));
  const auto audited = [&] {
    std::size_t rows = 0;
    REQUIRE(store->scan(Table::audit, "", [&](std::string_view, std::string_view value) {
      rows += decode_audit(value)->what == "ca retire" ? 1 : 0;
      return true;
    }));
    return rows;
  };
  CHECK(ask("ca-retire").status == std::uint8_t(Errc::refused));
  CHECK(ask("ca-retire", {"force=true"}).status == std::uint8_t(Errc::refused));
  CHECK(audited() == 0);
  REQUIRE(enrol(secret_of(line("token-create", {"gateway=gw-1", "uses=2"}))).error.empty());
  (void)line("operators-add", {"ann"});
  for (const auto* list : {"token-list", "gateways-list", "operators-list"})
    CHECK(line(list)["state"] == "good");
  CHECK(ask("ca-roll").status == 0);
  CHECK(ask("ca-retire", {"force=true"}).status == 0);
  CHECK(audited() == 1);
  for (const auto* list : {"token-list", "gateways-list", "operators-list"}) // nobody gets in by these
    CHECK(line(list)["state"] == "authority retired");
  CHECK(ask("gateways-revoke", {"gw-1"}).status == 0);
  CHECK(line("gateways-list")["state"] == "revoked");
}

TEST_CASE_METHOD(Authority, "who has the older of two authorities may renew at once, and once") {
  REQUIRE(pki::issue_server(dir.path("pki"), "s", {}, now));
  auto renewal = renewal_by(line("operators-add", {"ann"})["certificate"].get<std::string>());
  renewal.renews = Identity{Role::operator_, "*", "ann", false};
  const auto enrolled = enrol(secret_of(line("token-create", {"gateway=gw-1"})));
  now += pki::day;
  CHECK(admin->enrol(renewal).error.find("too early") == 0);
  CHECK(admin->enrol(renewal_by(enrolled.certificate)).error.find("too early") == 0);
  CHECK(ask("ca-roll").status == 0);
  const auto fresh = admin->enrol(renewal);
  REQUIRE(fresh.error.empty());
  CHECK(admin->enrol(renewal_by(enrolled.certificate)).error.empty());
  now += pki::day;
  auto again = renewal_by(fresh.certificate);
  again.renews = renewal.renews;
  CHECK(admin->enrol(again).error.find("too early") == 0); // it is of the newest
}

TEST_CASE_METHOD(Authority, "an operator who renewed after the authority's change does not hold it back") {
  REQUIRE(pki::issue_server(dir.path("pki"), "s", {}, now));
  auto renewal = renewal_by(line("operators-add", {"ann"})["certificate"].get<std::string>());
  renewal.renews = Identity{Role::operator_, "*", "ann", false};
  CHECK(ask("ca-roll").status == 0);
  CHECK(ask("ca-retire").message.find("operator */ann") != std::string::npos);
  now += 250 * pki::day;
  REQUIRE(admin->enrol(renewal).error.empty());
  CHECK(ask("ca-retire").status == 0);
}

TEST_CASE_METHOD(Authority, "issue: a replaced key stays out when the list of revocations has forgotten it") {
  const auto secret = secret_of(line("token-create", {"gateway=gw-1", "uses=3", "ttl=89d"}));
  const Identity who{Role::gateway, "default", "gw-1", false};
  const auto stolen = renewal_by(enrol(secret).certificate).serial;
  CHECK(admin->may_connect(who, stolen, now));
  now += pki::day;
  const auto second = renewal_by(enrol(secret).certificate).serial;
  CHECK_FALSE(admin->may_connect(who, stolen, noon));
  CHECK(admin->may_connect(who, second, now));
  // The database is one of a backup now: what was signed after it is not in it …
  const auto begun = now + 3 * pki::day;
  REQUIRE(Admin::note_beginning(*store, begun));
  CHECK(admin->may_connect(who, "0a", now + pki::day)); // a renewal that the backup does not know
  CHECK(admin->may_connect({Role::gateway, "default", "gw-2", false}, "0b", now)); // nor this gateway
  CHECK_FALSE(admin->may_connect(who, stolen, noon)); // … but what was replaced before it stays out
  CHECK_FALSE(admin->may_connect(who, "0a", begun + 3'600 * iris::second)); // nobody signed that
  // Enrolled since, nothing else of it is good.
  now = begun + pki::day;
  const auto third = renewal_by(enrol(secret).certificate).serial;
  CHECK(admin->may_connect(who, third, now));
  CHECK_FALSE(admin->may_connect(who, "0a", noon + 2 * pki::day));
}

TEST_CASE_METHOD(Authority,
                 "issue: a token that was used lets in the key again whose answer was lost, nobody else") {
  EnrolRequest request;
  request.secret = secret_of(line("token-create", {"ttl=10m"}));
  request.csr = make_key_and_request()->csr;
  const auto lost = admin->enrol(request);
  REQUIRE(lost.error.empty());
  const auto again = admin->enrol(request);
  CHECK(again.error.empty());
  CHECK(again.identity == lost.identity); // no second gateway, whose id would be made anew
  CHECK(pki::revoked(dir.path("pki"))->size() == 1);
  CHECK_FALSE(enrol(request.secret).error.empty()); // another key
  // Neither after a revocation nor when another key came after it.
  CHECK(ask("gateways-revoke", {again.identity.substr(again.identity.rfind('/') + 1)}).status == 0);
  CHECK_FALSE(admin->enrol(request).error.empty());
  CHECK(nlohmann::json::parse(ask("token-list").lines.at(0))["uses_left"] == 0);
  const auto two = secret_of(line("token-create", {"gateway=gw-7", "uses=2"}));
  request.secret = two;
  REQUIRE(admin->enrol(request).error.empty());
  now += iris::second;
  REQUIRE(enrol(two).error.empty());
  CHECK_FALSE(admin->enrol(request).error.empty());
}
