#include "actors/link/enrol.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/pki/pki.hpp"
#include "core/link/token.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace iris;

TEST_CASE("no shard renews as a gateway, and each use of a token leaves an audit row") {
  constexpr Timestamp noon = 1'764'000'000 * second;
  TempDir dir;
  REQUIRE(pki::make_authority(dir.path("pki"), "Test", noon));
  std::shared_ptr<Store> store{std::move(*Store::create(dir.path("db")))};
  Admin::Terms terms{};
  terms.pki = dir.path("pki");
  terms.public_addresses = {"iris.example:7443"};
  terms.now = [] { return noon; };
  terms.random = random_bytes;
  Admin admin{store, terms};
  auto audited = [&](const std::string& what) {
    std::size_t rows = 0;
    REQUIRE(store->scan(Table::audit, "", [&](std::string_view, std::string_view value) {
      const auto row = decode_audit(value);
      rows += row && row->what == what && row->detail == "192.0.2.1:1";
      return true;
    }));
    return rows;
  };
  QueryRequest create;
  create.verb = "token-create";
  create.arguments = {"gateway=gw-1", "uses=2"};
  const auto made = admin.execute(create);
  REQUIRE(made.lines.size() == 1);
  EnrolRequest request;
  request.secret = parse_token(nlohmann::json::parse(made.lines[0])["token"].get<std::string>())->secret;
  request.csr = make_key_and_request()->csr;
  request.remote = "192.0.2.1:1";
  CHECK(audited("enrol") == 0);
  CHECK(admin.enrol(request).error.empty());
  CHECK(audited("enrol") == 1);
  request.csr = make_key_and_request()->csr;
  CHECK(admin.enrol(request).error.empty());
  CHECK(audited("enrol") == 2);
  request.csr = make_key_and_request()->csr;
  CHECK_FALSE(admin.enrol(request).error.empty());
  CHECK(audited("enrol") == 2);
  // Who is called as the gateway is, and is none.
  request.secret.clear();
  request.renews = Identity{Role::cloud, "default", "gw-1", false};
  CHECK(admin.enrol(request).error == "only gateways and operators renew their certificates here");
  request.renews = Identity{Role::operator_, "default", "gw-1", true};
  CHECK(admin.enrol(request).error == "this operator is not known here");
}
