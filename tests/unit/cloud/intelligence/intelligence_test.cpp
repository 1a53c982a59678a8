#include "cloud/intelligence/intelligence.hpp"
#include "tests/fixtures/temp_dir.hpp"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

using namespace iris;

namespace {
// Written by tests/lab/lib/mmdb.py: 203.0.113.0/24 is DE, Lab Hosting; 198.51.100.0/25 is NL and names no
// network.
const std::string mmdb = IRIS_SOURCE_DIR "/tests/fixtures/countries.mmdb";
} // namespace

TEST_CASE("country and network of outside addresses; the prefix where no operator is named") {
  auto database = AddressDatabase::open(mmdb);
  REQUIRE(database);
  auto place = database->lookup(*parse_ip("203.0.113.66"));
  CHECK(place.country == "DE");
  CHECK(place.network == "Lab Hosting");
  place = database->lookup(*parse_ip("198.51.100.7"));
  CHECK(place.country == "NL");
  CHECK(place.network == "198.51.100.0/25");
  CHECK(database->lookup(*parse_ip("198.51.100.200")).country.empty());
  CHECK(database->lookup(*parse_ip("2001:db8::1")).country.empty());
  CHECK(database->type() == "Iris-Lab-Country");
  CHECK(rfc3339(database->built()) == "2026-11-24T09:27:16.000000Z");
  auto missing = AddressDatabase::open("/nowhere.mmdb");
  REQUIRE_FALSE(missing);
  CHECK(missing.error().message.find("/nowhere.mmdb: not a usable MMDB file") == 0);
}

TEST_CASE("a database that is cut in place while it is in use still answers") {
  TempDir dir;
  const auto path = dir.path("countries.mmdb");
  std::filesystem::copy_file(mmdb, path);
  auto database = AddressDatabase::open(path);
  REQUIRE(database);
  std::filesystem::resize_file(path, 0);                              // as cp, curl -o and editors begin
  CHECK(database->lookup(*parse_ip("203.0.113.66")).country == "DE"); // was SIGBUS
  CHECK_FALSE(AddressDatabase::open(path));
  CHECK_FALSE(AddressDatabase::open(dir.path("")));
}

TEST_CASE("lists and databases are loaded, and what is wrong with them is told line by line") {
  TempDir dir;
  std::ofstream{dir.path("bad.txt")} << "203.0.113.66\t5\n203.0.113.0/33\n# comment\n198.51.100.7\n";
  std::ofstream{dir.path("junk.mmdb")} << "not a database";
  std::vector<std::string> problems;
  auto intelligence = load_intelligence(
      {{dir.path("bad.txt"), dir.path("none.txt")}, {mmdb, dir.path("junk.mmdb")}}, problems);
  CHECK(intelligence->indicators.size() == 2);
  CHECK(intelligence->indicators.match(*parse_ip("203.0.113.66")).lists == std::vector<std::string>{"bad"});
  CHECK(intelligence->place_of(*parse_ip("203.0.113.66")).country == "DE");
  CHECK(intelligence->place_of(*parse_ip("10.0.0.1")).country.empty());
  CHECK(intelligence->edge_version != 0);
  CHECK(IndicatorSet::decode(intelligence->edge.data(), intelligence->edge.size()));
  REQUIRE(problems.size() == 3);
  CHECK(problems[0].find("none.txt: cannot be read") != std::string::npos);
  CHECK(problems[1].find(dir.path("bad.txt") + ":2: ") == 0);
  CHECK(problems[2].find("junk.mmdb") != std::string::npos);
}

TEST_CASE("the version is that of the content, and a changed file has another stamp") {
  TempDir dir;
  auto path = dir.path("list.txt");
  std::ofstream{path} << "203.0.113.1\n";
  IntelligenceFiles files{{path}, {}};
  std::vector<std::string> problems;
  auto first = load_intelligence(files, problems);
  auto stamp = stamp_of(files);
  CHECK(load_intelligence(files, problems)->edge_version == first->edge_version);
  std::ofstream{path} << "203.0.113.1\n203.0.113.2\n";
  CHECK(stamp_of(files) != stamp);
  CHECK(load_intelligence(files, problems)->edge_version != first->edge_version);
  CHECK(load_intelligence({}, problems)->edge_version == 0);
}

TEST_CASE("lists that are too long for one message are cut to the entries that most feeds agree on") {
  TempDir dir;
  auto path = dir.path("long.txt");
  {
    std::ofstream out{path};
    for (int i = 0; i < 400'000; ++i)
      out << "203." << i % 200 << "." << i / 200 % 256 << "." << i / 51'200 + 1 << "\t"
          << (i % 10 == 0 ? 7 : 1) << "\n";
  }
  std::vector<std::string> problems;
  auto intelligence = load_intelligence({{path}, {}}, problems);
  CHECK(intelligence->indicators.size() == 400'000);
  CHECK(intelligence->edge.size() <= Intelligence::edge_limit);
  CHECK(intelligence->edge_confidence == 2);
  auto edge = IndicatorSet::decode(intelligence->edge.data(), intelligence->edge.size());
  REQUIRE(edge);
  CHECK(edge->size() == 40'000);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].find("confidence 2") != std::string::npos);
}
