#include "cloud/aggregator/silent.hpp"
#include "cloud/store/rows.hpp"
#include "tests/actors/cloud/cloud_fixture.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;
using namespace std::chrono_literals;

namespace {

/// A cloud whose main thread looks for silent gateways, in simulated time.
struct Watched {
  const TempDir& dir;
  std::unique_ptr<Cloud> cloud;
  Timestamp looked = 0;
  std::vector<std::string> closed;

  explicit Watched(const TempDir& place) : dir{place} { start(noon); }
  void start(Timestamp now) {
    cloud.reset();
    cloud = std::make_unique<Cloud>(dir);
    cloud->clock = now;
    cloud->world->started = now;
  }
  void restart() { start(cloud->clock); }
  void enrol(const std::string& gateway, bool revoked = false) {
    EnrolmentRow row;
    row.enrolled_at = cloud->clock;
    row.revoked = revoked;
    StoreWrite write;
    write.put(Table::gateways, enrolment_key("acme", gateway), encode(row));
    REQUIRE(cloud->world->store->write(write));
  }
  void come(const std::string& gateway = "gw-1", std::uint64_t number = 1) {
    const auto who = cloud->aggregator(gateway);
    (void)cloud->hello(who, 0, 0, number, cloud->open_session(Role::gateway, "acme", gateway, closed));
  }
  void go(const std::string& gateway = "gw-1", std::uint64_t number = 1) {
    cloud->self->send(cloud->aggregator(gateway), atom::down_v, number);
    cloud->settle();
  }
  void pass(Duration span) {
    const auto step = 5 * second;
    for (Duration done = 0; done < span; done += step) {
      cloud->clock += step;
      if (cloud->clock - looked >= silent_look_every(cloud->world->settings)) {
        looked = cloud->clock;
        look_for_silent(cloud->world);
      }
      cloud->pass(5s, 5s);
    }
  }
  Alert only_alert() {
    auto alerts = cloud->stored_alerts();
    REQUIRE(alerts.size() == 1);
    return alerts[0];
  }
};

constexpr auto minute = 60 * second;

} // namespace

TEST_CASE(
    "issue: a gateway that is away makes one alert, which says since when and is closed when it is back") {
  TempDir dir;
  Watched world{dir};
  world.enrol("gw-1");
  world.come();
  world.pass(30 * minute); // connected and without a word
  CHECK(world.cloud->stored_alerts().empty());
  const auto since = world.cloud->clock;
  world.go();
  world.pass(14 * minute);
  CHECK(world.cloud->stored_alerts().empty());
  world.pass(2 * minute);
  auto alert = world.only_alert();
  CHECK(alert.finding.detector == "sensor.health");
  CHECK(alert.finding.act == "is away: nothing was heard of it since " + rfc3339(since));
  CHECK(alert.finding.first == since);
  CHECK(alert.state == AlertState::open);
  CHECK(alert.revision == 1);
  world.pass(3 * 60 * minute); // its aggregator went home, and the book forgot
  CHECK(world.only_alert().revision == 1);
  world.restart();
  world.pass(30 * minute);
  CHECK(world.only_alert().revision == 1);
  CHECK(world.cloud->world->counters.gateways_away == 1);
  const auto until = world.cloud->clock;
  world.come("gw-1", 2);
  alert = world.only_alert();
  CHECK(alert.state == AlertState::closed);
  CHECK(alert.finding.act == "was away from " + rfc3339(since) + " to " + rfc3339(until) + " and is back");
  CHECK(alert.finding.count == 1);
  CHECK(alert.revision > 1);
  world.pass(2 * minute);
  CHECK(world.cloud->world->counters.gateways_away == 0);
  world.go("gw-1", 2); // the next time is another alert
  world.pass(20 * minute);
  CHECK(world.cloud->stored_alerts().size() == 2);
}

TEST_CASE("a restart of the cloud tells of no gateway before it has had the time to come back") {
  TempDir dir;
  Watched world{dir};
  world.enrol("gw-1");
  world.come();
  world.go();
  world.cloud->clock += 24 * 60 * minute; // the cloud itself was away
  world.restart();
  world.pass(14 * minute);
  CHECK(world.cloud->stored_alerts().empty());
  world.pass(2 * minute);
  CHECK(world.only_alert().finding.first < noon + minute); // since when it was really heard
}

TEST_CASE("revoked gateways make no alert; one that enrolled and never came does; nor is there one when it "
          "is off") {
  TempDir dir;
  Watched world{dir};
  world.enrol("gw-1", true);
  world.enrol("gw-2");
  world.cloud->world->settings.away_after = 0;
  world.pass(60 * minute);
  CHECK(world.cloud->stored_alerts().empty());
  world.cloud->world->settings.away_after = 15 * minute;
  world.pass(2 * minute);
  CHECK(world.only_alert().gateway == "gw-2");
}
