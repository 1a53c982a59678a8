#include "node/posture_keeper.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace iris;

namespace {
ContainerReport report_of(ContainerAction action, bool running = true) {
  ContainerReport report;
  report.facts.id = std::string(64, 'a');
  report.facts.name = report.facts.service = "edgex-mongo";
  report.facts.image = "edgexfoundry/docker-edgex-mongo:0.2";
  report.facts.running = running;
  report.facts.privileged = true;
  report.event.change.action = action;
  return report;
}
} // namespace

TEST_CASE("how containers are set up is told once, also over a restart and with a damaged file") {
  const auto path = std::filesystem::temp_directory_path() / ("iris-posture-" + std::to_string(::getpid()));
  std::filesystem::remove(path);
  {
    PostureKeeper keeper{path};
    auto created = report_of(ContainerAction::created, false);
    keeper.note(created);
    CHECK(created.event.change.notes.empty()); // half made
    auto started = report_of(ContainerAction::started);
    keeper.note(started);
    CHECK_FALSE(started.event.change.notes.empty());
    CHECK(keeper.describe({{started.facts.id, started.facts}}).find("is privileged") != std::string::npos);
    keeper.tick();
  }
  {
    PostureKeeper keeper{path};
    auto listed = report_of(ContainerAction::listed);
    keeper.note(listed);
    CHECK(listed.event.change.notes.empty());
    keeper.set_day(1); // one nanosecond: the gateway is known after the next tick
    keeper.tick();
    auto other = report_of(ContainerAction::started);
    other.facts.service = "toolbox";
    keeper.note(other);
    CHECK(other.event.change.new_container);
  }
  std::ofstream{path} << "not a book at all";
  PostureKeeper keeper{path};
  auto listed = report_of(ContainerAction::listed);
  keeper.note(listed);
  CHECK_FALSE(listed.event.change.notes.empty());
  std::filesystem::remove(path);
}
