#include "node/enrolment.hpp"

#include "actors/link/enrol.hpp"
#include "cloud/pki/pki.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>

using namespace iris;
namespace fs = std::filesystem;

namespace {

struct World {
  TempDir dir;
  EnrolmentFiles files{dir.path("node")};
  Timestamp now = Timestamp(std::time(nullptr)) * iris::second;
  World() {
    fs::create_directory(files.directory);
    REQUIRE(pki::make_authority(dir.path("pki"), "Test", now));
  }
  std::string certificate_for(const std::string& key) {
    auto made = pki::sign_request(dir.path("pki"), *make_request(key), {Role::gateway, "t", "g", false}, now);
    REQUIRE(made);
    return made->pem;
  }
  void enrol(const std::string& token) {
    auto pending = PendingEnrolment::begin(files, token);
    REQUIRE(pending);
    REQUIRE(pending->finish(certificate_for(pending->key()), "ca", "a:1\n"));
  }
};

} // namespace

TEST_CASE_METHOD(World, "issue: a key that does not fit its certificate is no enrolment") {
  enrol("one");
  CHECK(files.complete());
  CHECK_FALSE(fs::exists(files.directory + "/enrolling"));
  CHECK_FALSE(fs::exists(files.directory + "/enrolled"));
  REQUIRE(write_private_file(files.key(), make_key_and_request()->key));
  CHECK_FALSE(files.complete());
}

TEST_CASE_METHOD(World,
                 "issue: an enrolment that was cut off between its files is finished by the next start") {
  enrol("one");
  const auto before = *read_small_file(files.key());
  // As after a crash when the first of four was in its place.
  const EnrolmentFiles granted{files.directory + "/enrolled"};
  fs::create_directory(granted.directory);
  const auto key = make_key_and_request()->key, certificate = certificate_for(key);
  REQUIRE(write_private_file(files.key(), key));
  REQUIRE(write_private_file(granted.ca(), "ca 2"));
  REQUIRE(write_private_file(granted.addresses(), "b:1\n"));
  REQUIRE(write_private_file(granted.certificate(), certificate));
  CHECK_FALSE(files.complete());
  REQUIRE(settle_enrolment(files));
  CHECK(files.complete());
  CHECK(*read_small_file(files.certificate()) == certificate);
  CHECK(*read_small_file(files.ca()) == "ca 2");
  CHECK_FALSE(fs::exists(granted.directory));
  CHECK(before != key);
}

TEST_CASE_METHOD(World, "issue: the same token asks again with the same key, another one with its own") {
  const auto first = PendingEnrolment::begin(files, "one")->key(); // the answer never came
  CHECK(PendingEnrolment::begin(files, "one")->key() == first);
  CHECK(PendingEnrolment::begin(files, "two")->key() != first);
  auto pending = PendingEnrolment::begin(files, "two");
  CHECK_FALSE(pending->finish(certificate_for(first), "ca", "a:1\n")); // of another key
  CHECK_FALSE(files.complete());
  // Where nothing can be written no token is shown to anybody.
  std::ofstream{dir.path("file")} << "x";
  CHECK_FALSE(PendingEnrolment::begin(EnrolmentFiles{dir.path("file")}, "one"));
}

TEST_CASE_METHOD(World, "issue: a private file is private whatever lay in its way, and follows no link") {
  const auto path = files.directory + "/key.pem", elsewhere = dir.path("elsewhere");
  std::ofstream{elsewhere} << "untouched";
  REQUIRE(::symlink(elsewhere.c_str(), (path + ".new").c_str()) == 0);
  REQUIRE(write_private_file(path, "secret"));
  CHECK(*read_small_file(elsewhere) == "untouched");
  std::ofstream{path + ".new"} << "left over";
  fs::permissions(path + ".new", fs::perms::all);
  REQUIRE(write_private_file(path, "secret 2"));
  struct stat info {};
  REQUIRE(::stat(path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0600);
  CHECK(*read_small_file(path) == "secret 2");
}
