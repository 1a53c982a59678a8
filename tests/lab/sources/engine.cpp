#include "tests/lab/sources/lab.hpp"

#include <algorithm>

namespace iris::lab {
namespace {

struct Engine {
  Heard<ContainerReport> reports;
  Heard<SensorHealth> health;
  Heard<std::string> commands;
  std::unique_ptr<DockerSource> source = DockerSource::start(
      {}, {[this](std::vector<ContainerReport> batch) { reports.add(std::move(batch)); },
           [this](std::string id, std::string command, Timestamp) { commands.add(id + " " + command); },
           [this](SensorHealth what) { health.add(std::move(what)); }});

  Engine() {
    LAB_CHECK(health.wait([](const SensorHealth& what) { return what.what == "up"; }));
  }
  /// The first such change of a container; waits for it.
  ContainerReport change(const std::string& id, ContainerAction action) {
    const auto is = [&](const ContainerReport& report) {
      return report.event.id == id && report.event.change.action == action;
    };
    LAB_CHECK_SAY(reports.wait(is), std::string{"no such change: "} + to_string(action));
    for (auto& report : reports.all())
      if (is(report)) return report;
    return {};
  }
};

} // namespace

void test_engine() {
  Container before{"--label exitCode=0 -p 127.0.0.1::80/udp", "sleep 60"};
  Engine engine;
  const auto listed = engine.change(before.id(), ContainerAction::listed);
  LAB_CHECK(listed.facts.running);
  LAB_CHECK(listed.facts.pid > 0);
  LAB_CHECK(listed.facts.shadows_events);
  LAB_CHECK(listed.event.change.published.size() == 1 &&
            listed.event.change.published[0].starts_with("127.0.0.1:") &&
            listed.event.change.published[0].ends_with("->80/udp"));
  LAB_CHECK(!listed.facts.networks.empty() && listed.facts.networks[0].address != IpAddress{});
  LAB_CHECK(listed.facts.upper_dir.ends_with("/diff"));

  Container alone{"", "sh -c 'sleep 1; exit 7'"};
  const auto started = engine.change(alone.id(), ContainerAction::started);
  LAB_CHECK(started.facts.pid > 0);
  LAB_CHECK(started.facts.digest.starts_with("sha256:"));
  const auto died = engine.change(alone.id(), ContainerAction::died);
  LAB_CHECK(died.event.change.exit_code == 7);
  LAB_CHECK(!died.event.change.asked_for);
  LAB_CHECK(!died.facts.networks.empty() && died.facts.networks[0].address != IpAddress{});

  shell("docker exec " + before.id() + " true --token x");
  LAB_CHECK(engine.commands.wait(
      [&](const std::string& line) { return line.starts_with(before.id() + " true --token <redacted>"); }));
  shell("docker stop -t 1 " + before.id());
  const auto stopped = engine.change(before.id(), ContainerAction::died);
  LAB_CHECK(stopped.event.change.asked_for);
  LAB_CHECK(stopped.event.change.exit_code == 137); // not the 0 of its label
  LAB_CHECK(stopped.event.change.signal == 9);

  Container hungry{"-m 32m", "perl -e '$x = \"x\" x 200_000_000; sleep 60'"};
  const auto killed = engine.change(hungry.id(), ContainerAction::died);
  LAB_CHECK(killed.event.change.out_of_memory);
  LAB_CHECK(!killed.event.change.asked_for);
  shell("docker rm -f " + hungry.id());
  (void)engine.change(hungry.id(), ContainerAction::removed);
}

void test_usage() {
  Engine engine;
  Heard<UsageSample> samples;
  Heard<SensorHealth> health;
  UsageSourceOptions options;
  options.window = 500 * millisecond;
  auto usage =
      UsageSource::start(options, {[&](std::vector<UsageSample> batch) { samples.add(std::move(batch)); },
                                   [&](SensorHealth what) { health.add(std::move(what)); }});
  Container busy{"", "sh -c 'while :; do :; done'"};
  usage->container_started(engine.change(busy.id(), ContainerAction::started).facts);
  LAB_CHECK(samples.wait([&](const UsageSample& sample) {
    return sample.container == busy.id() && sample.usage.cpu > sample.usage.span / 20 &&
           sample.usage.cpu < 2 * sample.usage.span && sample.usage.memory > 100'000 &&
           sample.usage.memory < 100'000'000 && sample.usage.pids == 1;
  }));
  usage->container_gone(busy.id());
  LAB_CHECK(health.all().empty());
}

} // namespace iris::lab
