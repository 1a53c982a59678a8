#include "core/inventory/container.hpp"
#include "node/own_container.hpp"

#include <catch2/catch.hpp>
#include <unistd.h>

using namespace iris;

namespace {
const std::string mine(64, 'a'), other(64, 'b');
}

TEST_CASE("the own container is named by what is mounted over /etc, not by a mount of another one") {
  const std::string file = " rw,relatime - ext4 /dev/sda1 rw\n";
  const auto in_docker = "620 600 8:1 /var/lib/docker/containers/" + mine + "/hostname /etc/hostname" + file;
  CHECK(own_container_of(in_docker) == mine);
  CHECK(own_container_of("620 600 8:1 /docker/containers/" + mine + "/resolv.conf /etc/resolv.conf" + file) ==
        mine);
  // On a host, of a container with `ipc: shareable`.
  const auto on_host = "77 30 0:99 / /var/lib/docker/containers/" + other +
                       "/mounts/shm rw,nosuid - tmpfs shm rw,size=65536k\n";
  CHECK(own_container_of(on_host).empty());
  CHECK(own_container_of(on_host + in_docker) == mine);
  // A volume that somebody mounts elsewhere, or a file over /etc that is no container's.
  CHECK(own_container_of("1 2 8:1 /var/lib/docker/containers/" + other + "/hostname /tmp/hostname" + file)
            .empty());
  CHECK(own_container_of("1 2 8:1 /srv/hosts /etc/hosts" + file).empty());
  CHECK(own_container_of("1 2 8:1 /x/" + other + "/hosts /etc/hosts" + file).empty());
  CHECK(own_container_of("90 81 254:0 /run/overlay-containers/" + mine + "/userdata/hostname /etc/hostname" +
                         file) == mine); // podman
  CHECK(own_container_of("").empty());
  CHECK(own_container_of("1 2").empty());
}

TEST_CASE("a container is ours only if its first process is in our control groups") {
  CHECK(shares_our_groups(std::uint32_t(::getpid())));
  CHECK(shares_our_groups(0)); // cannot be looked at
}

TEST_CASE("of our image an enrolment is left out, another program is not") {
  ContainerFacts facts;
  facts.digest = "sha256:1";
  facts.command = {"/usr/local/bin/iris-node", "enroll", "--join", "<redacted>"};
  CHECK(is_enrolment(facts, "sha256:1"));
  CHECK_FALSE(is_enrolment(facts, "sha256:2")); // its name alone is anybody's
  CHECK_FALSE(is_enrolment(facts, ""));
  facts.command = {"sh", "-c", "iris-node enroll"};
  CHECK_FALSE(is_enrolment(facts, "sha256:1"));
  facts.command = {"/usr/local/bin/iris-node", "run"};
  CHECK_FALSE(is_enrolment(facts, "sha256:1"));
  facts.command = {"iris-node"};
  CHECK_FALSE(is_enrolment(facts, "sha256:1"));
}
