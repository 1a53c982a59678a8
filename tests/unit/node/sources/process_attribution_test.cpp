#include "node/sources/process_attribution.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
const std::string box(64, 'c');

SensedExec exec(std::uint32_t pid, std::vector<std::string> args, Timestamp changed) {
  SensedExec out;
  out.facts.pid = pid;
  out.facts.parent_pid = 999'999; // no such process: nothing of this machine's /proc may matter
  out.facts.exe = args[0];
  out.facts.args = std::move(args);
  out.facts.container = box;
  out.facts.cwd = "/work";
  out.file.changed = changed;
  out.boot_at = 100 * second;
  return out;
}
} // namespace

TEST_CASE("starts carry redacted arguments, the origin and wall time; exits carry code or signal") {
  ProcessAttribution attribution{100};
  attribution.set_clock(1'000'000 * second);
  ContainerFacts facts;
  facts.id = box;
  facts.created_at = 500'000 * second;
  facts.upper_dir = "/var/lib/docker/overlay2/x/diff";
  facts.mounts = {{"volume", "/v", "/data", true}};
  attribution.container_started(facts);
  attribution.on_fork(1, 4'000'001, 0);
  attribution.on_exec(exec(4'000'001, {"/bin/app", "--password", "x"}, 400'000 * second));
  attribution.on_fork(4'000'001, 4'000'002, 0);
  attribution.on_exec(exec(4'000'002, {"/tmp/payload"}, 600'000 * second));
  attribution.on_exec(exec(4'000'002, {"/data/tool"}, 400'000 * second));
  attribution.on_exit(4'000'002, 3 << 8, 101 * second);
  attribution.on_exit(4'000'001, 11 | 0x80, 102 * second);
  attribution.on_exit(4'000'009, 0, 102 * second); // never heard of
  auto events = attribution.take();
  REQUIRE(events.size() == 5);
  CHECK(events[0].container == box);
  CHECK(events[0].at == 1'000'100 * second);
  CHECK(events[0].boot_at == 100 * second);
  const auto& first = std::get<ProcessStart>(events[0].what).process;
  CHECK(first.args == std::vector<std::string>{"/bin/app", "--password", "<redacted>"});
  CHECK(first.origin == Origin::image);
  const auto& payload = std::get<ProcessStart>(events[1].what).process;
  CHECK(payload.origin == Origin::upper);
  CHECK(payload.parent_exe == "/bin/app");
  CHECK(std::get<ProcessStart>(events[2].what).process.origin == Origin::mount);
  CHECK(std::get<ProcessExit>(events[3].what).exit_code == 3);
  CHECK(std::get<ProcessExit>(events[3].what).signal == 0);
  CHECK(std::get<ProcessExit>(events[4].what).signal == 11);
  CHECK(std::get<ProcessExit>(events[4].what).exit_code == 139);
  CHECK(attribution.take().empty());
  CHECK(attribution.counters().redacted == 1);
}

TEST_CASE("before the engine has spoken, the image is at least older than the container's first process") {
  ProcessAttribution attribution{100};
  attribution.on_fork(1, 4'000'001, 0);
  attribution.on_exec(exec(4'000'001, {"/bin/app"}, 50 * second));
  attribution.on_fork(4'000'001, 4'000'002, 0);
  attribution.on_exec(exec(4'000'002, {"/tmp/x"}, 150 * second));
  auto events = attribution.take();
  REQUIRE(events.size() == 2);
  CHECK(std::get<ProcessStart>(events[0].what).process.origin == Origin::image);
  CHECK(std::get<ProcessStart>(events[1].what).process.origin == Origin::upper);
}

TEST_CASE("a container that was only made, or stopped, has its mounts known before it starts") {
  ProcessAttribution attribution{100};
  ContainerFacts facts;
  facts.id = box;
  facts.created_at = 10 * second;
  facts.upper_dir = "/var/lib/docker/overlay2/x/diff";
  facts.mounts = {{"volume", "/v", "/data", true}};
  for (int start = 0; start < 2; ++start) {
    attribution.container_stopped(facts); // created, then died
    attribution.on_fork(1, 4'000'001, 0);
    attribution.on_exec(exec(4'000'001, {"/data/start"}, 5 * second));
    attribution.on_exec(exec(4'000'001, {"/tmp/of-the-first-start"}, 50 * second));
    attribution.on_exit(4'000'001, 0, 101 * second);
    auto events = attribution.take();
    REQUIRE(events.size() == 3);
    CHECK(std::get<ProcessStart>(events[0].what).process.origin == Origin::mount);
    CHECK(std::get<ProcessStart>(events[1].what).process.origin == Origin::upper);
  }
}

TEST_CASE("of what ran before us only files of the container's own root are called changed") {
  constexpr std::uint64_t overlay = 0x794c7630, ext4 = 0xef53;
  struct Row {
    std::uint64_t magic;
    Timestamp changed;
    Origin origin;
  };
  for (const auto& row : {Row{overlay, 50 * second, Origin::image}, Row{overlay, 150 * second, Origin::upper},
                          Row{ext4, 150 * second, Origin::unknown}}) {
    ProcessAttribution attribution{100};
    ProcessFiles running;
    running.facts = exec(4'000'001, {"/bin/app"}, 0).facts;
    running.file.changed = row.changed;
    running.file.magic = row.magic;
    attribution.seed(running, 100 * second, true);
    auto events = attribution.take();
    REQUIRE(events.size() == 1);
    CHECK(std::get<ProcessStart>(events[0].what).process.origin == row.origin);
  }
}

TEST_CASE("a process that was gone too soon is no start without a name, and keeps its place in the tree") {
  ProcessAttribution attribution{100};
  attribution.on_fork(1, 4'000'001, 0);
  attribution.on_exec(exec(4'000'001, {"/bin/app"}, 1));
  attribution.on_fork(4'000'001, 4'000'002, 0);
  SensedExec gone;
  gone.facts.pid = 4'000'002;
  gone.unread = true;
  attribution.on_exec(gone);
  attribution.on_fork(4'000'002, 4'000'003, 0);
  attribution.on_exec(exec(4'000'003, {"/bin/child"}, 1));
  attribution.on_exit(4'000'002, 0, 1);
  auto events = attribution.take();
  REQUIRE(events.size() == 3);
  CHECK(std::get<ProcessStart>(events[1].what).process.exe == "/bin/child");
  CHECK(std::get<ProcessStart>(events[1].what).process.parent_exe == "/bin/app");
  CHECK(std::get<ProcessExit>(events[2].what).pid == 4'000'002);
  CHECK(events[2].container == box);
}

TEST_CASE("scripts are named by their whole path") {
  ProcessAttribution attribution{100};
  attribution.on_exec(exec(4'000'001, {"/usr/bin/python3", "x.py"}, 1));
  auto shebang = exec(4'000'002, {"/bin/sh", "./run.sh"}, 1);
  shebang.script = "./run.sh";
  attribution.on_exec(shebang);
  auto events = attribution.take();
  CHECK(std::get<ProcessStart>(events[0].what).process.script == "/work/x.py");
  CHECK(std::get<ProcessStart>(events[1].what).process.script == "/work/run.sh");
}

TEST_CASE("the monitor's own processes are not told") {
  ProcessAttribution attribution{100};
  attribution.exclude(4'000'001);
  attribution.on_fork(4'000'001, 4'000'002, 0);
  attribution.on_exec(exec(4'000'002, {"/bin/x"}, 1));
  attribution.on_exit(4'000'002, 0, 1);
  CHECK(attribution.take().empty());
}

TEST_CASE("the engine's probe is no stranger that came in, and what it starts belongs to it") {
  ProcessAttribution attribution{100};
  ContainerFacts facts;
  facts.id = box;
  facts.created_at = 1;
  facts.upper_dir = "/x";
  facts.pid = 4'000'001;
  facts.healthcheck = {"CMD-SHELL", "nc -z localhost 80"};
  attribution.on_fork(1, 4'000'001, 0);
  attribution.on_exec(exec(4'000'001, {"/bin/app"}, 1));
  attribution.container_started(facts);
  (void)attribution.take();
  const auto enter = [&](std::uint32_t pid, std::vector<std::string> args) {
    attribution.on_fork(1, pid, 0);
    attribution.on_exec(exec(pid, std::move(args), 1));
  };
  enter(4'000'010, {"/bin/sh", "-c", "nc -z localhost 80"});
  attribution.on_fork(4'000'010, 4'000'011, 0);
  attribution.on_exec(exec(4'000'011, {"/bin/nc", "-z", "localhost", "80"}, 1));
  enter(4'000'020, {"/bin/sh"});
  auto events = attribution.take();
  REQUIRE(events.size() == 3);
  const auto& probe = std::get<ProcessStart>(events[0].what).process;
  CHECK(probe.health_check);
  CHECK_FALSE(probe.entered);
  CHECK(std::get<ProcessStart>(events[1].what).process.health_check);
  const auto& person = std::get<ProcessStart>(events[2].what).process;
  CHECK_FALSE(person.health_check);
  CHECK(person.entered);
}

TEST_CASE("a file that was brought shortly before it ran is fresh, one of the image is not") {
  ProcessAttribution attribution{100};
  attribution.set_clock(10'000 * second);
  ContainerFacts facts;
  facts.id = box;
  facts.created_at = 9'000 * second;
  facts.upper_dir = "/x";
  attribution.container_started(facts);
  struct Row {
    Timestamp changed;
    bool fresh;
  };
  for (const auto& row :
       {Row{10'050 * second, true}, Row{9'400 * second, false}, Row{8'999 * second, false}}) {
    attribution.on_exec(exec(4'000'001, {"/tmp/x"}, row.changed)); // runs at 10,100 s
    auto events = attribution.take();
    REQUIRE(events.size() == 1);
    CHECK(std::get<ProcessStart>(events[0].what).process.fresh == row.fresh);
  }
}

TEST_CASE("a socket is its process's container's, or that of the group that it was made in") {
  ProcessAttribution attribution{100};
  attribution.set_host_net(77);
  auto first = exec(4'000'001, {"/bin/app"}, 1);
  first.cgroup = 5;
  attribution.on_exec(first);
  attribution.exclude(4'000'009);
  SensedSocket socket;
  socket.event.use.pid = 4'000'001;
  socket.event.use.local_port = 40'000;
  socket.net = 77;
  attribution.on_socket(socket);
  socket.event.use.pid = 0; // sent by the kernel, later
  socket.cgroup = 5;
  socket.net = 78;
  attribution.on_socket(socket);
  socket.event.use.pid = 4'000'009; // the monitor itself
  attribution.on_socket(socket);
  const auto sockets = attribution.take_sockets();
  REQUIRE(sockets.size() == 2);
  CHECK(sockets[0].use.container == box);
  CHECK(sockets[0].use.exe == "/bin/app");
  CHECK(sockets[0].use.host_network);
  CHECK(sockets[1].use.container == box);
  CHECK_FALSE(sockets[1].use.host_network);
}

TEST_CASE("a socket that is closed after its process ended is still its container's") {
  ProcessAttribution attribution{100};
  SensedSocket socket;
  socket.event.action = SocketAction::listening;
  socket.event.use.pid = 4'000'001;
  socket.event.use.local_port = 80;
  attribution.on_exec(exec(4'000'001, {"/bin/app"}, 1));
  attribution.on_socket(socket);
  attribution.on_exit(4'000'001, 0, 1);
  socket.event.action = SocketAction::closed;
  attribution.on_socket(socket);
  const auto sockets = attribution.take_sockets();
  REQUIRE(sockets.size() == 2);
  CHECK(sockets[1].use.container == box);
  CHECK(sockets[1].use.exe == "/bin/app");
}
