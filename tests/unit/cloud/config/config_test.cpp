#include "cloud/config/address.hpp"
#include "cloud/config/config.hpp"
#include "cloud/config/data_directory.hpp"
#include "cloud/config/webhook_url.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace iris;

namespace {

struct File {
  TempDir dir;
  std::string path = dir.path() + "/iris-cloud.toml";
  explicit File(const std::string& text) { std::ofstream{path} << text; }
  Result<CloudConfig> load() const {
    auto raw = read_config_file(path);
    if (!raw) return raw.error();
    return build_config(*raw);
  }
};

std::string error_of(const std::string& text) {
  File file{text};
  auto config = file.load();
  if (config) return "no error";
  auto message = config.error().message;
  auto at = message.find("iris-cloud.toml");
  return at == std::string::npos ? message : message.substr(at);
}

} // namespace

TEST_CASE("the file that init writes is good and holds the defaults") {
  File file{default_config_text({"0.0.0.0:7443"}, {"localhost:7443", "10.0.0.1:7443"})};
  auto config = file.load();
  REQUIRE(config);
  CHECK(config->public_addresses == std::vector<std::string>{"localhost:7443", "10.0.0.1:7443"});
  CHECK(config->scale == TimeScale{});
  CHECK(config->quorum == 3);
  CHECK(config->sinks.empty());
}

TEST_CASE("a demonstration's settings") {
  File file{
      "[listen]\nhealth = \"127.0.0.1:0\"\n[learning]\nday = \"2s\"\nwindow = \"500ms\"\nquorum = "
      "1\nmin_days = 4\n"
      "[alerts]\nquiet = \"90s\"\n[intelligence]\nlists = [\"/a\", \"/b\"]\n"
      "[[sink]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"http://127.0.0.1:1/x\"\nsecret = "
      "\"s\"\ntimeout = \"2s\"\n"
      "[[sink]]\nname = \"log\"\ntype = \"syslog\"\naddress = \"h:6514\"\ntls = true\ntenant = \"acme\"\n"};
  auto config = file.load();
  REQUIRE(config);
  CHECK(config->scale.day == 2 * second);
  CHECK(config->scale.window == 500 * millisecond);
  CHECK(config->scale.alert_quiet == 90 * second);
  CHECK(config->min_days == 4);
  CHECK(config->threat_lists == std::vector<std::string>{"/a", "/b"});
  REQUIRE(config->sinks.size() == 2);
  CHECK(config->sinks[0].timeout == 2 * second);
  CHECK(config->sinks[1].tls);
  CHECK(config->sinks[1].tenant == "acme");
}

TEST_CASE("every mistake gives one line with the file, the line and what to do") {
  CHECK(error_of("[learning]\ndya = \"1d\"\n") ==
        "iris-cloud.toml:2: unknown key \"learning.dya\"; iris-cloud run --help lists them");
  CHECK(error_of("[learning]\nday = \"1 fortnight\"\n") ==
        "iris-cloud.toml:2: learning.day: \"1 fortnight\" is not a duration; write 250ms, 10s, 5m, 1h or 7d");
  CHECK(error_of("\n[learning]\n\nquorum = 0\n") ==
        "iris-cloud.toml:4: learning.quorum: \"0\" is not a number from 1 to 1000");
  CHECK(error_of("[learning]\nday = [\"1d\"]\n") ==
        "iris-cloud.toml:2: learning.day takes one value, not a list");
  CHECK(error_of("[log]\nlevel = \"loud\"\n") ==
        "iris-cloud.toml:2: log.level: must be trace, debug, info, warn, error or off");
  CHECK(
      error_of("[listen]\naddresses = [\"localhost:7443\"]\n") ==
      "iris-cloud.toml:2: listen.addresses: address \"localhost:7443\": the host must be an address of this "
      "machine in numbers, e.g. 0.0.0.0 for all");
  CHECK(
      error_of("[listen]\npublic = [\"0.0.0.0:7443\"]\n") ==
      "iris-cloud.toml:2: listen.public: address \"0.0.0.0:7443\": nobody can connect to 0.0.0.0; write the "
      "name or address of this machine");
  CHECK(error_of("[listen]\npublic = [\"iris example:7443\"]\n").find("neither a name nor an address") !=
        std::string::npos);
  CHECK(error_of("[listen]\npublic = [\"iris.example\"]\n").rfind("iris-cloud.toml:2: listen.public: ", 0) ==
        0);
  CHECK(error_of("[listen]\npublic = [\"iris.example:0\"]\n").find("port 0") != std::string::npos);
  CHECK(error_of("[listen]\nhealth = \"here\"\n").rfind("iris-cloud.toml:2: listen.health: ", 0) == 0);
  CHECK(error_of("[listen]\nhealth = \"localhost:9464\"\n") == "no error");
  CHECK(error_of("[[sink]]\nname = \"a\"\ntype = \"syslog\"\naddress = \"h\"\n")
            .rfind("iris-cloud.toml:1: sink: ", 0) == 0);
  CHECK(error_of("[[sink]]\nname = \"a\"\ntype = \"carrier pigeon\"\n") ==
        "iris-cloud.toml:1: sink: type must be \"webhook\" or \"syslog\"");
  CHECK(error_of("[[sink]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"ftp://x\"\n") ==
        "iris-cloud.toml:1: sink: a webhook needs url = \"http://...\" or \"https://...\"");
  CHECK(error_of("[[sink]]\nnmae = \"a\"\n").rfind("iris-cloud.toml:2: unknown key \"nmae\" of a sink", 0) ==
        0);
  auto twice = "[[sink]]\nname = \"a\"\ntype = \"syslog\"\naddress = \"h:1\"\n";
  CHECK(error_of(std::string{twice} + twice) == "iris-cloud.toml:5: sink: the name a is used twice");
  auto broken = error_of("[learning]\nday = \"1d\nquorum = 3\n");
  CHECK(broken.rfind("iris-cloud.toml:2: not valid TOML: ", 0) == 0);
  CHECK(broken.find('\n') == std::string::npos);
  CHECK(read_config_file("/nowhere/x.toml").error().message ==
        "there is no configuration file /nowhere/x.toml");
}

TEST_CASE("webhook addresses") {
  auto url = parse_webhook_url("https://soc.example/hooks/iris?a=b");
  REQUIRE(url);
  CHECK(url->tls);
  CHECK(url->host == "soc.example");
  CHECK(url->port == "443");
  CHECK(url->target == "/hooks/iris?a=b");
  CHECK(parse_webhook_url("http://[::1]:8080")->host == "::1");
  CHECK(parse_webhook_url("http://[::1]:8080")->port == "8080");
  CHECK(parse_webhook_url("http://h?q")->target == "/?q");
  for (const auto* bad :
       {"ftp://h/", "http://", "http://h:x/", "http://h:0/", "http://h:99999/", "http://[::1/",
        "http://0.0.0.0/", "http://-h/", "http://user:pw@h/", "http://h/a b", "http://h/\r\nX: y"})
    CHECK_FALSE(parse_webhook_url(bad));
  const auto secret = parse_webhook_url("https://user:secretpw@h/");
  REQUIRE_FALSE(secret);
  CHECK(secret.error().message.find("secretpw") == std::string::npos);
}

TEST_CASE("a configuration that nests 200,000 levels deep is an error and not the end of the program") {
  const std::string deep(200'000, '[');
  CHECK(error_of("x = 1\na = " + deep) == "iris-cloud.toml:2: nests deeper than 16 levels; no setting does");
  std::string tables = "a = ", dotted = "a", quoted = "a";
  for (int i = 0; i < 100'000; ++i) {
    tables += "{a=";
    dotted += ".a";
    quoted += ".\"#\"";
  }
  for (const auto& text : {tables, dotted + " = 1", "[" + dotted + "]", quoted + " = 1"})
    CHECK(error_of(text) == "iris-cloud.toml:1: nests deeper than 16 levels; no setting does");
  // What only looks deep: in comments, in each kind of string.
  CHECK(error_of("#" + deep) == "no error");
  for (const std::string open : {"\"", "'", "\"\"\"\\\"\n", "'''\n"})
    CHECK(error_of("[intelligence]\nlists = [" + open + deep + open.substr(0, open.size() < 3 ? 1 : 3) +
                   "] # " + deep) == "no error");
  CHECK(error_of("[intelligence]\nlists = [\n  \"/a\", # " + std::string(99, '.') + "\n  \"/" +
                 std::string(99, '.') + "\"\n]\n") == "no error");
  CHECK(error_of("[[sink]]\nname = \"\\\"" + deep).find("iris-cloud.toml:2: not valid TOML") == 0);
  CHECK(error_of("a = \"" + std::string(2 << 20, 'x') + "\"").find("is larger than 1 MiB") !=
        std::string::npos);
}

TEST_CASE("an empty list of addresses is an error instead of the default in silence") {
  for (const std::string key : {"addresses", "public"})
    CHECK(error_of("[listen]\n" + key + " = []\n") ==
          "iris-cloud.toml:2: listen." + key +
              ": must hold at least one address; without the line the default is used");
  CHECK(error_of("[intelligence]\nlists = []\nmmdb = []\n") == "no error");
}

TEST_CASE("a sink that could never deliver is an error and does not wait for its first alert") {
  auto hook = [](const std::string& more) {
    return error_of("[[sink]]\nname = \"a\"\ntype = \"webhook\"\n" + more);
  };
  CHECK(hook("url = \"https://user:secretpw@h/\"\n") ==
        "iris-cloud.toml:1: sink: a webhook's address must not hold a password; use secret");
  CHECK(hook("url = \"http://\"\n").find("iris-cloud.toml:1: sink: url \"http://\" is not an address") == 0);
  CHECK(hook("url = \"http://h/\"\n") == "no error");
  CHECK(hook("url = \"http://h/\"\ntenant = \"no such TENANT\"\n")
            .find("iris-cloud.toml:1: sink: tenant \"no such TENANT\" cannot be one") == 0);
  for (const std::string tenant : {"*", "acme"})
    CHECK(hook("url = \"http://h/\"\ntenant = \"" + tenant + "\"\n") == "no error");
  CHECK(error_of("[[sink]]\nname = \"acme/a\"\ntype = \"webhook\"\nurl = \"http://h/\"\n") ==
        "iris-cloud.toml:1: sink: the name acme/a must not hold a slash");
}

TEST_CASE("the cloud does not take the data directory of a node") {
  TempDir dir;
  CloudPaths paths{dir.path("data")};
  CHECK(check_data_directory(paths).error().message.find("iris-cloud init --data " + paths.data) !=
        std::string::npos);
  REQUIRE(make_data_directory(paths));
  CHECK(check_data_directory(paths));
  CHECK(std::filesystem::status(paths.data).permissions() == std::filesystem::perms::owner_all);
  std::ofstream{paths.data + "/key.pem"} << "x";
  CHECK(check_data_directory(paths).error().message.find("data directory of an iris-node") !=
        std::string::npos);
  CHECK_FALSE(make_data_directory(paths));
}

TEST_CASE("an address that only this machine reaches is known") {
  for (const auto* text : {"localhost:7443", "127.0.0.1:1", "[::1]:7443"})
    CHECK(is_local_address(text));
  for (const auto* text : {"iris.example:7443", "10.0.0.1:7443", "nonsense"})
    CHECK_FALSE(is_local_address(text));
}

TEST_CASE("a flag comes before the environment, and that before the file") {
  File file{"[learning]\nday = \"3d\"\nquorum = 2\n[alerts]\nquiet = \"2h\"\n"};
  RawConfig flags;
  flags.settings["learning.day"] = {{"1s"}, "--learning-day"};
  RawConfig environment;
  environment.settings["learning.day"] = {{"2s"}, "IRIS_LEARNING_DAY"};
  environment.settings["learning.quorum"] = {{"1"}, "IRIS_LEARNING_QUORUM"};
  auto config = build_config(merged(flags, merged(environment, *read_config_file(file.path))));
  REQUIRE(config);
  CHECK(config->scale.day == second);
  CHECK(config->quorum == 1);
  CHECK(config->scale.alert_quiet == 7'200 * second);
  environment.settings["learning.quorum"] = {{"x"}, "IRIS_LEARNING_QUORUM"};
  CHECK(build_config(environment).error().message.rfind("IRIS_LEARNING_QUORUM: learning.quorum: ", 0) == 0);
}

TEST_CASE("every setting has a flag and a variable of its own") {
  std::map<std::string, int> names;
  for (const auto& option : cloud_options())
    ++names[environment_name(option)];
  CHECK(names.size() == cloud_options().size());
  CHECK(names.count("IRIS_LEARNING_DAY") == 1);
}
