#include "core/intel/indicator_set.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;

namespace {

IndicatorSet sample() {
  IndicatorSet set;
  CHECK(set.add_list("plain",
                     "# comment\n198.51.100.7\t9\r\n\n203.0.113.9 # why\n; other comment\n2001:db8::5\n"));
  CHECK(set.add_list("nets", "203.0.113.0/24\n45.9.20.0/22 ; SBL1\n203.0.113.8/30\n"));
  set.build(42);
  return set;
}

} // namespace

TEST_CASE("addresses and networks match, the narrowest entry and all lists are told") {
  auto set = sample();
  CHECK(set.version() == 42);
  CHECK(set.size() == 6);
  auto match = set.match(*parse_ip("203.0.113.9"));
  CHECK(to_string(match.network) == "203.0.113.9/32");
  CHECK(match.lists == std::vector<std::string>{"nets", "plain"});
  CHECK(to_string(set.match(*parse_ip("203.0.113.10")).network) == "203.0.113.8/30");
  CHECK(set.match(*parse_ip("198.51.100.7")).confidence == 9);
  CHECK(set.contains(*parse_ip("45.9.23.255")));
  CHECK_FALSE(set.contains(*parse_ip("45.9.24.0")));
  CHECK(set.contains(*parse_ip("2001:db8::5")));
  CHECK(set.match(*parse_ip("8.8.8.8")).lists.empty());
}

TEST_CASE("a malformed line is told with its number and never becomes an address") {
  IndicatorSet set;
  auto report = set.add_list(
      "bad", "1.2.3.4\nevil.example\n1.2.3.4.5\n1.2.3\n0x7f\n9.9.9.9 word\n1.2.3.400\n0.0.0.0/0\n"
             "9.9.9.10abc\n1.1.1.0/33\n");
  REQUIRE(report);
  CHECK(report->entries == 1);
  CHECK(report->errors_total == 9);
  CHECK(report->errors[0] == "bad:2: not an address or network: evil.example");
  CHECK(report->errors[6] == "bad:8: network too wide to mean anything: 0.0.0.0/0");
  set.build(1);
  CHECK_FALSE(set.contains(*parse_ip("0.0.0.0")));
  CHECK_FALSE(set.contains(*parse_ip("9.9.9.10")));
}

TEST_CASE("private and special addresses are never matched, documentation ranges are") {
  IndicatorSet set;
  auto report = set.add_list(
      "all", "10.0.0.5\n192.168.1.0/24\n127.0.0.1\n224.0.0.1\n100.64.3.3\n198.51.100.1\n203.0.113.0/24\n"
             "192.0.2.1\n192.160.0.0/12\nfe80::1\n2001:db8::/32\n");
  REQUIRE(report);
  CHECK(report->never == 6);
  set.build(1);
  CHECK_FALSE(set.contains(*parse_ip("192.168.5.5"))); // inside a listed network that is wider
  CHECK(set.contains(*parse_ip("192.167.5.5")));
  for (const char* text : {"198.51.100.1", "203.0.113.77", "192.0.2.1", "2001:db8::9"})
    CHECK(set.contains(*parse_ip(text)));
  CHECK(is_special_use(*parse_cidr("192.0.0.0/8")));
  CHECK_FALSE(is_special_use(*parse_cidr("198.51.100.0/24")));
}

TEST_CASE("the encoding survives the way there and back, damage is refused") {
  auto set = sample();
  auto bytes = set.encode();
  auto back = IndicatorSet::decode(bytes.data(), bytes.size());
  REQUIRE(back);
  CHECK(back->encode() == bytes);
  CHECK(back->match(*parse_ip("203.0.113.9")).lists.size() == 2);
  CHECK_FALSE(IndicatorSet::decode(bytes.data(), bytes.size() - 1));
  CHECK_FALSE(IndicatorSet::decode("IRI2", 4));
  std::mt19937 random{3};
  for (int round = 0; round < 3'000; ++round) {
    auto broken = bytes;
    broken[random() % broken.size()] = char(random());
    if (auto decoded = IndicatorSet::decode(broken.data(), broken.size()))
      (void)decoded->match(*parse_ip("203.0.113.9"));
  }
}

TEST_CASE("limits and repeated names are refused") {
  IndicatorSet set;
  for (std::size_t i = 0; i < IndicatorSet::list_limit; ++i)
    CHECK(set.add_list("list" + std::to_string(i), "8.8.4.4\n"));
  CHECK(set.add_list("one-more", "8.8.4.4\n").error().code == Errc::limit);
  IndicatorSet twice;
  CHECK(twice.add_list("a", ""));
  CHECK(twice.add_list("a", "").error().code == Errc::invalid);
}
