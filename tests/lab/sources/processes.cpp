#include "tests/lab/sources/watch.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

namespace iris::lab {
namespace {

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += "[" + word + "]";
  return out;
}

} // namespace

void test_processes(ProcessSensorChoice choice) {
  constexpr int runs = 200;
  Watch watch{choice};
  if (!watch.source) return;
  const bool ebpf = choice == ProcessSensorChoice::ebpf;
  LAB_CHECK(std::string{watch.source->sensor()} == (ebpf ? "ebpf" : "connector"));
  Container container{"--network none",
                      "sh -c 'i=0; while [ $i -lt 200 ]; do /bin/true number-$i --password=geheim-$i; "
                      "i=$((i+1)); done; exit 3'"};
  container.wait();
  LAB_CHECK(watch.exited(container.id(), runs + 1));
  std::set<std::string> complete;
  int attributed = 0, incomplete = 0;
  for (const auto& event : watch.events.all()) {
    const auto* process = start_of(event);
    if (process == nullptr || event.container != container.id()) continue;
    if (process->exe == "/usr/bin/dash") {
      LAB_CHECK(!process->entered);
      LAB_CHECK(process->parent_exe.empty());
      continue;
    }
    ++attributed;
    LAB_CHECK(process->parent_exe == "/usr/bin/dash");
    if (process->args.size() == 3 && process->args[0] == "/bin/true" &&
        process->args[2] == "--password=<redacted>") {
      LAB_CHECK(process->exe == "/usr/bin/true");
      // The connector may come too late for the file, and then says that it does not know.
      LAB_CHECK(process->origin == Origin::image || (!ebpf && process->origin == Origin::unknown));
      complete.insert(process->args[1]);
    } else {
      ++incomplete;
      LAB_CHECK_SAY(process->args_cut, join(process->args)); // never passed off as complete
    }
  }
  const auto statistics = watch.source->statistics();
  std::printf("%s: %d of %d attributed, %zu with all arguments, %llu lost, %llu unread\n",
              watch.source->sensor(), attributed, runs, complete.size(), (unsigned long long)statistics.lost,
              (unsigned long long)statistics.unread);
  // What was gone too soon for the connector is counted, but not told without a name.
  LAB_CHECK(ebpf ? attributed == runs : attributed + int(statistics.unread) >= runs);
  LAB_CHECK(statistics.lost == 0);
  // The connector reads /proc after the fact; on a machine under load a few may be gone, and are told to be.
  LAB_CHECK(ebpf ? complete.size() == runs : complete.size() >= runs * 9 / 10);
  LAB_CHECK(std::uint64_t(incomplete) <= statistics.unread);
  LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) {
    const auto* exit = std::get_if<ProcessExit>(&event.what);
    return event.container == container.id() && exit != nullptr && exit->exe == "/usr/bin/dash" &&
           exit->exit_code == 3;
  }));
}

/// Without any right: what lives long enough is told, and how much may have been missed.
void test_polling() {
  Watch watch{ProcessSensorChoice::procfs};
  if (!watch.source) return;
  LAB_CHECK(std::string{watch.source->sensor()} == "procfs");
  Container container{
      "--network none",
      "sh -c 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done; sleep 2 --; exit 3'"};
  LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) {
    const auto* start = start_of(event);
    return event.container == container.id() && start != nullptr && start->exe == "/usr/bin/sleep" &&
           start->args.size() == 3 && start->parent_exe == "/usr/bin/dash";
  }));
  shell("docker exec " + container.id() + " sleep 1");
  LAB_CHECK(watch
                .find(container.id(),
                      [](const auto& process) {
                        return process.exe == "/usr/bin/sleep" && process.args.size() == 2;
                      })
                .entered);
  container.wait();
  LAB_CHECK(watch.exited(container.id()));
  LAB_CHECK(watch.health.wait(
      [](const SensorHealth& what) { return what.what == "blind" && what.count >= 100; }, 1, 90));
}

void test_origins() {
  Watch watch{ProcessSensorChoice::ebpf};
  if (!watch.source) return;
  const auto machine = shell("uname -m");
  const std::string memfd = machine == "aarch64" ? "279" : "319"; // number of memfd_create
  Container container{"--network none --tmpfs /fast:exec -v /data", "sleep 60"};
  const auto run = [&](const std::string& command) {
    shell("docker exec " + container.id() + " sh -c '" + command + "' >/dev/null 2>&1");
  };
  run("cp /bin/true /tmp/payload; /tmp/payload; cp /bin/true /fast/payload; /fast/payload; cp /bin/true "
      "/data/payload; /data/payload");
  run("echo true > /tmp/x.sh; cd /tmp; sh x.sh");
  run("printf \"#!/bin/sh\\ntrue\\n\" > /tmp/y; chmod +x /tmp/y; /tmp/y hello");
  // perl: run a program from a memory file, and one whose file was unlinked before it started.
  run("perl -e \"\\$n=qq(evil);\\$f=syscall(" + memfd +
      ",\\$n,0);open(O,qq(>&=),\\$f);open(I,qq(/bin/true));binmode(I);binmode(O);\\$/=undef;print O "
      "<I>;O->flush;exec(qq(/proc/self/fd/\\$f))\"");
  run("cp /bin/true /tmp/gone; perl -e "
      "\"\\$^F=100;open(F,qq(/tmp/gone));unlink(qq(/tmp/gone));exec(qq(/proc/self/fd/).fileno(F),qq(bye))\"");
  run("/bin/echo $(head -c 20000 /dev/zero | tr \"\\\\0\" x) end");
  // `docker exec` returns a moment before the last events are delivered.
  LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) {
    const auto* exit = std::get_if<ProcessExit>(&event.what);
    return event.container == container.id() && exit != nullptr && exit->exe == "/usr/bin/echo";
  }));
  const auto of = [&](const std::string& exe) {
    return watch.find(container.id(), [&](const auto& p) { return p.exe == exe; });
  };
  LAB_CHECK(of("/tmp/payload").origin == Origin::upper);
  LAB_CHECK(of("/fast/payload").origin == Origin::tmpfs);
  LAB_CHECK(of("/memfd:evil").origin == Origin::memory);
  const auto gone =
      watch.find(container.id(), [](const auto& p) { return p.args.size() == 2 && p.args[1] == "bye"; });
  LAB_CHECK_SAY(gone.origin == Origin::deleted, gone.exe);
  const auto script = watch.find(container.id(), [](const auto& p) { return p.script == "/tmp/x.sh"; });
  LAB_CHECK(script.exe == "/usr/bin/dash");
  LAB_CHECK(script.origin == Origin::image);
  LAB_CHECK(script.script_origin == Origin::upper);
  const auto shebang = watch.find(container.id(), [](const auto& p) { return p.script == "/tmp/y"; });
  LAB_CHECK(shebang.script_origin == Origin::upper);
  LAB_CHECK(shebang.args == std::vector<std::string>({"/bin/sh", "/tmp/y", "hello"}));
  const auto lengthy = watch.find(container.id(), [](const auto& p) { return p.exe == "/usr/bin/echo"; });
  LAB_CHECK(lengthy.args.size() == 3);
  if (lengthy.args.size() == 3) {
    LAB_CHECK(lengthy.args[1].size() == 20000);
    LAB_CHECK(lengthy.args[2] == "end");
  }
  LAB_CHECK(!lengthy.args_cut);
  // The shell of each `docker exec` came in from outside, what it started did not.
  const auto entered = watch.find(
      container.id(), [](const auto& p) { return p.exe == "/usr/bin/dash" && p.ancestors.empty(); });
  LAB_CHECK(entered.entered);
  LAB_CHECK(!of("/tmp/payload").entered);
  // With the engine's word, the volume is known as one.
  ContainerFacts facts;
  facts.id = container.id();
  facts.created_at = 1;
  facts.upper_dir = "/x";
  facts.mounts = {{"volume", "", "/data", true}};
  watch.source->container_started(facts);
  run("/data/payload told");
  LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) {
    const auto* p = start_of(event);
    return p != nullptr && p->exe == "/data/payload" && p->args.size() == 2 && p->origin == Origin::mount;
  }));
}

} // namespace iris::lab
