#include "core/inventory/edgex_json.hpp"

#include "core/inventory/bounded_json.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>

namespace iris {
namespace {

using Json = nlohmann::json;

constexpr std::size_t page_limit = 1024; ///< EdgeX's own MaxResultCount
constexpr std::size_t name_limit = 256;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  return text;
}

std::string text(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  auto found = object.find(key);
  return found != object.end() && found->is_string()
             ? found->get_ref<const std::string&>().substr(0, name_limit)
             : "";
}

/// Values of protocol properties are strings in most device services and numbers in some.
std::string scalar(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().substr(0, name_limit);
  return value.is_number_integer() ? value.dump() : std::string{};
}

/// "47808", "0xBAC0", 102.
std::uint16_t port_of(const std::string& text) {
  unsigned long port = 0;
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* begin = text.data() + (hex ? 2 : 0);
  auto [end, error] = std::from_chars(begin, text.data() + text.size(), port, hex ? 16 : 10);
  return error == std::errc{} && end == text.data() + text.size() && port <= 65535 ? std::uint16_t(port) : 0;
}

bool host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 &&
         text.find_first_not_of("0123456789.") != std::string_view::npos &&
         std::all_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '.' || c == '-'; });
}

/// Adds what a value says about where the device is: an address, "host:port", "opc.tcp://host:port/…",
/// "[v6]:port".
void locate(EdgexDevice& device, const std::string& value, bool may_be_name) {
  std::string_view rest{value};
  const bool url = rest.find("://") != std::string_view::npos;
  if (url) rest.remove_prefix(rest.find("://") + 3);
  auto add = [&](const IpAddress& address) {
    if (scope_of(address) == AddressScope::unspecified) return;
    if (std::find(device.addresses.begin(), device.addresses.end(), address) == device.addresses.end() &&
        device.addresses.size() < 16)
      device.addresses.push_back(address);
  };
  if (!url)
    if (auto ip = parse_ip(rest)) return add(*ip);
  rest = rest.substr(0, rest.find('/'));
  if (auto at = rest.rfind('@'); at != std::string_view::npos) rest.remove_prefix(at + 1);
  std::string_view port;
  if (rest.starts_with('[')) {
    auto close = rest.find(']');
    if (close == std::string_view::npos) return;
    if (rest.substr(close + 1).starts_with(':')) port = rest.substr(close + 2);
    rest = rest.substr(1, close - 1);
  } else if (auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    port = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  if (auto ip = parse_ip(rest))
    add(*ip);
  else if ((may_be_name || url) && host_name(rest) && device.hosts.size() < 16)
    device.hosts.emplace_back(rest);
  else
    return;
  if (auto number = port_of(std::string{port}); number != 0 && device.port == 0) device.port = number;
}

/// "AA-BB-CC-DD-EE-FF" -> "aa:bb:cc:dd:ee:ff"; "" for what is none.
std::string mac_of(std::string text) {
  text = lower(std::move(text));
  std::replace(text.begin(), text.end(), '-', ':');
  const bool good =
      text.size() == 17 && std::all_of(text.begin(), text.end(), [&, i = 0](unsigned char c) mutable {
        return i++ % 3 == 2 ? c == ':' : std::isxdigit(c) != 0;
      });
  return good && text != "00:00:00:00:00:00" ? text : "";
}

void read_protocols(EdgexDevice& device, const Json& protocols) {
  if (!protocols.is_object()) return;
  for (const auto& [protocol, properties] : protocols.items()) {
    if (!properties.is_object()) continue;
    const auto before = device.addresses.size() + device.hosts.size();
    std::uint16_t port = 0;
    for (const auto& [key, value] : properties.items()) {
      const auto name = lower(key);
      if (name == "port") port = port_of(scalar(value));
      if (name == "macaddress" && device.mac.empty()) device.mac = mac_of(scalar(value));
      if (name == "address" || name == "ip" || name == "deviceinstance" || name == "path")
        // A name without a dot is a virtual device's own ("device-virtual-bool-01").
        locate(device, scalar(value), name == "address" && scalar(value).find('.') != std::string::npos);
      else if (name == "host" || name == "endpoint")
        locate(device, scalar(value), true);
    }
    const bool found = device.addresses.size() + device.hosts.size() > before;
    if (device.protocol.empty() || (found && before == 0)) {
      device.protocol = protocol.substr(0, name_limit);
      if (port != 0) device.port = port;
    }
  }
}

/// API v1 of Barcelona to Delhi: one addressable. BACnet devices found by themselves have the address in its
/// path.
void read_addressable(EdgexDevice& device, const Json& addressable) {
  if (!addressable.is_object()) return;
  device.protocol = text(addressable, "protocol");
  locate(device, text(addressable, "address"), false);
  const bool by_address = !device.addresses.empty();
  if (!by_address) {
    auto path = text(addressable, "path");
    if (path.starts_with('/')) path.erase(0, 1);
    locate(device, path, false);
  }
  // With the address in the path, the port is the device service's own.
  if (by_address && device.port == 0 && addressable.contains("port"))
    device.port = port_of(scalar(addressable["port"]));
}

std::string name_in(const Json& device, const char* flat, const char* nested) {
  if (auto name = text(device, flat); !name.empty()) return name; // v2, v3
  auto found = device.find(nested);
  return found == device.end() ? std::string{}
         : found->is_string()  ? found->get<std::string>()
                               : text(*found, "name");
}

} // namespace

Result<EdgexDevicePage> parse_edgex_devices(std::string_view json) {
  // API v1 repeats a device's whole profile in it.
  auto parsed = parse_bounded(json, "core-metadata's list of devices",
                              {"deviceResources", "deviceCommands", "coreCommands", "resources", "commands"});
  if (!parsed) return parsed.error();
  const auto& value = *parsed;
  EdgexDevicePage page;
  const Json* list = &value;
  if (value.is_object()) {
    auto devices = value.find("devices");
    if (devices == value.end() || !devices->is_array()) {
      auto why = text(value, "message");
      return Error{Errc::invalid,
                   "core-metadata's answer holds no devices" + (why.empty() ? "" : ": " + why)};
    }
    list = &*devices;
    if (auto total = value.find("totalCount"); total != value.end() && total->is_number_integer())
      page.total = total->get<std::int64_t>();
  } else if (!value.is_array()) {
    return Error{Errc::invalid, "core-metadata's list of devices is neither an array nor an object"};
  }
  for (const auto& item : *list) {
    if (!item.is_object() || page.devices.size() >= page_limit) continue;
    EdgexDevice device;
    device.name = text(item, "name");
    if (device.name.empty()) continue;
    device.service = name_in(item, "serviceName", "service");
    device.profile = name_in(item, "profileName", "profile");
    if (auto labels = item.find("labels"); labels != item.end() && labels->is_array())
      for (const auto& label : *labels)
        if (label.is_string() && device.labels.size() < 32)
          device.labels.push_back(label.get<std::string>().substr(0, name_limit));
    if (auto protocols = item.find("protocols"); protocols != item.end()) read_protocols(device, *protocols);
    if (auto addressable = item.find("addressable"); addressable != item.end())
      read_addressable(device, *addressable);
    page.devices.push_back(std::move(device));
  }
  return page;
}

} // namespace iris
