#include "tests/unit/core/alert/alert_fixture.hpp"

#include "core/alert/alert_book.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

AlertPolicy policy() {
  AlertPolicy result;
  result.tenant = "acme";
  result.site = "plant-1";
  result.gateway = "gw-17";
  result.quiet = 600 * second;
  result.incident_window = 300 * second;
  return result;
}

Finding finding_at(Duration offset, std::string cause = "c", std::string entity = "edgex-device-bacnet") {
  auto finding = sample_finding();
  finding.first = finding.last = start_of_test + offset;
  finding.cause = std::move(cause);
  finding.entity.name = std::move(entity);
  return finding;
}

} // namespace

TEST_CASE("findings of one cause are one alert whose revision, count and times grow") {
  AlertBook book{policy()};
  auto first = book.apply(finding_at(0), start_of_test);
  CHECK(first.revision == 1);
  CHECK(first.id.size() == 18);
  auto second_time = finding_at(100 * second);
  second_time.severity = Severity::critical;
  second_time.act = "did worse";
  auto merged = book.apply(second_time, start_of_test + 101 * second);
  CHECK(merged.id == first.id);
  CHECK(merged.revision == 2);
  CHECK(merged.finding.count == 2);
  CHECK(merged.finding.first == start_of_test);
  CHECK(merged.finding.last == start_of_test + 100 * second);
  CHECK(merged.finding.severity == Severity::critical);
  CHECK(merged.finding.act == "did worse");
  auto weaker = finding_at(101 * second);
  weaker.severity = Severity::low;
  weaker.act = "did little";
  CHECK(book.apply(weaker, start_of_test + 102 * second).finding.act == "did worse");
  CHECK(book.apply(finding_at(0, "other"), start_of_test).id != first.id);
}

TEST_CASE("after the quiet period it is raised anew, and ids depend on content only") {
  AlertBook book{policy()};
  AlertBook twin{policy()};
  auto first = book.apply(finding_at(0), start_of_test);
  CHECK(twin.apply(finding_at(0), start_of_test + 5 * second).id == first.id);
  CHECK(book.apply(finding_at(600 * second), start_of_test).id == first.id);
  auto anew = book.apply(finding_at(1'201 * second), start_of_test + 1'201 * second);
  CHECK(anew.id != first.id);
  CHECK(anew.revision == 1);
  auto elsewhere = policy();
  elsewhere.gateway = "gw-18";
  CHECK(AlertBook{elsewhere}.apply(finding_at(0), start_of_test).id != first.id);
}

TEST_CASE("evidence stays within its limit and keeps how it began and where it stands") {
  AlertBook book{policy()};
  Alert alert;
  for (std::uint16_t port = 1; port <= 30; ++port) {
    auto finding = finding_at(port * second);
    finding.flows[0].sport = port;
    finding.processes[0].pid = port;
    alert = book.apply(finding, start_of_test + port * second);
  }
  REQUIRE(alert.finding.flows.size() == Finding::evidence_limit);
  CHECK(alert.finding.flows.front().sport == 1);
  CHECK(alert.finding.flows.back().sport == 30);
  CHECK(alert.finding.processes.size() == Finding::evidence_limit);
  CHECK(alert.finding.count == 30);
  auto same_flow = finding_at(31 * second);
  same_flow.flows[0].sport = 30;
  same_flow.flows[0].packets = 5;
  CHECK(book.apply(same_flow, start_of_test).finding.flows.back().packets == 17);
}

TEST_CASE("a closed alert stays closed for its episode; what begins later is a new alert") {
  AlertBook book{policy()};
  auto first = book.apply(finding_at(0), start_of_test);
  auto closed = book.set_state(first.id, AlertState::closed, start_of_test + second);
  REQUIRE(closed);
  CHECK(closed->revision == 2);
  CHECK(book.set_state(first.id, AlertState::closed, start_of_test)->revision == 2);
  auto progress = finding_at(0);
  progress.last = start_of_test + 30 * second;
  auto merged = book.apply(progress, start_of_test);
  CHECK(merged.id == first.id);
  CHECK(merged.state == AlertState::closed);
  auto later = book.apply(finding_at(40 * second), start_of_test + 40 * second);
  CHECK(later.id != first.id);
  CHECK(later.state == AlertState::open);
  CHECK_FALSE(book.set_state("A-none", AlertState::closed, start_of_test));
}

TEST_CASE("alerts that share an entity or a peer are one incident; the host joins nothing") {
  AlertBook book{policy()};
  auto one = book.apply(finding_at(0, "a", "edgex-mongo"), start_of_test);
  auto lateral = finding_at(10 * second, "b", "edgex-support-logging");
  lateral.peer = Party{};
  lateral.peer.kind = EntityKind::service;
  lateral.peer.name = "edgex-mongo";
  auto two = book.apply(lateral, start_of_test);
  CHECK(two.incident == one.incident);
  auto same_service = finding_at(20 * second, "c", "edgex-support-logging");
  same_service.peer = Party{};
  CHECK(book.apply(same_service, start_of_test).incident == one.incident);
  auto stranger = finding_at(20 * second, "d", "edgex-core-command");
  stranger.peer = Party{};
  stranger.peer.kind = EntityKind::gateway;
  auto three = book.apply(stranger, start_of_test);
  CHECK(three.incident != one.incident);
  auto other_to_host = finding_at(21 * second, "d", "edgex-export-distro");
  other_to_host.peer = stranger.peer;
  CHECK(book.apply(other_to_host, start_of_test).incident != three.incident);
  auto much_later = finding_at(1'000 * second, "e", "edgex-mongo");
  CHECK(book.apply(much_later, start_of_test).incident != one.incident);
}

TEST_CASE("late is said of what was observed long before it arrived") {
  AlertBook book{policy()};
  CHECK_FALSE(book.apply(finding_at(0), start_of_test + 60 * second).late);
  CHECK(book.apply(finding_at(0, "x"), start_of_test + 61 * second).late);
}

TEST_CASE("a book restored from its alerts continues them with the same ids and incidents") {
  AlertBook book{policy()};
  auto one = book.apply(finding_at(0), start_of_test);
  auto two = book.apply(finding_at(1 * second, "other"), start_of_test);
  AlertBook again{policy()};
  again.restore(two);
  again.restore(one);
  auto continued = again.apply(finding_at(5 * second), start_of_test);
  CHECK(continued.id == one.id);
  CHECK(continued.revision == 2);
  CHECK(again.apply(finding_at(6 * second, "third"), start_of_test).incident == one.incident);
}

TEST_CASE("the book is bounded: at the limit the one quiet for longest goes, and is counted") {
  auto small = policy();
  small.limit = 3;
  AlertBook book{small};
  auto oldest = book.apply(finding_at(0, "0"), start_of_test);
  for (int i = 1; i <= 3; ++i)
    (void)book.apply(finding_at(i * second, std::to_string(i)), start_of_test);
  CHECK(book.size() == 3);
  CHECK(book.forgotten_at_limit() == 1);
  CHECK(book.find(oldest.id) == nullptr);
  CHECK(book.forget_quiet(start_of_test + 100'000 * second) == 3);
  CHECK(book.size() == 0);
}

TEST_CASE("findings that become durable together grow the revision once") {
  AlertBook book{policy()};
  book.start_write();
  (void)book.apply(finding_at(0), start_of_test);
  auto first = book.apply(finding_at(1 * second), start_of_test);
  CHECK(first.revision == 1);
  CHECK(first.finding.count == 2);
  book.start_write();
  (void)book.apply(finding_at(2 * second), start_of_test);
  CHECK(book.apply(finding_at(3 * second), start_of_test).revision == 2);
  auto peer = *parse_ip("203.0.113.66");
  CHECK(book.tells_of(first.finding.entity, "network.known-bad", peer, start_of_test + 600 * second));
  CHECK_FALSE(book.tells_of(first.finding.entity, "network.known-bad", peer, start_of_test + 604 * second));
  CHECK_FALSE(book.tells_of(first.finding.entity, "network.scan", peer, start_of_test));
}

TEST_CASE("what a gateway told of after being away is not quiet yet") {
  AlertBook book{policy()};
  auto now = start_of_test + 7'200 * second;
  auto first = book.apply(finding_at(0), now);
  CHECK(first.late);
  CHECK(book.forget_quiet(now + second) == 0);
  CHECK(book.apply(finding_at(60 * second), now + 2 * second).id == first.id);
}
