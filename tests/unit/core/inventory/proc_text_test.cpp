#include "core/inventory/proc_text.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("addresses of a network namespace, each once and without loopback") {
  const char* trie = "Main:\n"
                     "  +-- 0.0.0.0/0 3 0 5\n"
                     "     |-- 0.0.0.0\n"
                     "        /0 universe UNICAST\n"
                     "     +-- 127.0.0.0/8 2 0 2\n"
                     "           |-- 127.0.0.1\n"
                     "              /32 host LOCAL\n"
                     "     +-- 172.30.77.0/24 2 0 2\n"
                     "        |-- 172.30.77.0\n"
                     "           /24 link UNICAST\n"
                     "        |-- 172.30.77.5\n"
                     "           /32 host LOCAL\n"
                     "        |-- 172.30.77.255\n"
                     "           /32 link BROADCAST\n"
                     "Local:\n"
                     "        |-- 172.30.77.5\n"
                     "           /32 host LOCAL\n";
  auto found = local_addresses(trie);
  REQUIRE(found.size() == 1);
  CHECK(to_string(found[0]) == "172.30.77.5");
  CHECK(local_addresses("").empty());
  CHECK(local_addresses("/32 host LOCAL\n|-- x\n/32 host LOCAL").empty());
  auto six = local_addresses6("00000000000000000000000000000001 01 80 10 80       lo\n"
                              "fe80000000000000004200fffe110002 02 40 20 80     eth0\n"
                              "fd000000000000000000000000000009 02 40 00 80     eth0\n"
                              "zz000000000000000000000000000009 02 40 00 80     eth0\n"
                              "fd 02");
  REQUIRE(six.size() == 1);
  CHECK(to_string(six[0]) == "fd00::9");
}

TEST_CASE("mounts of a container, without the kernel's own") {
  auto found =
      mounts_of("1 0 0:50 / / rw,relatime - overlay overlay rw,lowerdir=/l,upperdir=/u\n"
                "2 1 0:51 / /proc rw,nosuid - proc proc rw\n"
                "3 1 0:52 / /dev rw - tmpfs tmpfs rw\n"
                "4 1 0:53 / /dev/shm rw shared:5 - tmpfs shm rw\n"
                "5 1 8:1 /srv/data /data ro,relatime - ext4 /dev/sda1 rw\n"
                "6 1 8:1 /var/lib/docker/volumes/v/_data /v rw,relatime master:1 - ext4 /dev/sda1 rw\n"
                "garbage\n");
  REQUIRE(found.size() == 3);
  CHECK(found[0].destination == "/dev/shm");
  CHECK(found[0].type == "tmpfs");
  CHECK(found[1].destination == "/data");
  CHECK_FALSE(found[1].writable);
  CHECK(found[2].writable);
  CHECK(found[2].source == "/var/lib/docker/volumes/v/_data");
}

TEST_CASE("what a program is called") {
  CHECK(program_name({"/usr/bin/mongod", "--smallfiles"}) == "mongod");
  CHECK(program_name({"java", "-jar", "-Xmx150M", "core-metadata.jar"}) == "java core-metadata");
  CHECK(program_name({"/usr/bin/java", "-Xmx150M", "-jar", "/edgex/core-data.jar"}) == "java core-data");
  CHECK(program_name({"java", "-version"}) == "java");
  CHECK(program_name({"/usr/bin/python3.9", "-u", "/app/FlaskController.py", "-p"}) ==
        "python3.9 FlaskController.py");
  CHECK(program_name({}).empty());
  CHECK(program_name({std::string(500, 'x')}).size() == 64);
  CHECK(is_wrapper("/bin/sh"));
  CHECK(is_wrapper("dumb-init"));
  CHECK_FALSE(is_wrapper("/usr/bin/java"));
}
