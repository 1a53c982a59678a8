#include "core/base/address.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("addresses parse whole or not at all") {
  CHECK(to_string(*parse_ip("198.51.100.7")) == "198.51.100.7");
  CHECK(to_string(*parse_ip("2001:db8::1")) == "2001:db8::1");
  CHECK_FALSE(parse_ip("198.51.100.7 "));
  CHECK_FALSE(parse_ip("198.51.100"));
  CHECK_FALSE(parse_ip(""));
}

TEST_CASE("networks contain what is theirs") {
  auto lan = parse_cidr("192.168.77.0/24");
  REQUIRE(lan);
  CHECK(lan->contains(*parse_ip("192.168.77.255")));
  CHECK_FALSE(lan->contains(*parse_ip("192.168.78.0")));
  CHECK(to_string(*parse_cidr("10.1.2.3/13")) == "10.0.0.0/13");
  CHECK(parse_cidr("0.0.0.0/0")->contains(*parse_ip("8.8.8.8")));
  CHECK_FALSE(parse_cidr("0.0.0.0/0")->contains(*parse_ip("2001:db8::1")));
  CHECK_FALSE(parse_cidr("10.0.0.0/33"));
  CHECK_FALSE(parse_cidr("10.0.0.0/"));
}

TEST_CASE("scopes follow their RFCs") {
  CHECK(scope_of(*parse_ip("172.31.255.1")) == AddressScope::private_use);
  CHECK(scope_of(*parse_ip("172.32.0.1")) == AddressScope::global);
  CHECK(scope_of(*parse_ip("239.255.255.250")) == AddressScope::multicast);
  CHECK(scope_of(*parse_ip("fe80::1")) == AddressScope::link_local);
  CHECK(scope_of(*parse_ip("::1")) == AddressScope::loopback);
}
