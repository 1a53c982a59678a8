#include "cloud/pki/pki.hpp"
#include "cloud/store/rows.hpp"
#include "cloud/store/store.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <sys/wait.h>

#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <sstream>

using namespace iris;

namespace {

struct Outcome {
  int code = -1;
  std::string text; ///< both outputs
};

/// Runs a shell's line to its end.
Outcome run(const std::string& line) {
  Outcome outcome;
  auto* pipe = ::popen((line + " 2>&1").c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4'096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;)
    outcome.text.append(buffer, got);
  const int status = ::pclose(pipe);
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return outcome;
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in{path, std::ios::binary};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

struct MadeCloud {
  TempDir dir;
  std::string data = dir.path("data");
  MadeCloud() {
    auto made = run(IRIS_CLOUD " init --data " + data + " --address iris.example:7443");
    INFO(made.text);
    REQUIRE(made.code == 0);
  }
  /// setsid takes the terminal away, so that a question would read what stands in the pipe.
  Outcome check(const std::string& answer = {}) const {
    return run("echo '" + answer + "' | setsid -w timeout 60 " IRIS_CLOUD " check --data " + data);
  }
  std::string pki(const std::string& name) const { return data + "/pki/" + name; }
  std::map<std::string, std::string> files() const {
    std::map<std::string, std::string> result;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(data))
      result[entry.path()] =
          entry.is_regular_file()
              ? slurp(entry.path()) + std::to_string(entry.last_write_time().time_since_epoch().count())
              : std::string{};
    return result;
  }
};

} // namespace

TEST_CASE_METHOD(MadeCloud, "check finds a new cloud good and changes no file of it") {
  const auto before = files();
  const auto found = check();
  INFO(found.text);
  CHECK(found.code == 0);
  CHECK(found.text.find("FAULT") == std::string::npos);
  CHECK(files() == before);
}

TEST_CASE_METHOD(MadeCloud, "check finds each file of the authority that run would stop at") {
  for (const std::string name : {"ca.pem", "ca.key", "crl.pem", "server.pem", "server.key", "signing.key"}) {
    const auto good = slurp(pki(name));
    std::ofstream{pki(name), std::ios::trunc} << "junk";
    const auto found = check();
    INFO(name << ": " << found.text);
    CHECK(found.code == 1);
    CHECK(found.text.find("FAULT  authority") != std::string::npos);
    std::ofstream{pki(name), std::ios::trunc} << good;
  }
  // A good key, but of another authority.
  REQUIRE(iris::pki::make_authority(dir.path("other"), "other", Timestamp(std::time(nullptr)) * second));
  std::ofstream{pki("ca.key"), std::ios::trunc} << slurp(dir.path("other/ca.key"));
  const auto found = check();
  INFO(found.text);
  CHECK(found.code == 1);
  CHECK(found.text.find("ca.key") != std::string::npos);
}

TEST_CASE_METHOD(MadeCloud, "an encrypted signing key is an error and no question for its pass phrase") {
  REQUIRE(run("openssl pkcs8 -topk8 -in " + pki("signing.key") + " -out " + pki("x") +
              " -passout pass:secret && mv " + pki("x") + " " + pki("signing.key"))
              .code == 0);
  const auto found = check("secret");
  INFO(found.text);
  CHECK(found.code == 1);
  CHECK(found.text.find("signing.key holds no Ed25519 key without a pass phrase") != std::string::npos);
  CHECK(found.text.find("Enter PEM") == std::string::npos);
}

TEST_CASE_METHOD(MadeCloud,
                 "check tells of a sink's CA that is not there, and of a database that is not one") {
  std::ofstream{data + "/iris-cloud.toml", std::ios::app}
      << "[[sink]]\nname = \"soc\"\ntype = \"webhook\"\nurl = \"https://soc.example/\"\nca = "
         "\"/nowhere/ca.pem\"\n";
  auto found = check();
  INFO(found.text);
  CHECK(found.code == 1);
  CHECK(found.text.find("FAULT  sinks          soc: ca: /nowhere/ca.pem") != std::string::npos);
  CHECK(found.text.find("ok     database") != std::string::npos);
  std::ofstream{data + "/db/CURRENT", std::ios::trunc} << "MANIFEST-999999\n";
  found = check();
  CHECK(found.text.find("FAULT  database") != std::string::npos);
  std::filesystem::remove_all(data + "/db");
  found = check();
  CHECK(found.text.find("there is no database at " + data + "/db") != std::string::npos);
  CHECK_FALSE(std::filesystem::exists(data + "/db"));
}

TEST_CASE_METHOD(MadeCloud, "check tells of a database that a newer iris-cloud made") {
  {
    auto store = Store::open(data + "/db");
    REQUIRE(store);
    StoreWrite write;
    write.put(Table::meta, "format", KeyBuilder{}.u64(99).str());
    REQUIRE((*store)->write(write));
  }
  const auto found = check();
  INFO(found.text);
  CHECK(found.code == 1);
  CHECK(found.text.find("has format 99") != std::string::npos);
}

TEST_CASE_METHOD(MadeCloud, "issue: a list of revocations signed while the clock was ahead is no fault") {
  const auto ahead = Timestamp(std::time(nullptr)) * iris::second + 100 * pki::day;
  REQUIRE(pki::revoke(data + "/pki", {"0abc"}, ahead, ahead + pki::day));
  const auto outcome = check();
  INFO(outcome.text);
  CHECK(outcome.code == 0);
}

TEST_CASE_METHOD(MadeCloud, "issue: what a gateway says of itself cannot act on the terminal") {
  {
    auto store = Store::open(data + "/db");
    REQUIRE(store);
    EnrolmentRow enrolled;
    enrolled.serials = {"0a"};
    enrolled.enrolled_at = 1;
    GatewayRow seen;
    seen.version = "\x1b]0;owned\x07\x1b[2J";
    StoreWrite write;
    write.put(Table::gateways, enrolment_key("default", "gw-1"), encode(enrolled));
    write.put(Table::gateways, gateway_key("default", "gw-1"), encode(seen));
    REQUIRE((*store)->write(write));
  }
  const auto listed = run(IRIS_CLOUD " gateways list --data " + data);
  INFO(listed.text);
  CHECK(listed.code == 0);
  CHECK(listed.text.find("\\x1b]0;owned\\x07") != std::string::npos);
  CHECK(listed.text.find('\x1b') == std::string::npos);
}
