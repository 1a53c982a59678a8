#include "node/machine_checks.hpp"

#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace iris;

namespace {
std::vector<std::string> ids(const std::vector<MachineCheck>& checks) {
  std::vector<std::string> out;
  for (const auto& check : checks)
    out.push_back(check.id);
  return out;
}
} // namespace

TEST_CASE("missing capabilities are named, each with what it costs") {
  CHECK(ids(missing_capabilities("Name:\tx\nCapEff:\t000001ffffffffff\n")).empty());
  const auto none = missing_capabilities("CapEff:\t0000000000000000\n");
  CHECK(ids(none) == std::vector<std::string>{"cap-sys-admin", "cap-dac-read-search", "cap-net-admin",
                                              "cap-net-raw", "cap-sys-ptrace", "cap-sys-nice"});
  CHECK(std::none_of(none.begin(), none.end(), [](const auto& check) { return check.costs.empty(); }));
  // BPF and PERFMON together stand for SYS_ADMIN, one alone does not.
  CHECK(ids(missing_capabilities("CapEff:\t000000c000883004\n")).empty());
  CHECK(ids(missing_capabilities("CapEff:\t0000008000883004\n")) ==
        std::vector<std::string>{"cap-sys-admin"});
  CHECK(missing_capabilities("").size() == 6);
}

TEST_CASE("a machine without an engine and a data directory is told what that costs, and is not good") {
  TempDir folder;
  CheckOptions options;
  options.data = folder.path() + "/nowhere";
  options.docker_socket = folder.path() + "/docker.sock";
  const auto machine = check_machine(options);
  CHECK_FALSE(machine.good());
  for (const auto* id : {"engine", "disk", "enrolment"}) {
    CAPTURE(id);
    auto found = std::find_if(machine.checks.begin(), machine.checks.end(),
                              [&](const auto& check) { return check.id == id; });
    REQUIRE(found != machine.checks.end());
    CHECK(found->state == MachineCheck::State::missing);
    CHECK_FALSE(found->found.empty());
    CHECK_FALSE(found->costs.empty());
  }
  auto names = ids(machine.checks);
  for (const auto* id :
       {"kernel", "btf", "ebpf", "connector", "host-processes", "packets", "cgroups", "clock", "lan"})
    CHECK(std::count(names.begin(), names.end(), id) == 1);
}
