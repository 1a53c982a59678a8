#include "core/net/device_names.hpp"

#include "tests/unit/core/net/device_messages.hpp"

#include <catch2/catch.hpp>

#include <cstring>

using namespace iris;
using namespace iris::frames;

namespace {

std::optional<DeviceName> heard(const Bytes& frame, std::optional<DeviceName> (*parse)(const PacketView&)) {
  PacketView view;
  REQUIRE(frames::decode(link_type::ethernet, frame, view) == Decoded::ip);
  return parse(view);
}

} // namespace

TEST_CASE("a DHCP request names the address that its sender asks for") {
  auto name = heard(dhcp_request("hue-bridge", "10.77.0.33"), parse_dhcp_name);
  REQUIRE(name);
  CHECK(name->name == "hue-bridge");
  CHECK(to_string(name->address) == "10.77.0.33");
  name = heard(dhcp_request("Kitchen Light\x1b[2J\n", "10.77.0.33"), parse_dhcp_name);
  REQUIRE(name);
  CHECK(name->name == "Kitchen-Light--2J-");
  name = heard(dhcp_request(std::string(200, 'a'), "10.77.0.33"), parse_dhcp_name);
  REQUIRE(name);
  CHECK(name->name.size() == DeviceName::limit);
}

TEST_CASE("a DHCP request for another one's link address, or without a name, names nobody") {
  auto frame = dhcp_request("hue-bridge", "10.77.0.33");
  frame[11] ^= 1; // sent by another card
  CHECK_FALSE(heard(frame, parse_dhcp_name));
  CHECK_FALSE(heard(dhcp_request("", "10.77.0.33"), parse_dhcp_name));
  CHECK_FALSE(heard(dhcp_request("--", "10.77.0.33"), parse_dhcp_name));
  CHECK_FALSE(heard(dhcp_request("a", "10.77.0.33", 1), parse_dhcp_name)); // discover: not its address yet
  frame = dhcp_request("hue-bridge", "10.77.0.33");
  for (std::size_t cut = 1; cut < 100; ++cut) { // a snapshot's end
    auto part = frame;
    part.resize(frame.size() - cut);
    PacketView view;
    if (iris::decode(link_type::ethernet, part, std::uint32_t(frame.size()), view) != Decoded::ip) continue;
    auto name = parse_dhcp_name(view);
    CHECK((!name || name->name == "hue-bridge"));
  }
}

TEST_CASE("an mDNS answer names its sender, and nobody else") {
  auto name = heard(mdns_answer("10.77.0.33", "Hue-Bridge", "10.77.0.33"), parse_mdns_name);
  REQUIRE(name);
  CHECK(name->name == "hue-bridge");
  CHECK(to_string(name->address) == "10.77.0.33");
  CHECK_FALSE(heard(mdns_answer("10.77.0.34", "hue-bridge", "10.77.0.33"), parse_mdns_name));
}
