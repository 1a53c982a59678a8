#include "tests/actors/link/world.hpp"

#include "actors/link/enrol.hpp"
#include "actors/link/private_file.hpp"
#include "actors/link/tls_context.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/pki/pki.hpp"
#include "shell/channel.hpp"
#include "shell/renewal.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

using namespace iris;
using namespace linktest;

namespace {

/// The cloud's own administration behind a real link, and the bundle of an operator who was added 300 of 365
/// days ago.
struct OldOperator {
  TempDir dir;
  Authority authority;
  Timestamp at = Timestamp(std::time(nullptr)) * iris::second - 300 * pki::day;
  std::shared_ptr<Store> store{std::move(*Store::create(dir.path("db")))};
  Admin admin{store, {authority.directory, {"127.0.0.1:1"}, [this] { return at; }, random_bytes, {}}};
  Cloud cloud{authority.cloud(), {}, [this](const EnrolRequest& request, auto reply) {
                asked.add(request);
                reply(admin.enrol(request));
              }};
  Happened<EnrolRequest> asked;
  LinkChannelOptions options;

  OldOperator() {
    const auto made = ask("operators-add", {"ann", "tenant=acme"});
    REQUIRE(made.lines.size() == 1);
    const auto bundle = nlohmann::json::parse(made.lines[0]);
    options.bundle = dir.path("bundle");
    options.server = cloud.address();
    options.patience = 5s;
    std::filesystem::create_directory(options.bundle);
    for (const auto& [file, field] :
         {std::pair{"cert.pem", "certificate"}, std::pair{"key.pem", "key"}, std::pair{"ca.pem", "ca"}})
      REQUIRE(write_private_file(path(file), bundle[field].get<std::string>()));
    at = Timestamp(std::time(nullptr)) * iris::second;
  }
  QueryAnswer ask(std::string verb, std::vector<std::string> arguments) {
    QueryRequest request;
    request.verb = std::move(verb);
    request.arguments = std::move(arguments);
    return admin.execute(request);
  }
  std::string path(const std::string& file) const { return options.bundle + "/" + file; }
  std::string certificate() const { return *read_small_file(path("cert.pem")); }
  std::int64_t now() const { return at / iris::second; }
};

} // namespace

TEST_CASE_METHOD(OldOperator,
                 "a shell renews its operator's certificate once two thirds of its life are over",
                 "[link][enrol]") {
  const auto old = certificate(), key = *read_small_file(path("key.pem"));
  CHECK(*renew_when_due(options, now() - 100 * 86'400) == Renewal::not_due); // 200 of 365 days
  CHECK(*renew_when_due(options, now() + 100 * 86'400) == Renewal::not_due); // expired: the cloud decides
  CHECK(asked.size() == 0);
  const auto renewed = renew_when_due(options, now());
  if (!renewed) FAIL(renewed.error().message);
  CHECK(*renewed == Renewal::renewed);
  CHECK(certificate() != old);
  CHECK(certificate_times(certificate())->ends > now() + 364 * 86'400);
  CHECK(*read_small_file(path("key.pem")) == key);
  const auto loaded =
      TlsContext::load(TlsContext::Use::client, {path("cert.pem"), path("key.pem"), path("ca.pem"), ""});
  REQUIRE(loaded);
  CHECK((*loaded)->identity() == Identity{Role::operator_, "acme", "ann", false});
  CHECK(std::distance(std::filesystem::directory_iterator{options.bundle}, {}) == 3); // nothing is left lying
  CHECK(*renew_when_due(options, now()) == Renewal::not_due);
  CHECK(asked.size() == 1);
}

TEST_CASE_METHOD(OldOperator, "a shell can renew early once the authority has a successor", "[link][enrol]") {
  const auto early = now() - 200 * 86'400; // 100 of 365 days
  at = early * iris::second;
  auto refused = renew_when_due(options, early, true);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("too early") != std::string::npos);
  REQUIRE(ask("ca-roll", {}).status == 0);
  REQUIRE(cloud.server->reload());
  CHECK(*renew_when_due(options, early) == Renewal::not_due); // by itself it waits
  auto renewed = renew_when_due(options, early, true);
  if (!renewed) FAIL(renewed.error().message);
  CHECK(*renewed == Renewal::renewed);
  CHECK(ask("ca-retire", {"dry=true"}).lines.at(0).find("\"operators\":0") != std::string::npos);
}

TEST_CASE_METHOD(OldOperator, "a renewal that fails is one line and leaves the bundle as it was",
                 "[link][enrol]") {
  const auto old = certificate();
  const auto one_line = [&](const Result<Renewal>& outcome, const std::string& why) {
    REQUIRE_FALSE(outcome);
    INFO(outcome.error().message);
    CHECK(outcome.error().message.find("the certificate, which ends at 20") == 0);
    CHECK(outcome.error().message.find(why) != std::string::npos);
    CHECK(outcome.error().message.find('\n') == std::string::npos);
    CHECK(certificate() == old);
  };
  SECTION("the operator is revoked") {
    REQUIRE(ask("operators-revoke", {"ann", "tenant=acme"}).status == 0);
    one_line(renew_when_due(options, now()), "this operator is revoked");
    REQUIRE(cloud.server->reload()); // now the list says it, too
    one_line(renew_when_due(options, now()), "revoked");
    CHECK(asked.size() == 1);
  }
  SECTION("the cloud is away") {
    options.server = "127.0.0.1:1";
    one_line(renew_when_due(options, now()), "cannot connect");
  }
  SECTION("the key is damaged") {
    REQUIRE(write_private_file(path("key.pem"), "junk"));
    one_line(renew_when_due(options, now()), "not a key in PEM form");
  }
  SECTION("another shell is at it") {
    const int folder = ::open(options.bundle.c_str(), O_RDONLY | O_DIRECTORY);
    REQUIRE(::flock(folder, LOCK_EX) == 0);
    CHECK(*renew_when_due(options, now()) == Renewal::busy);
    CHECK(certificate() == old);
    CHECK(asked.size() == 0);
    ::close(folder);
    CHECK(*renew_when_due(options, now()) == Renewal::renewed);
  }
}
