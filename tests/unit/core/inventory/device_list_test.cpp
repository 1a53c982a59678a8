#include "core/inventory/device_list.hpp"

#include <catch2/catch.hpp>

using namespace iris;

TEST_CASE("devices survive the disk, and damage is noticed") {
  EdgexDevice device;
  device.name = "camera";
  device.service = "device-onvif-camera";
  device.profile = "onvif";
  device.labels = {"hall", "north"};
  device.protocol = "Onvif";
  device.addresses = {*parse_ip("10.0.0.16"), *parse_ip("fd00::9")};
  device.port = 80;
  device.mac = "aa:bb:cc:dd:ee:ff";
  auto bytes = encode_devices({device, EdgexDevice{}});
  auto read = decode_devices(bytes);
  REQUIRE(read);
  REQUIRE(read->size() == 2);
  const auto& same = (*read)[0];
  CHECK(same.name == device.name);
  CHECK(same.service == device.service);
  CHECK(same.profile == device.profile);
  CHECK(same.labels == device.labels);
  CHECK(same.protocol == device.protocol);
  CHECK(same.addresses == device.addresses);
  CHECK(same.port == 80);
  CHECK(same.mac == device.mac);
  CHECK_FALSE(decode_devices({}));
  bytes.resize(16);
  CHECK_FALSE(decode_devices(bytes));
}

TEST_CASE("a device that is known by its hardware address is where that is") {
  auto neighbours =
      parse_neighbours("IP address       HW type     Flags       HW address            Mask     Device\n"
                       "10.0.0.40        0x1         0x2         aa:bb:cc:dd:ee:ff     *        eth1\n"
                       "10.0.0.41        0x1         0x0         00:00:00:00:00:00     *        eth1\n"
                       "garbage\n\n"
                       "10.0.0.42        0x1         0x2         11:22:33:44:55:66     *        eth1");
  REQUIRE(neighbours.size() == 2);
  std::vector<EdgexDevice> devices(2);
  devices[0].mac = "aa:bb:cc:dd:ee:ff";
  devices[0].addresses = {*parse_ip("10.0.0.16")}; // where it was
  locate_by_mac(devices, neighbours);
  locate_by_mac(devices, neighbours);
  REQUIRE(devices[0].addresses.size() == 2);
  CHECK(to_string(devices[0].addresses[1]) == "10.0.0.40");
  CHECK(devices[1].addresses.empty());
}
