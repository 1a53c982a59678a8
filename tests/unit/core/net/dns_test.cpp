#include "core/net/dns.hpp"

#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;
using iris::frames::append;
using iris::frames::Bytes;

namespace {

/// A response for Mirror.Example with a CNAME, an A and an AAAA record.
Bytes response() {
  Bytes bytes{0x12, 0x34, 0x81, 0x80, 0, 1, 0, 3, 0, 0, 0, 0};
  append(bytes, {6, 'M', 'i', 'r', 'r', 'o', 'r', 7, 'E', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1});
  append(bytes, {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 4, 1, 'a', 0xc0, 19});
  append(bytes, {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9});
  append(bytes, {0xc0, 12,   0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1,
                 0x0d, 0xb8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,    1});
  return bytes;
}

} // namespace

TEST_CASE("a DNS answer gives the name asked for and its addresses") {
  auto answer = parse_dns_answer(response());
  REQUIRE(answer);
  CHECK(answer->name == "mirror.example");
  REQUIRE(answer->addresses.size() == 2);
  CHECK(to_string(answer->addresses[0]) == "203.0.113.9");
  CHECK(to_string(answer->addresses[1]) == "2001:db8::1");
}

TEST_CASE("a cut DNS answer gives what could be read, a query nothing") {
  auto bytes = response();
  auto cut = bytes;
  cut.resize(bytes.size() - 4);
  auto answer = parse_dns_answer(cut);
  REQUIRE(answer);
  CHECK(answer->addresses.size() == 1);
  bytes[2] = 0x01;
  CHECK_FALSE(parse_dns_answer(bytes));
  for (std::size_t size = 0; size < 28; ++size)
    CHECK_FALSE(parse_dns_answer(std::span{cut}.first(size)));
}

TEST_CASE("names cannot loop, and unusual bytes are written out") {
  Bytes looping{0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1};
  CHECK_FALSE(parse_dns_answer(looping));
  Bytes odd{0, 0, 0x80, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 'a', '.', 0x1b, 1, 'b', 0, 0, 1, 0, 1};
  auto answer = parse_dns_answer(odd);
  REQUIRE(answer);
  CHECK(answer->name == "a\\046\\027.b");
  std::mt19937 random{3};
  for (int i = 0; i < 20'000; ++i) {
    Bytes noise(random() % 80);
    for (auto& byte : noise)
      byte = std::uint8_t(random() % 5 == 0 ? random() : random() % 4);
    if (noise.size() > 6) noise[2] = 0x80, noise[4] = 0, noise[5] = 1;
    if (auto parsed = parse_dns_answer(noise)) CHECK(parsed->name.size() <= 1'024);
  }
}
