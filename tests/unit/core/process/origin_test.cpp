#include "core/process/origin.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("where a container's file came from") {
  const std::vector<MountPoint> mounts{
      {"/data", true, false}, {"/data/ro", false, false}, {"/run", true, true}, {"/etc/hosts/", true, false}};
  const Timestamp created = 1000;
  struct Row {
    FileFacts file;
    const char* path;
    Origin expected;
  };
  const Row rows[] = {
      {{500, 1, 0x794c7630, false}, "/bin/sh", Origin::image},
      {{1500, 1, 0x794c7630, false}, "/tmp/x", Origin::upper},
      {{1500, 1, 0x794c7630, false}, "/database", Origin::upper}, // not below /data
      {{500, 1, 0xef53, false}, "/data/x", Origin::mount},
      {{1500, 1, 0xef53, false}, "/data/ro/x", Origin::image},
      {{1500, 1, 0x01021994, false}, "/dev/shm/x", Origin::tmpfs},
      {{1500, 1, 0, false}, "/run/x", Origin::tmpfs},
      {{1500, 0, 0x01021994, true}, "memfd:x", Origin::memory},
      {{1500, 0, 0x794c7630, false}, "/tmp/x", Origin::deleted},
      {{0, 1, 0, false}, "/bin/sh", Origin::unknown},
      {{500, 1, 0xef53, false}, "/etc/hosts", Origin::mount},
  };
  for (const auto& row : rows) {
    CAPTURE(row.path);
    CHECK(origin_of(row.file, row.path, created, mounts) == row.expected);
  }
  CHECK(origin_of({500, 1, 0, false}, "/x", 0, {}) == Origin::unknown);
  CHECK(origin_on_host({500, 1, 0xef53, false}) == Origin::unknown);
  CHECK(origin_on_host({500, 0, 0xef53, false}) == Origin::deleted);
}
