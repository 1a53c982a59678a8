#include "tests/actors/cloud/cloud_fixture.hpp"

#include "actors/inspector.hpp"
#include "actors/query_codec.hpp"
#include "cloud/store/rows.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

using namespace iris;
using namespace iris::test;

namespace {

struct TwoTenants {
  TempDir dir;
  Cloud cloud{dir};
  std::string acme_alert, other_alert;
  TwoTenants() {
    for (const auto* tenant : {"acme", "other"}) {
      auto gateway = cloud.aggregator("gw-1", tenant);
      (void)cloud.hello(gateway, 0);
      CHECK(cloud.send(gateway, 1, 1, findings({"a"})) == 1);
    }
    for (const auto& alert : cloud.stored_alerts())
      (alert.tenant == "acme" ? acme_alert : other_alert) = alert.id;
  }
};

} // namespace

TEST_CASE_METHOD(TwoTenants, "an operator sees, shows and changes his tenant's alerts only") {
  auto mine = cloud.query("alerts", {}, "acme");
  REQUIRE(mine.lines.size() == 1);
  CHECK(mine.lines[0].find(acme_alert) != std::string::npos);
  CHECK(cloud.query("alerts", {}, "*").lines.size() == 2);
  CHECK(cloud.query("alerts", {}, "nobody").lines.empty());
  CHECK(cloud.query("alert", {acme_alert}, "acme").lines.size() == 1);
  auto foreign = cloud.query("alert", {other_alert}, "acme");
  auto none = cloud.query("alert", {"A-0"}, "acme");
  CHECK(foreign.status == std::uint8_t(Errc::not_found));
  CHECK(foreign.status == none.status); // no way to tell that it exists
  CHECK(cloud.query("close", {other_alert}, "acme").status == std::uint8_t(Errc::not_found));
  CHECK(cloud.query("gateways", {}, "acme").lines.size() == 1);
}

TEST_CASE_METHOD(TwoTenants, "what changes something needs an admin and leaves an audit row and a revision") {
  auto before = cloud.rows(Table::outbox);
  CHECK(cloud.query("close", {acme_alert}, "acme", false).status == std::uint8_t(Errc::refused));
  CHECK(cloud.query("promote", {"edgex-mongo"}, "acme", false).status == std::uint8_t(Errc::refused));
  CHECK(cloud.rows(Table::audit) == 0);
  auto closed = cloud.query("close", {acme_alert}, "acme", true);
  REQUIRE(closed.lines.size() == 1);
  CHECK(nlohmann::json::parse(closed.lines[0])["state"] == "closed");
  CHECK(nlohmann::json::parse(closed.lines[0])["revision"] == 2);
  CHECK(cloud.rows(Table::outbox) == before + 1);
  CHECK(cloud.rows(Table::audit) == 1);
  CHECK(cloud.query("alerts", {"state=open"}, "acme").lines.empty());
  CHECK(cloud.query("alerts", {"state=closed"}, "acme").lines.size() == 1);
  auto audit = cloud.query("audit", {}, "acme");
  REQUIRE(audit.lines.size() == 1);
  CHECK(audit.lines[0].find("operator test") != std::string::npos);
  CHECK(cloud.query("audit", {}, "other").lines.empty());
}

TEST_CASE_METHOD(TwoTenants, "accept and promote refuse what does not exist, and change nothing") {
  const auto accepted = cloud.query("accept", {"edgex-core-data", "nonsense"}, "acme", true);
  CHECK(accepted.status == std::uint8_t(Errc::invalid));
  CHECK(accepted.message == "\"nonsense\" is no key: use #0123456789abcdef as \"baseline SERVICE\" shows");
  CHECK(cloud.query("accept", {"edgex-core-data", "#0123"}, "acme", true).status ==
        std::uint8_t(Errc::invalid));
  CHECK(cloud.query("accept", {"A-0"}, "acme", true).status == std::uint8_t(Errc::not_found));
  CHECK(cloud.query("accept", {"no-such-service", "#0123456789abcdef"}, "acme", true).status ==
        std::uint8_t(Errc::not_found));
  CHECK(cloud.query("promote", {"no-such-service"}, "acme", true).status == std::uint8_t(Errc::not_found));
  CHECK(cloud.rows(Table::audit) == 0);
}

TEST_CASE_METHOD(TwoTenants,
                 "services of a gateway are found by its name, with the tenant too, and by no other") {
  CHECK(cloud.query("services", {"gw-1"}, "acme").status == 0);
  CHECK(cloud.query("services", {"acme/gw-1"}, "*").status == 0);
  CHECK(cloud.query("services", {"nope"}, "acme").message ==
        "no gateway nope is known; \"gateways\" lists them");
  CHECK(cloud.query("services", {"other/gw-1"}, "acme").status == std::uint8_t(Errc::not_found));
}

TEST_CASE_METHOD(TwoTenants, "the audit of all tenants is one list, the newest first") {
  (void)cloud.query("ack", {acme_alert}, "acme", true);
  cloud.clock += second;
  (void)cloud.query("ack", {other_alert}, "other", true);
  cloud.clock += second;
  (void)cloud.query("close", {acme_alert}, "acme", true);
  const auto audit = cloud.query("audit", {}, "*");
  REQUIRE(audit.lines.size() == 3);
  std::vector<std::string> tenants, times;
  for (const auto& line : audit.lines) {
    const auto json = nlohmann::json::parse(line);
    tenants.push_back(json["tenant"]);
    times.push_back(json["at"]);
  }
  CHECK(tenants == std::vector<std::string>{"acme", "other", "acme"});
  CHECK(std::is_sorted(times.rbegin(), times.rend()));
}

TEST_CASE_METHOD(TwoTenants, "a question that is not understood says what is") {
  CHECK(cloud.query("alerts", {"state=green"}).message.find("state=open|acknowledged|closed") !=
        std::string::npos);
  CHECK(cloud.query("alerts", {"limit=0"}).status == std::uint8_t(Errc::invalid));
  CHECK(cloud.query("dance").message.find("known are alerts") != std::string::npos);
  CHECK(cloud.query("actors", {"gw-9"}).message == "no gateway gw-9 is connected; \"gateways\" lists them");
  CHECK(cloud.query("baseline", {"nothing"}).status == std::uint8_t(Errc::not_found));
}

TEST_CASE_METHOD(TwoTenants, "actors are listed by node; one that does not answer makes the answer partial") {
  cloud.world->inspector.set(spawn_inspector(cloud.system, cloud.directory));
  auto heard = std::make_shared<FakeGateway>();
  auto uplink = spawn_in<UplinkActor, FakeUplinkState>(cloud.system, cloud.directory, {.kind = "fake"},
                                                       fake_uplink, heard);
  std::vector<std::string> closed;
  auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  cloud.self->send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(session));
  cloud.settle();
  auto all = cloud.query("actors", {}, "acme");
  CHECK(all.status == 0);
  CHECK_FALSE(all.partial);
  int of_gateway = 0;
  for (const auto& line : all.lines) {
    auto json = nlohmann::json::parse(line);
    of_gateway += json["node"] == "gw-1" ? 1 : 0;
    CHECK(json["name"].get<std::string>().find("other/") ==
          std::string::npos); // aggregator of the other tenant
  }
  CHECK(of_gateway == 1);
  CHECK(cloud.query("actors", {"cloud"}, "acme").lines.size() + 1 == all.lines.size());
  CHECK(cloud.query("actors", {"gw-1"}, "other").status == std::uint8_t(Errc::not_found));
  heard->silent = true;
  QueryRequest request;
  request.verb = "actors";
  request.tenant = "acme";
  request.deadline_ms = 500;
  auto pending =
      cloud.self->request(cloud.world->frontdesk.get(), std::chrono::seconds{5}, make_ref(request));
  cloud.settle();
  cloud.pass(std::chrono::seconds{1}, std::chrono::milliseconds{100});
  QueryAnswer answer;
  pending.receive([&](const Ref<QueryAnswer>& got) { answer = *got; },
                  [](const caf::error& error) { FAIL(caf::to_string(error)); });
  CHECK(answer.partial);
  CHECK(answer.status == 0);
  CHECK(answer.lines.size() + 1 == all.lines.size());
}

TEST_CASE("names of the cloud's actors are shown to their tenant only") {
  CHECK(actor_visible(R"({"name":"acme/gw-1"})", "acme"));
  CHECK_FALSE(actor_visible(R"({"name":"acme/gw-1"})", "acm"));
  CHECK(actor_visible(R"({"name":"x/y"})", "*"));
  CHECK_FALSE(actor_visible("garbage", "acme"));
}

TEST_CASE("actors that belong to no tenant are shown to an operator of all tenants only") {
  // A sink's state tells where it goes and how many alerts all tenants have; the supervisor's names gateways.
  for (const auto* line : {R"({"name":"soc","kind":"notifier"})", R"({"name":"","kind":"supervisor"})",
                           R"({"name":"acme"})", R"({"kind":"store"})", R"({"name":7})"}) {
    CHECK_FALSE(actor_visible(line, "acme"));
    CHECK_FALSE(actor_visible(line, ""));
    CHECK(actor_visible(line, "*"));
  }
}

TEST_CASE("a gateway's rows cannot speak in the name of another node") {
  CHECK(with_node(R"({"id":1})", "gw") == R"({"node":"gw","id":1})");
  CHECK(with_node("{}", "gw") == R"({"node":"gw"})");
  CHECK(with_node(R"({"z":2,"id":1})", "gw") == R"({"node":"gw","z":2,"id":1})"); // in their order
  for (const auto* forged : {R"({"node":"cloud","id":1})", R"({"id":1,"node":"cloud","node":"gw-2"})",
                             R"({"id":1,"\u006eode":"cloud"})", "{\n\"node\":\"cloud\",\r\n\"id\":1}"}) {
    INFO(forged);
    CHECK(with_node(forged, "gw") == R"({"node":"gw","id":1})");
  }
  CHECK(with_node(R"({"node":"cloud"})", "gw") == R"({"node":"gw"})");
  const std::string deep = "{\"a\":" + std::string(300'000, '[') + std::string(300'000, ']') + "}";
  for (const std::string& bad : {std::string{}, std::string{"[1]"}, std::string{"\"node\""}, std::string{"{"},
                                 std::string{"{}{}"}, std::string{"garbage"}, deep})
    CHECK_FALSE(with_node(bad, "gw"));
}

TEST_CASE_METHOD(TwoTenants, "rows of gateways that are called alike, or \"cloud\", name the tenant too") {
  cloud.world->inspector.set(spawn_inspector(cloud.system, cloud.directory));
  std::vector<std::string> closed;
  auto heard = std::make_shared<FakeGateway>();
  for (const auto& [tenant, name] : std::vector<std::pair<std::string, std::string>>{
           {"acme", "cloud"}, {"acme", "gw-1"}, {"other", "gw-1"}}) {
    auto uplink = spawn_in<UplinkActor, FakeUplinkState>(cloud.system, cloud.directory, {.kind = "fake"},
                                                         fake_uplink, heard);
    auto session = cloud.open_session(Role::gateway, tenant, name, closed);
    cloud.self->send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(session));
  }
  cloud.settle();
  std::set<std::string> nodes;
  for (const auto& line : cloud.query("actors", {}, "*").lines)
    nodes.insert(nlohmann::json::parse(line)["node"].get<std::string>());
  CHECK(nodes == std::set<std::string>{"cloud", "acme/cloud", "acme/gw-1", "other/gw-1"});
  nodes.clear();
  for (const auto& line : cloud.query("actors", {}, "other").lines)
    nodes.insert(nlohmann::json::parse(line)["node"].get<std::string>());
  CHECK(nodes == std::set<std::string>{"cloud", "gw-1"});
}

namespace {

/// As `iris-cloud gateways rename` leaves it.
void call(Cloud& cloud, const std::string& tenant, const std::string& id, const std::string& name) {
  EnrolmentRow row;
  row.enrolled_at = noon;
  row.name = name;
  StoreWrite write;
  write.put(Table::gateways, enrolment_key(tenant, id), encode(row));
  REQUIRE(cloud.world->store->write(write));
}

void lose(Cloud& cloud, const std::string& tenant, const std::string& id, Timestamp at, const LossRow& row) {
  static std::uint64_t number = 0;
  StoreWrite write;
  write.put(Table::observations, loss_key(tenant, id, at, ++number), encode(row));
  REQUIRE(cloud.world->store->write(write));
}

std::vector<std::string> fields(const QueryAnswer& answer, const char* field) {
  std::vector<std::string> found;
  for (const auto& line : answer.lines) {
    const auto json = nlohmann::json::parse(line);
    found.push_back(json[field].is_string() ? json[field].get<std::string>() : json[field].dump());
  }
  return found;
}

} // namespace

TEST_CASE_METHOD(TwoTenants, "a gateway's name does wherever its id does, and listings show both") {
  using Texts = std::vector<std::string>;
  call(cloud, "acme", "gw-1", "press");
  CHECK(fields(cloud.query("gateways", {}, "acme"), "gateway_name") == Texts{"press"});
  CHECK(fields(cloud.query("gateways", {}, "acme"), "gateway") == Texts{"gw-1"});
  for (const auto* wanted : {"press", "acme/press", "gw-1", "acme/gw-1"}) {
    INFO(wanted);
    CHECK(cloud.query("services", {wanted}, "acme").status == 0);
    const auto alerts = cloud.query("alerts", {std::string{"gateway="} + wanted}, "acme");
    CHECK(fields(alerts, "gateway") == Texts{"gw-1"});
    CHECK(fields(alerts, "gateway_name") == Texts{"press"});
    CHECK(cloud.query("losses", {std::string{"gateway="} + wanted}, "acme").status == 0);
  }
  // Another tenant's operator does not learn that there is such a gateway.
  for (const auto* verb : {"services", "actors"})
    CHECK(cloud.query(verb, {"press"}, "other").status == std::uint8_t(Errc::not_found));
  for (const auto* verb : {"alerts", "losses"})
    CHECK(cloud.query(verb, {"gateway=press"}, "other").status == std::uint8_t(Errc::not_found));
  CHECK(cloud.query("services", {"acme/press"}, "other").status == std::uint8_t(Errc::not_found));
  // Two share it: refused with both ids, but each tenant has its own.
  call(cloud, "other", "gw-1", "press");
  for (const auto& [verb, argument] :
       std::vector<std::pair<std::string, std::string>>{{"services", "press"},
                                                        {"actors", "press"},
                                                        {"alerts", "gateway=press"},
                                                        {"losses", "gateway=press"}}) {
    const auto refused = cloud.query(verb, {argument}, "*");
    CHECK(refused.status == std::uint8_t(Errc::invalid));
    CHECK(refused.message == "2 gateways are called press: acme/gw-1, other/gw-1; say which by its id");
  }
  CHECK(cloud.query("alerts", {"gateway=press"}, "other").lines.size() == 1);
  CHECK(cloud.query("alerts", {"gateway=other/press"}, "*").lines.size() == 1);
  CHECK(cloud.query("alerts", {"gateway=gw-1"}, "*").lines.size() == 2); // an id of both tenants: of both
}

TEST_CASE_METHOD(TwoTenants, "a connected gateway's actors are found by its name and say both") {
  cloud.world->inspector.set(spawn_inspector(cloud.system, cloud.directory));
  call(cloud, "acme", "gw-1", "press");
  auto heard = std::make_shared<FakeGateway>();
  auto uplink = spawn_in<UplinkActor, FakeUplinkState>(cloud.system, cloud.directory, {.kind = "fake"},
                                                       fake_uplink, heard);
  std::vector<std::string> closed;
  auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  cloud.self->send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(session));
  cloud.settle();
  const auto answer = cloud.query("actors", {"press"}, "acme");
  REQUIRE(answer.lines.size() == 1);
  CHECK(fields(answer, "node") == std::vector<std::string>{"gw-1"});
  CHECK(fields(answer, "gateway_name") == std::vector<std::string>{"press"});
  CHECK(fields(cloud.query("sessions", {}, "acme"), "gateway_name") == std::vector<std::string>{"press"});
  CHECK(cloud.query("actors", {"press"}, "other").status == std::uint8_t(Errc::not_found));
  CHECK(with_node(R"({"gateway_name":"saw","id":1})", "gw") == R"({"node":"gw","id":1})");
  CHECK(with_node(R"({"id":1})", "gw", "press") == R"({"node":"gw","gateway_name":"press","id":1})");
}

TEST_CASE_METHOD(TwoTenants,
                 "losses are listed newest first, of one's own tenant, with a count of the rest") {
  using Texts = std::vector<std::string>;
  CHECK(cloud.query("losses", {}, "acme").lines.empty());
  lose(cloud, "acme", "gw-1", noon + 1, {"deltas", "spool", 7, noon - 5 * second, noon});
  lose(cloud, "other", "gw-1", noon + 2, {"packets", "packet:eth0", 2, noon - second, noon});
  lose(cloud, "acme", "gw-2", noon + 3, {"findings", "chain", 3, noon - second, noon});
  lose(cloud, "acme", "gw-1", noon + 4, {"spool", "spool", 1, noon, noon});
  const auto mine = cloud.query("losses", {}, "acme");
  CHECK(fields(mine, "kind") == Texts{"spool", "findings", "deltas"});
  CHECK(fields(mine, "gateway") == Texts{"gw-1", "gw-2", "gw-1"});
  CHECK(fields(mine, "count") == Texts{"1", "3", "7"});
  CHECK(mine.message.empty());
  const auto oldest = nlohmann::json::parse(mine.lines[2]);
  CHECK(oldest["since"] == rfc3339(noon - 5 * second));
  CHECK(oldest["until"] == rfc3339(noon));
  CHECK(oldest["lost_by"] == "spool");
  CHECK_FALSE(oldest["reason"].get<std::string>().empty());
  CHECK(fields(cloud.query("losses", {}, "other"), "kind") == Texts{"packets"});
  CHECK(fields(cloud.query("losses", {}, "*"), "tenant") == Texts{"acme", "acme", "other", "acme"});
  const auto two = cloud.query("losses", {"limit=2"}, "*");
  CHECK(fields(two, "kind") == Texts{"spool", "findings"});
  CHECK(two.message == "2 older are left out; --limit takes up to 1000");
  CHECK(two.status == 0);
  CHECK_FALSE(two.partial);
  const auto one = cloud.query("losses", {"gateway=gw-1", "limit=1"}, "acme");
  CHECK(fields(one, "kind") == Texts{"spool"});
  CHECK(one.message == "1 older are left out; --limit takes up to 1000");
  CHECK(cloud.query("losses", {"gateway=other/gw-1"}, "acme").status == std::uint8_t(Errc::not_found));
  CHECK(cloud.query("losses", {"limit=0"}).status == std::uint8_t(Errc::invalid));
  CHECK(cloud.query("losses", {"limit=1001"}).status == std::uint8_t(Errc::invalid));
  CHECK(cloud.query("losses", {"kind=x"}).message ==
        "\"kind=x\" is not understood; use gateway=GATEWAY, limit=N");
}

TEST_CASE_METHOD(TwoTenants,
                 "evidence of an alert is asked of its gateway, with its times and both its sides") {
  CHECK(cloud.query("evidence", {acme_alert}, "acme").message ==
        "gateway gw-1 is not connected; evidence is in its memory only");
  auto gateway = cloud.aggregator("gw-1", "acme");
  auto seen = finding("seen");
  seen.entity.container = std::string(64, 'c');
  seen.entity.address = *parse_ip("172.18.0.2");
  seen.peer.kind = EntityKind::internet;
  seen.peer.address = *parse_ip("198.51.100.7");
  seen.flows = {{seen.entity.address, *parse_ip("198.51.100.8"), 4, 5, 6, 1, 1, 1, seen.first, seen.last}};
  REQUIRE(cloud.send(gateway, 1, 2, batch_of({seen})) == 2);
  auto heard = std::make_shared<FakeGateway>();
  auto uplink = spawn_in<UplinkActor, FakeUplinkState>(cloud.system, cloud.directory, {.kind = "fake"},
                                                       fake_uplink, heard);
  std::vector<std::string> closed;
  auto session = cloud.open_session(Role::gateway, "acme", "gw-1", closed);
  cloud.self->send(uplink, atom::up_v, caf::actor_cast<caf::strong_actor_ptr>(session));
  cloud.settle();
  std::string id;
  for (const auto& alert : cloud.stored_alerts())
    if (alert.tenant == "acme" && alert.id != acme_alert) id = alert.id;
  const auto answer = cloud.query("evidence", {id, "packets=1"}, "acme", false);
  CHECK(answer.status == 0);
  CHECK(fields(answer, "node") == std::vector<std::string>{"gw-1"});
  REQUIRE(heard->questions.size() == 1);
  const auto question = decode_query(heard->questions[0].bytes);
  REQUIRE(question.ok());
  CHECK(question->verb == "evidence");
  CHECK(question->arguments ==
        std::vector<std::string>{"first=" + std::to_string(seen.first), "last=" + std::to_string(seen.last),
                                 "container=" + seen.entity.container, "address=172.18.0.2",
                                 "peer=198.51.100.7", "peer=198.51.100.8", "packets=1"});
  // Of another tenant there is no such alert, and nobody is asked.
  CHECK(cloud.query("evidence", {id}, "other").status == std::uint8_t(Errc::not_found));
  CHECK(cloud.query("evidence", {id, "first=1"}, "acme").status == std::uint8_t(Errc::invalid));
  CHECK(cloud.query("evidence", {}, "acme").status == std::uint8_t(Errc::invalid));
  CHECK(heard->questions.size() == 1);
}
