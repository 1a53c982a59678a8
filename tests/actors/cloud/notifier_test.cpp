#include "tests/actors/cloud/cloud_fixture.hpp"

#include "cloud/notifier/notifier.hpp"
#include "cloud/store/rows.hpp"
#include "core/alert/codec.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

namespace {

/// A sink that answers at once, as the test says.
struct Notifying {
  TempDir dir;
  Cloud cloud{dir};
  std::vector<std::string> got; ///< "cause.revision"
  Delivery::Outcome outcome = Delivery::Outcome::done;
  std::size_t takes = 1'000; ///< so many more, then `outcome`
  int tries = 0;
  std::uint64_t seq = 0;
  NotifierActor actor;
  AggregatorActor gateway;

  Notifying() {
    gateway = cloud.aggregator();
    (void)cloud.hello(gateway, 0);
  }
  void start() {
    GiveJob give = [this](const SinkJob& job, const std::function<void(SinkJobResult)>& done) {
      ++tries;
      SinkJobResult result;
      for (const auto& item : job.items) {
        if (outcome != Delivery::Outcome::done && takes == 0) {
          result.delivery = {outcome, "no"};
          break;
        }
        takes -= takes == 0 ? 0 : 1;
        got.push_back(item.alert.finding.cause + "." + std::to_string(item.alert.revision));
        ++result.delivered;
      }
      done(result);
      return true;
    };
    actor = spawn_in<NotifierActor, NotifierState>(cloud.system, cloud.directory, {.kind = "notifier"},
                                                   notifier, cloud.world, std::size_t{0}, give);
    cloud.world->sinks[0].notifier.set(actor);
    cloud.settle();
  }
  void alert(const std::string& cause) {
    ++seq;
    CHECK(cloud.send(gateway, 1, seq, findings({cause})) == std::int64_t(seq));
  }
  void wait(Duration span) {
    cloud.clock += span;
    cloud.pass(std::chrono::seconds{2}, std::chrono::seconds{1});
  }
  ~Notifying() { cloud.world->sinks[0].notifier.clear(); }
};

} // namespace

TEST_CASE_METHOD(Notifying, "each revision of each alert reaches the sink in order and leaves the outbox") {
  start();
  alert("a");
  alert("b");
  alert("a");
  CHECK(got == std::vector<std::string>{"a.1", "b.1", "a.2"});
  CHECK(cloud.rows(Table::outbox) == 0);
  CHECK(cloud.world->counters.outbox_delivered == 3);
  CHECK(cloud.world->sinks[0].waiting->load() == 0);
}

TEST_CASE_METHOD(Notifying,
                 "what could not be delivered is tried again with backoff, in order, nothing left out") {
  outcome = Delivery::Outcome::retry;
  takes = 0;
  start();
  alert("a");
  alert("b");
  CHECK(tries == 1);
  wait(400 * millisecond); // the first backoff is 0.75 to 1 s
  CHECK(tries == 1);
  wait(700 * millisecond);
  CHECK(tries == 2);
  wait(second);
  CHECK(tries == 2);
  takes = 1;
  wait(2 * second);
  CHECK(got == std::vector<std::string>{"a.1"});
  outcome = Delivery::Outcome::done;
  wait(2 * second);
  CHECK(got == std::vector<std::string>{"a.1", "b.1"});
  CHECK(cloud.rows(Table::outbox) == 0);
}

TEST_CASE_METHOD(Notifying, "the outbox waits on disk for a notifier that comes later") {
  alert("a");
  alert("a");
  CHECK(cloud.rows(Table::outbox) == 2);
  start();
  CHECK(got == std::vector<std::string>{"a.1", "a.2"});
}

TEST_CASE_METHOD(Notifying, "a crash before the rows are erased delivers again and loses nothing") {
  start();
  cloud.writes_fail = true; // the alert itself must be there before
  cloud.writes_fail = false;
  outcome = Delivery::Outcome::retry;
  takes = 0;
  alert("a");
  CHECK(got.empty());
  cloud.writes_fail = true;
  outcome = Delivery::Outcome::done;
  wait(2 * second); // delivered, but the erasing fails
  CHECK(got.size() >= 1);
  CHECK(cloud.rows(Table::outbox) == 1);
  cloud.writes_fail = false;
  auto before = got.size();
  wait(2 * second);
  CHECK(got.size() == before + 1);
  CHECK(got.back() == "a.1");
  CHECK(cloud.rows(Table::outbox) == 0);
}

TEST_CASE_METHOD(Notifying, "beyond the limit the oldest revisions are dropped and counted") {
  cloud.world->settings.outbox_limit = 3;
  for (const auto* cause : {"a", "b", "c", "d", "e"})
    alert(cause);
  start();
  CHECK(got == std::vector<std::string>{"c.1", "d.1", "e.1"});
  CHECK(cloud.world->counters.outbox_dropped == 2);
}

TEST_CASE_METHOD(Notifying, "one gateway that fills the outbox pushes out its own revisions only") {
  cloud.world->settings.outbox_limit = 4;
  auto quiet = cloud.aggregator("gw-2", "other");
  (void)cloud.hello(quiet, 0);
  CHECK(cloud.send(quiet, 1, 1, findings({"honest"})) == 1);
  for (int i = 1; i <= 9; ++i)
    alert("flood " + std::to_string(i));
  start();
  CHECK(got == std::vector<std::string>{"honest.1", "flood 7.1", "flood 8.1", "flood 9.1"});
  CHECK(cloud.world->counters.outbox_dropped == 6);
}

TEST_CASE_METHOD(Notifying,
                 "what the sink refuses for good is dropped after ten tries and does not block the rest") {
  outcome = Delivery::Outcome::refused;
  takes = 0;
  start();
  alert("poison");
  alert("good");
  for (int i = 0; i < 20 && cloud.world->counters.outbox_dropped == 0; ++i)
    wait(400 * second);
  CHECK(cloud.world->counters.outbox_dropped == 1);
  CHECK(tries >= 10);
  outcome = Delivery::Outcome::done;
  wait(400 * second);
  CHECK(got == std::vector<std::string>{"good.1"});
}

TEST_CASE_METHOD(Notifying, "a sink of one tenant gets that tenant's alerts only") {
  cloud.world->sinks[0].tenant = "other";
  start();
  alert("a");
  CHECK(got.empty());
  CHECK(cloud.rows(Table::outbox) == 0);
  auto theirs = cloud.aggregator("gw-1", "other");
  (void)cloud.hello(theirs, 0);
  CHECK(cloud.send(theirs, 1, 1, findings({"b"})) == 1);
  CHECK(got == std::vector<std::string>{"b.1"});
}

TEST_CASE("backoff doubles from one second to five minutes") {
  CHECK(backoff_after(1, 0) == second);
  CHECK(backoff_after(3, 0) == 4 * second);
  CHECK(backoff_after(3, 1) == 3 * second);
  CHECK(backoff_after(1'000, 0) == 300 * second);
}
