#include "node/sources/usage_reader.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace iris;
namespace fs = std::filesystem;

namespace {
/// A pretended /sys/fs/cgroup.
struct Tree {
  fs::path root = fs::temp_directory_path() / ("iris-usage-" + std::to_string(::getpid()));
  Tree() { fs::create_directories(root); }
  ~Tree() { fs::remove_all(root); }
  void file(const std::string& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream{root / path} << text;
  }
  std::string mount(const std::string& point, const std::string& shown, const std::string& type,
                    const std::string& options) {
    return "36 35 0:1 " + shown + " " + (root / point).string() + " ro,nosuid shared:1 - " + type +
           " cgroup " + options + "\n";
  }
};
} // namespace

TEST_CASE("counters of version 1 groups") {
  Tree tree;
  tree.file("cpu,cpuacct/docker/a/cpuacct.usage", "123456789\n");
  tree.file("memory/docker/a/memory.usage_in_bytes", "1000000\n");
  tree.file("memory/docker/a/memory.stat", "cache 1\ninactive_file 7\ntotal_inactive_file 400000\n");
  tree.file("pids/docker/a/pids.current", "12\n");
  UsageReader reader{tree.mount("cpu,cpuacct", "/", "cgroup", "rw,cpu,cpuacct") +
                     tree.mount("memory", "/", "cgroup", "rw,memory") +
                     tree.mount("pids", "/", "cgroup", "rw,pids") +
                     tree.mount("unified", "/", "cgroup2", "rw")};
  CHECK(reader.usable());
  auto usage = reader.read("4:memory:/docker/a\n3:cpu,cpuacct:/docker/a\n2:pids:/docker/a\n0::/docker/a\n");
  REQUIRE(usage);
  CHECK(usage->cpu == 123456789);
  CHECK(usage->memory == 600000);
  CHECK(usage->pids == 12);
  CHECK_FALSE(reader.read("4:memory:/docker/b\n3:cpu,cpuacct:/docker/b\n"));
  CHECK_FALSE(reader.read("4:memory:/\n3:cpu,cpuacct:/\n2:pids:/\n")); // the machine itself
}

TEST_CASE("counters of version 2 groups, also through a mount that shows a part") {
  Tree tree;
  tree.file("system.slice/docker-a.scope/cpu.stat", "usage_usec 5000\nuser_usec 1\n");
  tree.file("system.slice/docker-a.scope/memory.current", "5000");
  tree.file("system.slice/docker-a.scope/memory.stat", "anon 3\ninactive_file 9000\n");
  tree.file("system.slice/docker-a.scope/pids.current", "3");
  UsageReader reader{tree.mount("", "/", "cgroup2", "rw")};
  auto usage = reader.read("0::/system.slice/docker-a.scope\n");
  REQUIRE(usage);
  CHECK(usage->cpu == 5'000'000);
  CHECK(usage->memory == 0); // more cache than use: never below zero
  CHECK(usage->pids == 3);
  UsageReader part{tree.mount("system.slice", "/system.slice", "cgroup2", "rw")};
  CHECK(part.read("0::/system.slice/docker-a.scope\n")->pids == 3);
  CHECK_FALSE(reader.read("0::/../docker-a.scope\n")); // seen from another cgroup namespace
  CHECK_FALSE(UsageReader{""}.usable());
  CHECK_FALSE(UsageReader{"nonsense\n - \n"}.read("0::/x\n"));
}
