#include "core/process/container_id.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
const std::string id(64, 'a');
const std::string outer(64, 'b');
} // namespace

TEST_CASE("container ids of every runtime's cgroup path") {
  struct Row {
    std::string path, expected;
  };
  const Row rows[] = {
      {"/docker/" + id, id},
      {"/system.slice/docker-" + id + ".scope", id},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" + id + ".scope", id},
      {"/custom.slice/docker-" + id + ".scope", id},
      {"/../docker-" + id + ".scope", id},
      {"/", ""},
      {"", ""},
      {"/docker/" + outer + "/docker/" + id, outer}, // the host's engine knows the outer one
      {"/docker/" + outer + "/x-" + id, outer},      // a group that a container named after another
      {"/docker/" + outer + "/conmon-x", outer},     // or after a monitor
      {"/" + id, id},
      {"/docker/" + id + "/init.scope", id},
      {"/kubepods/burstable/pod11111111-2222-3333-4444-555555555555/" + id, id},
      {"/kubepods/besteffort/pod11111111-2222-3333-4444-555555555555/" + id + "/sub/deeper", id},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/docker-" + id + ".scope",
       id},
      {"/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" + id + ".scope", id},
      {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod1.slice/crio-" + id + ".scope", id},
      {"/kubepods.slice/kubepods-pod1.slice:cri-containerd:" + id, id},
      {"/kubepods.slice/kubepods-pod1.slice/crio-conmon-" + id + ".scope", ""},
      {"/machine.slice/libpod-" + id + ".scope", id},
      {"/machine.slice/libpod-" + id + ".scope/container", id},
      {"/libpod_parent/libpod-" + id, id},
      {"/machine.slice/libpod-conmon-" + id + ".scope", ""},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope", id},
      {"/system.slice/nerdctl-" + id + ".scope", id},
      {"/system.slice/ssh.service", ""},
      {"/docker/" + id + "f", ""},             // 65 digits
      {"/docker/" + id.substr(1), ""},         // 63 digits
      {"/docker/" + std::string(64, 'A'), ""}, // ids are lower case
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(container_id_of_path(row.path) == row.expected);
  }
}

TEST_CASE("all lines of /proc/PID/cgroup are looked at") {
  CHECK(container_id_of_proc("12:rdma:/\n11:memory:/docker/" + id + "\n0::/\n") == id);
  CHECK(container_id_of_proc("0::/system.slice/docker-" + id + ".scope") == id);
  CHECK(container_id_of_proc("1:name=systemd:/kubepods/pod1/" + id + "\n") == id);
  CHECK(container_id_of_proc("0::/\n").empty());
  CHECK(container_id_of_proc("nonsense\n\n::\n").empty());
  CHECK(container_id_of_proc("").empty());
}

TEST_CASE("the last names of a path give the same, what a container made below itself counts to it") {
  using Names = std::vector<std::string_view>;
  const std::string scope = "docker-" + id + ".scope", foreign = "x-" + outer,
                    monitor = "libpod-conmon-" + id + ".scope";
  CHECK(container_id_of_names(Names{scope, "system.slice", ""}) == id);
  CHECK(container_id_of_names(Names{id, "docker", ""}) == id);
  CHECK(container_id_of_names(Names{foreign, "sub", id}) == id);
  CHECK(container_id_of_names(Names{"conmon-x", id, "docker"}) == id);
  CHECK(container_id_of_names(Names{monitor, "machine.slice", ""}).empty());
  CHECK(container_id_of_names(Names{"c", "b", "a"}).empty());
  CHECK(container_id_of_names({}).empty());
}
