#include "actors/link/enrol.hpp"
#include "actors/query.hpp"
#include "cloud/pki/pki.hpp"
#include "node/gateway.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <caf/scoped_actor.hpp>
#include <catch2/catch.hpp>

#include <ctime>
#include <thread>

using namespace iris;
using namespace std::chrono_literals;

namespace {

/// An enrolled gateway whose cloud is not where its addresses say.
struct Astray {
  TempDir dir;
  EnrolmentFiles files{dir.path("node")};
  std::unique_ptr<Gateway> gateway;

  Astray() {
    const auto now = Timestamp(std::time(nullptr)) * iris::second;
    const auto authority = dir.path("pki");
    REQUIRE(pki::make_authority(authority, "Test", now));
    const auto bundle = pki::issue(authority, {Role::gateway, "acme", "gw-1", false}, now);
    REQUIRE(bundle);
    std::filesystem::create_directory(files.directory);
    REQUIRE(write_private_file(files.key(), bundle->key));
    REQUIRE(write_private_file(files.ca(), bundle->ca));
    REQUIRE(write_private_file(files.certificate(), bundle->certificate.pem));
    addresses("127.0.0.1:1");
    NodeOptions options;
    options.data = files.directory;
    GatewaySetup setup;
    setup.sources = false;
    setup.longest_pause = 50ms;
    auto started = Gateway::start(options, setup);
    INFO((started ? std::string{} : started.error().message));
    REQUIRE(started);
    gateway = std::move(*started);
  }
  void addresses(const std::string& lines) { REQUIRE(write_private_file(files.addresses(), lines + "\n")); }
  std::string status() {
    QueryRequest question;
    question.verb = "actor";
    question.arguments = {"uplink"};
    question.deadline_ms = 2'000;
    caf::scoped_actor self{gateway->system()};
    std::string text;
    self->request(gateway->inspector().get(), 5s, make_ref(question))
        .receive(
            [&](const Ref<QueryAnswer>& answer) {
              for (const auto& line : answer->lines)
                text += line;
            },
            [](const caf::error&) {});
    return text;
  }
  bool comes(const std::string& part) {
    for (int i = 0; i < 250; ++i, std::this_thread::sleep_for(20ms))
      if (status().find(part) != std::string::npos) return true;
    UNSCOPED_INFO(status());
    return false;
  }
};

} // namespace

TEST_CASE_METHOD(Astray, "issue: the uplink's status names the address and the reason of the last attempt") {
  CHECK(comes("\"last_error\":\"cannot connect to 127.0.0.1:1: unreachable"));
  CHECK(comes("\"state\":\"not connected: cannot connect to 127.0.0.1:1: unreachable"));
  addresses("127.0.0.1:2"); // edited beside a node that runs
  CHECK(comes("\"last_error\":\"cannot connect to 127.0.0.1:2: unreachable"));
}
