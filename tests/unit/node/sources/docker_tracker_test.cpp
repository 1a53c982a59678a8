#include "node/sources/docker_tracker.hpp"

#include <catch2/catch.hpp>
#include <map>

using namespace iris;

namespace {

/// A pretended engine: what an inspection of each container would answer now.
struct Engine {
  std::map<std::string, ContainerFacts> containers;
  DockerTracker tracker{[this](const std::string& id) -> Result<ContainerFacts> {
                          auto found = containers.find(id);
                          if (found == containers.end()) return Error{Errc::not_found, "no such container"};
                          return found->second;
                        },
                        120 * second};
  Timestamp now = 1000 * second;

  ContainerFacts& add(const std::string& id, bool running = true) {
    auto& facts = containers[id];
    facts.id = id;
    facts.name = facts.service = "edgex-" + id;
    facts.image = "edgexfoundry/" + id;
    facts.running = running;
    facts.status = running ? "running" : "exited";
    facts.networks = {{"edgex-network", IpAddress::v4(0xac120003), {}, ""}};
    return facts;
  }
  void stop(const std::string& id, int code) {
    auto& facts = containers.at(id);
    facts.running = false;
    facts.status = "exited";
    facts.exit_code = code;
    facts.networks[0].address = {};
  }
  std::optional<ContainerReport> event(const std::string& id, ContainerAction action,
                                       int code_or_signal = 0) {
    ContainerEvent e;
    e.id = id;
    e.name = "edgex-" + id;
    e.at = now += second;
    e.change.action = action;
    if (action == ContainerAction::died) e.change.exit_code = code_or_signal;
    if (action == ContainerAction::killed) e.change.signal = code_or_signal;
    return tracker.on_event(e);
  }
  std::vector<ContainerReport> list(bool resumed = false) {
    std::vector<ContainerListing> listing;
    for (const auto& [id, facts] : containers)
      listing.push_back({id, facts.name, facts.running ? "running" : "exited"});
    return tracker.on_list(listing, now, resumed);
  }
};

} // namespace

TEST_CASE("a death is asked for when a stop or a deadly kill went before it") {
  Engine engine;
  engine.add("data").stop_signal = 28;
  REQUIRE(engine.list().size() == 1);
  struct Row {
    int signal; ///< of a kill before the death; 0: none
    Duration wait;
    bool asked;
  };
  const Row rows[] = {{0, 0, false}, {15, 0, true}, {9, 60 * second, true},
                      {1, 0, false}, {28, 0, true}, {9, 300 * second, false}};
  for (const auto& row : rows) {
    CAPTURE(row.signal, row.wait);
    (void)engine.event("data", ContainerAction::started);
    if (row.signal != 0) (void)engine.event("data", ContainerAction::killed, row.signal);
    engine.now += row.wait;
    auto died = engine.event("data", ContainerAction::died, 137);
    REQUIRE(died);
    CHECK(died->event.change.asked_for == row.asked);
    CHECK(died->event.change.exit_code == 137);
    CHECK(died->event.change.signal == 9);
    CHECK_FALSE(died->event.change.out_of_memory);
  }
}

TEST_CASE("out of memory is told with the death") {
  Engine engine;
  engine.add("data");
  (void)engine.list();
  (void)engine.event("data", ContainerAction::oom);
  CHECK(engine.event("data", ContainerAction::died, 137)->event.change.out_of_memory);
  (void)engine.event("data", ContainerAction::started);
  CHECK_FALSE(engine.event("data", ContainerAction::died, 1)->event.change.out_of_memory);
}

TEST_CASE("an image whose label poses as the exit code is not believed") {
  Engine engine;
  engine.add("evil").shadows_events = true;
  (void)engine.list();
  engine.stop("evil", 139);
  auto died = engine.event("evil", ContainerAction::died, 0);
  REQUIRE(died);
  CHECK(died->event.change.exit_code == 139);
  CHECK(died->event.change.signal == 11);
}

TEST_CASE("the last addresses survive the stop, and a removed container is still described") {
  Engine engine;
  engine.add("data");
  (void)engine.list();
  engine.stop("data", 0);
  auto died = engine.event("data", ContainerAction::died, 0);
  REQUIRE(died->facts.networks.size() == 1);
  CHECK(died->facts.networks[0].address == IpAddress::v4(0xac120003));
  engine.containers.clear();
  auto removed = engine.event("data", ContainerAction::removed);
  CHECK(removed->facts.image == "edgexfoundry/data");
  CHECK(engine.tracker.containers() == 0);
}

TEST_CASE("events are told once, though the engine sends them again after a disconnect") {
  Engine engine;
  engine.add("data");
  (void)engine.list();
  ContainerEvent event;
  event.id = "data";
  event.at = 5 * second;
  event.change.action = ContainerAction::started;
  CHECK(engine.tracker.on_event(event));
  CHECK_FALSE(engine.tracker.on_event(event));
  CHECK(engine.tracker.last_event() == 5 * second);
}

TEST_CASE("what happened while nobody listened is told from the list") {
  Engine engine;
  engine.add("data");
  engine.add("command");
  auto first = engine.list();
  REQUIRE(first.size() == 2);
  CHECK(first[0].event.change.action == ContainerAction::listed);
  CHECK(engine.list().empty());
  engine.stop("data", 2);
  engine.containers.erase("command");
  engine.add("fresh");
  auto later = engine.list();
  REQUIRE(later.size() == 3);
  CHECK(later[0].event.change.action == ContainerAction::died);
  CHECK(later[0].event.change.exit_code == 2);
  CHECK(later[1].event.change.action == ContainerAction::listed);
  CHECK(later[1].facts.name == "edgex-fresh");
  CHECK(later[2].event.change.action == ContainerAction::removed);
  CHECK(later[2].facts.name == "edgex-command");
  engine.containers.at("data").running = true;
  auto again = engine.list();
  REQUIRE(again.size() == 1);
  CHECK(again[0].event.change.action == ContainerAction::started);
}

TEST_CASE("what ended while the engine was restarted is no crash, but is told as unexplained") {
  struct Row {
    int code;
    bool crash;
  };
  for (const auto& row :
       {Row{143, false}, Row{137, false}, Row{1, false}, Row{0, false}, Row{139, true}, Row{134, true}}) {
    CAPTURE(row.code);
    Engine engine;
    engine.add("data");
    (void)engine.list();
    engine.stop("data", row.code);
    auto reports = engine.list(true);
    REQUIRE(reports.size() == 1);
    CHECK(reports[0].event.change.action == (row.crash ? ContainerAction::died : ContainerAction::stopped));
    CHECK_FALSE(reports[0].event.change.detail.empty());
    CHECK(reports[0].event.change.exit_code == row.code);
    CHECK_FALSE(reports[0].facts.running);
    CHECK(engine.tracker.take_unexplained() == (row.crash ? 0 : 1));
    CHECK(engine.tracker.take_unexplained() == 0);
  }
}

TEST_CASE("a crash while only the stream was cut is still one: the engine tells it again") {
  Engine engine;
  engine.add("data");
  (void)engine.list();
  engine.stop("data", 143);
  auto died = engine.event("data", ContainerAction::died, 143); // from since=, before the list
  REQUIRE(died);
  CHECK(died->event.change.action == ContainerAction::died);
  CHECK_FALSE(died->event.change.asked_for);
  CHECK(engine.list(true).empty());
  CHECK(engine.tracker.take_unexplained() == 0);
  // Memory that ran out is no engine's doing either.
  engine.containers.at("data").running = true;
  (void)engine.list(true);
  engine.stop("data", 137);
  engine.containers.at("data").out_of_memory = true;
  auto out = engine.list(true);
  REQUIRE(out.size() == 1);
  CHECK(out[0].event.change.action == ContainerAction::died);
  CHECK(out[0].event.change.out_of_memory);
}

TEST_CASE("containers beyond the limit are counted once, and taken up when there is room") {
  Engine engine;
  for (int i = 0; i < 4098; ++i)
    engine.add(std::to_string(10'000 + i));
  CHECK(engine.list().size() == 4096);
  CHECK(engine.tracker.take_left_out() == 2);
  CHECK_FALSE(engine.event("14097", ContainerAction::started));
  CHECK(engine.list().empty());
  CHECK(engine.tracker.take_left_out() == 0);
  engine.containers.erase("10000");
  (void)engine.list(); // forgets the removed one
  CHECK(engine.list().size() == 1);
  CHECK(engine.tracker.take_left_out() == 0);
}

TEST_CASE("a container that leaves its network gives its address back, a renamed one says who it was") {
  Engine engine;
  engine.add("a");
  (void)engine.list();
  engine.containers.at("a").networks.clear(); // `docker network disconnect`
  auto left = engine.event("a", ContainerAction::disconnected);
  REQUIRE(left);
  CHECK(left->facts.networks.empty());
  engine.containers.at("a").name = engine.containers.at("a").service = "edgex-b";
  auto renamed = engine.event("a", ContainerAction::renamed);
  REQUIRE(renamed);
  CHECK(renamed->event.before == "edgex-a");
  CHECK(renamed->facts.service == "edgex-b");
  CHECK(engine.tracker.knows("a"));
}

TEST_CASE("podman does not tell that a container was told to stop: the signals of a stop are no crash") {
  Engine engine;
  engine.add("a");
  engine.tracker.set_tells_stops(false);
  (void)engine.list();
  auto died = [&](int code) {
    engine.containers.at("a").running = true;
    (void)engine.event("a", ContainerAction::started);
    engine.stop("a", code);
    return engine.event("a", ContainerAction::died, code)->event.change;
  };
  CHECK(died(143).asked_for);
  CHECK(died(137).asked_for);
  CHECK_FALSE(died(139).asked_for); // its own fault
  CHECK_FALSE(died(1).asked_for);
  CHECK_FALSE(died(143).detail.empty());
  (void)engine.event("a", ContainerAction::started);
  CHECK(engine.event("a", ContainerAction::killed, 0)->event.change.asked_for); // no signal is given
  engine.tracker.set_tells_stops(true);
  (void)engine.event("a", ContainerAction::started);
  engine.stop("a", 137);
  CHECK_FALSE(engine.event("a", ContainerAction::died, 137)->event.change.asked_for);
}
