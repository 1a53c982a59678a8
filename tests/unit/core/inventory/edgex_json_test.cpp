#include "core/inventory/edgex_json.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
EdgexDevice v3(const std::string& protocols) {
  auto page = parse_edgex_devices(
      R"({"apiVersion":"v3","statusCode":200,"totalCount":1,"devices":[{"name":"d","protocols":)" +
      protocols + "}]}");
  REQUIRE(page);
  REQUIRE(page->devices.size() == 1);
  return page->devices[0];
}
std::string first(const EdgexDevice& device) {
  return device.addresses.empty() ? "" : to_string(device.addresses[0]);
}
} // namespace

TEST_CASE("every protocol key that EdgeX's device services use") {
  struct Row {
    const char* protocols;
    const char* protocol;
    const char* address;
    std::uint16_t port;
  };
  const Row rows[] = {
      {R"({"TCP":{"Address":"10.0.0.14","Port":"161"}})", "TCP", "10.0.0.14", 161},
      {R"({"modbus-tcp":{"Address":"10.0.0.15","Port":"502","UnitID":"1"}})", "modbus-tcp", "10.0.0.15", 502},
      {R"({"modbus-tcp":{"host":"10.0.0.15","port":"1502","unitID":"1"}})", "modbus-tcp", "10.0.0.15", 1502},
      {R"({"modbus-rtu":{"Address":"/dev/ttyS5,9600,8,1,1"}})", "modbus-rtu", "", 0},
      {R"({"BACnet-IP":{"DeviceInstance":"192.168.1.20","Port":"0xBAC0"}})", "BACnet-IP", "192.168.1.20",
       47808},
      {R"({"BACnet-IP":{"DeviceInstance":"52"}})", "BACnet-IP", "", 0},
      {R"({"BACnet-IP":{"DeviceInstance":52,"Port":47808}})", "BACnet-IP", "", 47808},
      {R"({"BACnet-MSTP":{"DeviceInstance":"7","Path":"/dev/ttyUSB0"}})", "BACnet-MSTP", "", 0},
      {R"({"Onvif":{"Address":"10.0.0.16","Port":"80","MACAddress":"aa:bb:cc:dd:ee:ff"},"CustomMetadata":{"X":"y"}})",
       "Onvif", "10.0.0.16", 80},
      {R"({"REST":{"Host":"10.0.0.17","Port":"8080","Path":"api"}})", "REST", "10.0.0.17", 8080},
      {R"({"s7":{"Host":"10.0.0.18","Port":102,"Rack":0}})", "s7", "10.0.0.18", 102},
      {R"({"opcua":{"Endpoint":"opc.tcp://10.0.0.19:53530/OPCUA/SimulationServer"}})", "opcua", "10.0.0.19",
       53530},
      {R"({"opcua":{"Endpoint":"opc.tcp://[fd00::9]:4840/"}})", "opcua", "fd00::9", 4840},
      {R"({"mqtt":{"CommandTopic":"command/x"}})", "mqtt", "", 0},
      {R"({"other":{"Address":"device-virtual-bool-01","Port":"300"}})", "other", "", 300},
  };
  for (const auto& row : rows) {
    CAPTURE(row.protocols);
    auto device = v3(row.protocols);
    CHECK(device.protocol == row.protocol);
    CHECK(first(device) == row.address);
    CHECK(device.port == row.port);
  }
  CHECK(v3(R"({"REST":{"Host":"camera.local","Port":"80"}})").hosts ==
        std::vector<std::string>{"camera.local"});
  CHECK(v3(R"({"other":{"Address":"device-virtual-bool-01"}})").hosts.empty());
  CHECK(v3(R"({"modbus-tcp":{"Address":"plc.plant.local","Port":"502"}})").hosts ==
        std::vector<std::string>{"plc.plant.local"});
  CHECK(v3(R"({"Onvif":{"Address":"10.0.0.16","MACAddress":"AA-BB-CC-DD-EE-F0"}})").mac ==
        "aa:bb:cc:dd:ee:f0");
  CHECK(v3(R"({"Onvif":{"MACAddress":"not one"}})").mac.empty());
  CHECK(v3(R"({"x":{"Address":"0.0.0.0"}})").addresses.empty());
}

TEST_CASE("API v1 of Barcelona to Delhi") {
  auto page = parse_edgex_devices(R"([
    {"name":"patlite1","labels":["lights"],"service":{"name":"edgex-device-snmp"},"profile":{"name":"patlite.NHL-FBL"},
     "addressable":{"name":"a","protocol":"HTTP","address":"192.168.1.103","port":161,"user":"u","password":"geheim"}},
    {"name":"BAC 192.168.1.20","service":{"name":"edgex-device-bacnet"},"profile":{"name":"KMC.BAC"},
     "addressable":{"protocol":"MAC","address":"edgex-device-bacnet","port":49986,"path":"/192.168.1.20"}},
    {"name":"serial","addressable":{"protocol":"OTHER","address":"/dev/ttyS5,9600,8,1,1","port":0}}])");
  REQUIRE(page);
  CHECK(page->total == -1);
  REQUIRE(page->devices.size() == 3);
  CHECK(page->devices[0].service == "edgex-device-snmp");
  CHECK(page->devices[0].profile == "patlite.NHL-FBL");
  CHECK(first(page->devices[0]) == "192.168.1.103");
  CHECK(page->devices[0].port == 161);
  CHECK(first(page->devices[1]) == "192.168.1.20");
  CHECK(page->devices[1].port == 0); // the 49986 is the service's own
  CHECK(page->devices[2].addresses.empty());
}

TEST_CASE("paging and answers that are none") {
  auto page = parse_edgex_devices(
      R"({"totalCount":2048,"devices":[{"name":"a","serviceName":"device-snmp","profileName":"p"},{}]})");
  REQUIRE(page);
  CHECK(page->total == 2048);
  REQUIRE(page->devices.size() == 1);
  CHECK(page->devices[0].service == "device-snmp");
  CHECK_FALSE(parse_edgex_devices("pong"));
  CHECK_FALSE(parse_edgex_devices("17"));
  auto refused = parse_edgex_devices(R"({"apiVersion":"v3","message":"401 Unauthorized","statusCode":401})");
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.find("401 Unauthorized") != std::string::npos);
}

TEST_CASE("a list that is made to fill the memory is refused, a long honest one is read") {
  std::string empty = "[";
  while (empty.size() < 8 << 20)
    empty += "{},";
  empty.back() = ']';
  std::string in_one_device = R"([{"name":"a","labels":[)";
  while (in_one_device.size() < 8 << 20)
    in_one_device += "[],";
  in_one_device.back() = ']';
  for (const auto& text : {std::string(8 << 20, '['), empty, in_one_device + "}]",
                           R"([{"name":"a","profile":{"deviceResources":)" + std::string(1 << 20, '[')}) {
    CAPTURE(text.substr(0, 20));
    auto page = parse_edgex_devices(text);
    REQUIRE_FALSE(page);
    CHECK(page.error().code == Errc::limit);
  }
  // API v1: each device with a profile of 300 resources.
  std::string resources;
  for (int i = 0; i < 300; ++i)
    resources += std::string{i > 0 ? "," : ""} + R"({"name":"r","properties":{"value":{"type":"Int16"}}})";
  std::string text = "[";
  for (int i = 0; i < 500; ++i)
    text += std::string{i > 0 ? "," : ""} + R"({"name":"d)" + std::to_string(i) +
            R"(","profile":{"deviceResources":[)" + resources + R"(],"name":"p"}})";
  text += "]";
  auto page = parse_edgex_devices(text);
  REQUIRE(page);
  CHECK(page->devices.size() == 500);
  CHECK(page->devices[499].profile == "p");
}
