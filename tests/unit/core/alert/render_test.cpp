#include "tests/unit/core/alert/alert_fixture.hpp"

#include "core/alert/country.hpp"
#include "core/alert/json_writer.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace iris;

TEST_CASE("the title is one sentence with the peer, its country and its network") {
  auto alert = sample_alert();
  CHECK(title_of(alert) ==
        "edgex-device-bacnet talked to 203.0.113.66 (DE, Lab Hosting), which is on threat list ipsum");
  alert.finding.act = "sent 21.3 MiB";
  CHECK(title_of(alert) == "edgex-device-bacnet sent 21.3 MiB to 203.0.113.66 (DE, Lab Hosting)");
  alert.finding.act = "was asked for data by";
  alert.finding.peer = Party{};
  alert.finding.peer.kind = EntityKind::device;
  alert.finding.peer.name = "kmc-thermostat";
  alert.finding.peer.address = *parse_ip("10.77.0.21");
  CHECK(title_of(alert) == "edgex-device-bacnet was asked for data by kmc-thermostat (10.77.0.21)");
  alert.finding.peer = Party{};
  alert.finding.act = "ran /usr/bin/ping";
  CHECK(title_of(alert) == "edgex-device-bacnet ran /usr/bin/ping");
}

TEST_CASE("the JSON form is the contract: these keys in this order, one line, and it parses") {
  auto text = to_json(sample_alert());
  CHECK(text.find('\n') == std::string::npos);
  auto json = nlohmann::ordered_json::parse(text);
  std::vector<std::string> keys;
  for (const auto& [key, value] : json.items())
    keys.push_back(key);
  CHECK(keys == std::vector<std::string>{"id",       "revision", "detector", "title",    "severity", "score",
                                         "tenant",   "site",     "gateway",  "entity",   "peer",     "first",
                                         "last",     "count",    "expected", "observed", "attack",   "also",
                                         "evidence", "loss",     "state",    "incident", "received", "late"});
  CHECK(nlohmann::json(json["entity"]) == nlohmann::json{{"kind", "service"},
                                                         {"name", "edgex-device-bacnet"},
                                                         {"alias", ""},
                                                         {"image", "edgexfoundry/device-bacnet:0.2"},
                                                         {"container", std::string(64, 'a')}});
  CHECK(json["peer"]["country"] == "DE");
  CHECK(json["peer"]["address"] == "203.0.113.66");
  CHECK(json["first"] == "2025-11-24T16:00:00.000000Z");
  CHECK(json["evidence"]["processes"][0]["args"][2] == "a \"b\"\n");
  CHECK(json["evidence"]["flows"][0]["dport"] == 443);
  CHECK(json["evidence"]["flows"][0]["proto"] == "tcp");
  CHECK(json["severity"] == "high");
  auto without_peer = sample_alert();
  without_peer.finding.peer = Party{};
  CHECK(nlohmann::json::parse(to_json(without_peer))["peer"].is_null());
}

TEST_CASE("bytes that are not UTF-8 still give JSON that parses") {
  auto alert = sample_alert();
  alert.finding.observed = std::string{"ok \xff\xc0\xaf \xed\xa0\x80 \xe2\x82\xac \x01 end"};
  auto json = nlohmann::json::parse(to_json(alert));
  auto observed = json["observed"].get<std::string>();
  CHECK(observed.find("\xe2\x82\xac") != std::string::npos);
  CHECK(observed.find("\xef\xbf\xbd") != std::string::npos);
  CHECK(observed.back() == 'd');
}

TEST_CASE("CEF escapes what would break its framing") {
  auto alert = sample_alert();
  alert.finding.act = "ran a|b\\c";
  alert.finding.peer = Party{};
  alert.finding.observed = "x=1\ny";
  auto line = to_cef(alert);
  CHECK(line.rfind("CEF:0|Iris|iris|1|network.known-bad|edgex-device-bacnet ran a\\|b\\\\c|8|", 0) == 0);
  CHECK(line.find("msg=x\\=1\\ny") != std::string::npos);
  CHECK(line.find('\n') == std::string::npos);
  CHECK(line.find("externalId=A-0123456789abcdef") != std::string::npos);
}

TEST_CASE("terminal text cannot carry control characters of a hostile argument") {
  auto alert = sample_alert();
  alert.finding.processes[0].args = {"sh", "\x1b[2J"};
  auto text = to_text(alert);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find("Germany (DE)") != std::string::npos);
}

TEST_CASE("country names") {
  CHECK(country_name("de") == "Germany");
  CHECK(country_name("ZW") == "Zimbabwe");
  CHECK(country_name("AD") == "Andorra");
  CHECK(country_name("XX") == "XX");
  CHECK(country_name("") == "");
}
