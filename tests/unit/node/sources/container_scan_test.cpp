#include "node/sources/container_scan.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace iris;
namespace fs = std::filesystem;

namespace {

const std::string mongo(64, 'a'), java(64, 'b');

/// A pretended /proc.
struct Proc {
  fs::path root = fs::temp_directory_path() / ("iris-proc-" + std::to_string(::getpid()));
  Proc() {
    fs::remove_all(root);
    fs::create_directories(root / "self/ns");
    fs::create_symlink("net:[1]", root / "self/ns/net");
    write("uptime", "1000.00 900.00\n");
    add(1, 0, "", "init");
  }
  ~Proc() { fs::remove_all(root); }
  void write(const fs::path& path, const std::string& text) const { std::ofstream{root / path} << text; }
  void add(int pid, int parent, const std::string& container, const std::string& command,
           const char* net = "net:[1]") const {
    const fs::path own = std::to_string(pid);
    fs::create_directories(root / own / "ns");
    fs::create_directories(root / own / "net");
    fs::create_symlink(net, root / own / "ns/net");
    write(own / "cgroup", "0::/" + (container.empty() ? "init.scope" : "docker/" + container) + "\n");
    write(own / "stat", std::to_string(pid) + " (a ) b) S " + std::to_string(parent) +
                            " 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 " + std::to_string(pid * 100) + " 0 0");
    std::string words = command;
    for (auto& c : words)
      if (c == ' ') c = '\0';
    write(own / "cmdline", words + std::string(1, '\0'));
    write(own / "mountinfo", "5 1 8:1 /v /data rw - ext4 /dev/sda1 rw\n");
  }
  void address(int pid, const std::string& text) const {
    write(fs::path{std::to_string(pid)} / "net/fib_trie", "|-- " + text + "\n/32 host LOCAL\n");
    write(fs::path{std::to_string(pid)} / "net/if_inet6",
          "fd000000000000000000000000000009 02 40 00 80 eth0\n");
  }
  void end(int pid) const { fs::remove_all(root / std::to_string(pid)); }
};

const auto nobody = [](const std::string&) { return false; };

} // namespace

TEST_CASE("without an engine, containers are found by their control groups and called by their program") {
  Proc proc;
  proc.add(10, 1, mongo, "/bin/sh launch-edgex-mongo.sh", "net:[2]");
  proc.add(11, 10, mongo, "mongod --smallfiles --password=x", "net:[2]");
  proc.add(12, 1, mongo, "sh", "net:[2]"); // somebody entered
  proc.address(10, "172.30.77.5");
  proc.add(20, 1, java, "java -jar core-metadata.jar");
  ContainerScan scan{proc.root};
  const Timestamp now = 1'700'000'000 * second;
  auto reports = scan.scan(now, nobody);
  REQUIRE(reports.size() == 2);
  const auto& first = reports[0].facts;
  CHECK(reports[0].event.change.action == ContainerAction::listed);
  CHECK(first.id == mongo);
  CHECK(first.name == "mongod@aaaaaaaaaaaa");
  CHECK(first.service == first.name);
  CHECK(first.pid == 10);
  CHECK(first.running);
  REQUIRE(first.networks.size() == 1);
  CHECK(to_string(first.networks[0].address) == "172.30.77.5");
  CHECK(to_string(first.networks[0].address6) == "fd00::9");
  CHECK(first.mounts.at(0).destination == "/data");
  CHECK(first.started_at == now - 990 * second);
  CHECK(reports[1].facts.name == "java core-metadata@bbbbbbbbbbbb");
  CHECK(reports[1].facts.host_network());
  CHECK(scan.scan(now, nobody).empty());

  proc.add(30, 1, std::string(64, 'c'), "nc -l", "net:[3]"); // a new one, its address comes later
  reports = scan.scan(now, nobody);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].event.change.action == ContainerAction::started);
  CHECK(reports[0].facts.networks.empty());
  CHECK(scan.scan(now, nobody).empty());
  proc.address(30, "172.30.77.9");
  reports = scan.scan(now, nobody);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].event.change.action == ContainerAction::connected);
  CHECK(reports[0].facts.networks.size() == 1);

  for (int pid : {10, 11, 12})
    proc.end(pid);
  reports = scan.scan(now, nobody);
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].event.change.action == ContainerAction::removed);
  CHECK(reports[0].facts.name == "mongod@aaaaaaaaaaaa");
  CHECK_FALSE(reports[0].facts.running);
  // The engine is back, and knows one of the two.
  reports = scan.hand_over(now, [](const std::string& id) { return id == java; });
  REQUIRE(reports.size() == 1);
  CHECK(reports[0].facts.id == std::string(64, 'c'));
  CHECK(scan.containers() == 0);
}

TEST_CASE("a container that the engine told of is left to it") {
  Proc proc;
  proc.add(20, 1, java, "java -jar core-metadata.jar");
  ContainerScan scan{proc.root};
  CHECK(scan.scan(1, [](const std::string&) { return true; }).empty());
  ContainerScan nowhere{proc.root / "missing"};
  CHECK(nowhere.scan(1, nobody).empty());
}
