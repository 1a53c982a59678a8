#include "core/process/process_table.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
const std::string box(64, 'c');
const std::string other(64, 'd');

ExecFacts facts(std::uint32_t pid, std::uint32_t parent, std::string exe,
                std::optional<std::string> container = {}) {
  ExecFacts f;
  f.pid = pid;
  f.parent_pid = parent;
  f.exe = exe;
  f.args = {exe};
  f.container = std::move(container);
  f.at = Timestamp(pid) * second;
  return f;
}

/// shim(10) -> runc(11) -> init(100, sh) of a container, as an engine does it.
void start_container(ProcessTable& table) {
  table.fork(1, 10, 0);
  (void)table.exec(facts(10, 1, "/usr/bin/containerd-shim", ""));
  table.fork(10, 11, 0);
  (void)table.exec(facts(11, 10, "/usr/bin/runc", ""));
  table.fork(11, 100, 0);
  auto first = table.exec(facts(100, 10, "/bin/sh", box));
  CHECK(first.container == box);
  CHECK_FALSE(first.process.entered);
  CHECK(first.process.parent_exe.empty());
  CHECK(first.process.ancestors.empty());
}
} // namespace

TEST_CASE("children inherit the container over forks and know their lineage") {
  ProcessTable table;
  start_container(table);
  CHECK(table.init_of(box) == 100);
  CHECK(table.first_seen(box) == 100 * second);
  table.fork(100, 101, 5 * second);
  auto python = table.exec(facts(101, 100, "/usr/bin/python3"));
  CHECK(python.container == box);
  CHECK(python.process.parent_exe == "/bin/sh");
  table.fork(101, 102, 6 * second);
  table.fork(102, 103, 6 * second); // 102 never runs a program: not a step in the lineage
  auto ping = table.exec(facts(103, 102, "/bin/ping"));
  CHECK(ping.container == box);
  CHECK(ping.process.ancestors == std::vector<std::string>{"/usr/bin/python3", "/bin/sh"});
  CHECK_FALSE(ping.process.entered);

  auto gone = table.exit(103, 0, 9, 7 * second);
  REQUIRE(gone);
  CHECK(gone->container == box);
  CHECK(gone->exit.exe == "/bin/ping");
  CHECK(gone->exit.signal == 9);
  CHECK(gone->exit.lifetime == second);
  CHECK_FALSE(table.exit(103, 0, 0, 7 * second));
}

TEST_CASE("the parent's death does not orphan the attribution") {
  ProcessTable table;
  start_container(table);
  table.fork(100, 101, 0);
  (void)table.exec(facts(101, 100, "/bin/bash"));
  table.fork(101, 102, 0);
  (void)table.exit(101, 0, 0, second);
  table.fork(1, 101, 0); // its pid is used again, by a process of the host
  auto child = table.exec(facts(102, 1, "/bin/nc"));
  CHECK(child.container == box);
  CHECK(child.process.parent_exe == "/bin/bash");
  CHECK_FALSE(child.process.entered);
}

TEST_CASE("docker exec and nsenter are entered, their children are not") {
  ProcessTable table;
  start_container(table);
  table.fork(10, 20, 0); // the shim forks runc exec
  (void)table.exec(facts(20, 10, "/usr/bin/runc", ""));
  table.fork(20, 200, 0);
  auto shell = table.exec(facts(200, 10, "/bin/bash", box));
  CHECK(shell.process.entered);
  CHECK(shell.process.parent_exe.empty());
  table.fork(200, 201, 0);
  auto ls = table.exec(facts(201, 200, "/bin/ls", box));
  CHECK_FALSE(ls.process.entered);
  CHECK(ls.process.parent_exe == "/bin/bash");
  auto replaced = table.exec(facts(200, 10, "/bin/cat", box)); // sh -c "exec cat"
  CHECK(replaced.process.entered);
}

TEST_CASE("a runtime that is still outside is not the container, an escape is") {
  ProcessTable table;
  start_container(table);
  table.fork(10, 20, 0);
  (void)table.exec(facts(20, 10, "/usr/bin/runc", ""));
  table.fork(20, 21, 0);
  auto staged = facts(21, 20, "/memfd:runc_cloned", box);
  staged.parents_mounts = true;
  auto stage = table.exec(staged);
  CHECK(stage.runtime);
  CHECK(stage.container.empty());
  auto real = table.exec(facts(21, 20, "/bin/id", box));
  CHECK_FALSE(real.runtime);
  CHECK(real.container == box);
  CHECK(real.process.entered);

  table.fork(100, 101, 0);
  auto escaping = facts(101, 100, "/bin/sh", box);
  escaping.parents_mounts = true;
  auto escape = table.exec(escaping);
  CHECK_FALSE(escape.runtime);
  CHECK(escape.container == box);
  CHECK(escape.process.parent_exe == "/bin/sh");
}

TEST_CASE("a process does not leave its container by the name of its control group") {
  ProcessTable table;
  start_container(table);
  table.fork(100, 101, 0);
  // "mkdir /sys/fs/cgroup/conmon-x", four groups deep, or the name of another container.
  CHECK(table.exec(facts(101, 100, "/bin/evil", "")).container == box);
  CHECK(table.exec(facts(101, 100, "/bin/evil", other)).container == box);
  // Its children, also after their parent's end, neither.
  table.fork(101, 102, 0);
  (void)table.exit(101, 0, 0, second);
  auto child = table.exec(facts(102, 1, "/bin/evil", ""));
  CHECK(child.container == box);
  CHECK(child.process.ancestors == std::vector<std::string>{"/bin/evil", "/bin/sh"});
  CHECK(table.strayed() == 3);
  // Nor whoever came in by docker exec.
  table.fork(10, 20, 0);
  (void)table.exec(facts(20, 10, "/usr/bin/runc", ""));
  table.fork(20, 200, 0);
  CHECK(table.exec(facts(200, 10, "/bin/bash", box)).container == box);
  CHECK(table.exec(facts(200, 10, "/bin/bash", "")).container == box);
  // The engine's own processes stay outside.
  CHECK(table.container_of(20).empty());
  CHECK(table.exec(facts(20, 10, "/usr/bin/runc", "")).container.empty());
}

TEST_CASE("where events were lost a pid that the host uses again is the host's") {
  ProcessTable table;
  start_container(table);
  table.fork(100, 101, 0);
  (void)table.exec(facts(101, 100, "/bin/bash", box));
  table.events_lost(); // its end, and the fork of the host's process under the same pid
  auto cron = table.exec(facts(101, 1, "/usr/sbin/cron", ""));
  CHECK(cron.container.empty());
  CHECK(table.strayed() == 0);
  // A process that is still there keeps its container by its parent.
  table.fork(100, 102, 0);
  (void)table.exec(facts(102, 100, "/bin/bash", box));
  table.events_lost();
  CHECK(table.exec(facts(102, 100, "/bin/evil", "")).container == box);
  (void)table.exec(facts(102, 100, "/bin/bash", box));
  CHECK(table.exec(facts(102, 1, "/bin/evil", "")).container == box); // known again by its own group
}

TEST_CASE("a container that starts again under its id gets a new first process") {
  ProcessTable table;
  start_container(table);
  table.container_started(box, 100);
  (void)table.exit(100, 137, 9, second);
  table.fork(11, 300, 0);
  auto again = table.exec(facts(300, 10, "/bin/sh", box));
  CHECK_FALSE(again.process.entered);
  CHECK(table.init_of(box) == 300);
  table.container_gone(box); // the late word about its earlier life
  table.container_started(box, 300);
  CHECK(table.init_of(box) == 300);
}

TEST_CASE("processes from before our time are seeded, and missed births accuse nobody") {
  ProcessTable table;
  (void)table.seed(facts(50, 10, "/bin/mongod", box), 3 * second);
  auto child = table.seed(facts(51, 50, "/bin/sleep", box), 4 * second);
  CHECK(child.process.parent_exe == "/bin/mongod");
  CHECK(child.process.started == 4 * second);
  CHECK_FALSE(child.process.entered);
  CHECK(table.init_of(box) == 50);
  auto lost = table.exec(facts(77, 76, "/bin/date", box)); // neither the fork nor the parent was seen
  CHECK(lost.container == box);
  CHECK_FALSE(lost.process.entered);
}

TEST_CASE("the monitor's own tree is marked") {
  ProcessTable table;
  table.exclude(7);
  table.fork(7, 8, 0);
  CHECK(table.exec(facts(8, 7, "/bin/sh", "")).own);
  auto gone = table.exit(8, 0, 0, 0);
  REQUIRE(gone);
  CHECK(gone->own);
}

TEST_CASE("the table is bounded and forgets what was quiet longest") {
  ProcessTable table{64};
  start_container(table);
  for (std::uint32_t pid = 1000; pid < 2000; ++pid) {
    table.fork(100, pid, 0); // keeps 100 fresh
    REQUIRE(table.size() <= 64);
  }
  CHECK(table.evicted() >= 900);
  CHECK(table.container_of(100) == box);
  CHECK(table.container_of(1999) == box);
  CHECK(table.container_of(1000).empty());

  ProcessTable tiny{1};
  tiny.fork(1, 2, 0);
  CHECK(tiny.size() == 1);
}

TEST_CASE("the lineage is bounded and keeps the first process") {
  ProcessTable table;
  start_container(table);
  for (std::uint32_t pid = 101; pid < 160; ++pid) {
    table.fork(pid - 1, pid, 0);
    (void)table.exec(facts(pid, pid - 1, "/bin/p" + std::to_string(pid)));
  }
  table.fork(159, 160, 0);
  auto last = table.exec(facts(160, 159, "/bin/x"));
  REQUIRE(last.process.ancestors.size() == ProcessTable::ancestor_limit);
  CHECK(last.process.ancestors.front() == "/bin/p159");
  CHECK(last.process.ancestors.back() == "/bin/sh");
}

TEST_CASE("random events never break the table") {
  ProcessTable table{100};
  std::uint64_t x = 88172645463325252ULL;
  auto random = [&](std::uint32_t n) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    return std::uint32_t(x % n);
  };
  for (int i = 0; i < 200'000; ++i) {
    auto pid = random(300), parent = random(300);
    switch (random(5)) {
    case 0:
      table.fork(parent, pid, i);
      break;
    case 1:
      (void)table.exec(facts(pid, parent, "/x", random(2) ? box : other));
      break;
    case 2:
      (void)table.exec(facts(pid, parent, "/y"));
      break;
    case 3:
      (void)table.exit(pid, 0, 0, i);
      break;
    case 4:
      random(2) ? table.container_gone(box) : table.container_started(other, pid);
      break;
    }
    REQUIRE(table.size() <= 100);
  }
}
