#include "core/inventory/device_list.hpp"

#include "core/base/capnp_reader.hpp"

#include "schemas/inventory.capnp.h"

#include <algorithm>
#include <array>

namespace iris {
namespace {

constexpr std::size_t file_limit = 32 << 20, device_limit = 65'536, list_limit = 64, neighbour_limit = 4096;

std::string string_of(capnp::Text::Reader text) { return {text.cStr(), text.size()}; }

} // namespace

std::vector<char> encode_devices(const std::vector<EdgexDevice>& devices) {
  capnp::MallocMessageBuilder message;
  const auto count = std::min(devices.size(), device_limit);
  auto rows = message.initRoot<schema::DeviceList>().initDevices(unsigned(count));
  for (unsigned i = 0; i < count; ++i) {
    const auto& device = devices[i];
    auto row = rows[i];
    row.setName(device.name.c_str());
    row.setService(device.service.c_str());
    row.setProfile(device.profile.c_str());
    auto labels = row.initLabels(unsigned(std::min(device.labels.size(), list_limit)));
    for (unsigned k = 0; k < labels.size(); ++k)
      labels.set(k, device.labels[k].c_str());
    row.setProtocol(device.protocol.c_str());
    auto addresses = row.initAddresses(unsigned(std::min(device.addresses.size(), list_limit)));
    for (unsigned k = 0; k < addresses.size(); ++k)
      addresses.set(k, capnp::Data::Reader{device.addresses[k].bytes.data(), 16});
    row.setPort(device.port);
    row.setMac(device.mac.c_str());
  }
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  return {bytes.begin(), bytes.end()};
}

Result<std::vector<EdgexDevice>> decode_devices(std::span<const char> bytes) {
  return read_message<schema::DeviceList>(
      bytes, {.bytes = file_limit}, "the list of devices", [](auto root) -> Result<std::vector<EdgexDevice>> {
        std::vector<EdgexDevice> devices;
        for (auto row : root.getDevices()) {
          if (devices.size() >= device_limit) break;
          EdgexDevice device;
          device.name = string_of(row.getName());
          device.service = string_of(row.getService());
          device.profile = string_of(row.getProfile());
          for (auto label : row.getLabels())
            if (device.labels.size() < list_limit) device.labels.push_back(string_of(label));
          device.protocol = string_of(row.getProtocol());
          for (auto address : row.getAddresses()) {
            if (address.size() != 16) return Error{Errc::corrupt, "the list of devices holds a bad address"};
            IpAddress one;
            std::copy_n(address.begin(), 16, one.bytes.begin());
            if (device.addresses.size() < list_limit) device.addresses.push_back(one);
          }
          device.port = row.getPort();
          device.mac = string_of(row.getMac());
          devices.push_back(std::move(device));
        }
        return devices;
      });
}

std::vector<Neighbour> parse_neighbours(std::string_view arp) {
  std::vector<Neighbour> found;
  while (!arp.empty() && found.size() < neighbour_limit) {
    auto line = arp.substr(0, arp.find('\n'));
    arp.remove_prefix(std::min(line.size() + 1, arp.size()));
    // arp(7): address, hardware type, flags, hardware address, mask, device.
    std::array<std::string_view, 4> words;
    for (auto& word : words) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      word = line.substr(0, line.find(' '));
      line.remove_prefix(word.size());
    }
    auto address = parse_ip(words[0]);
    if (!address || words[2] == "0x0" || words[3].size() != 17 || words[3] == "00:00:00:00:00:00") continue;
    found.push_back({*address, std::string{words[3]}});
  }
  return found;
}

void locate_by_mac(std::vector<EdgexDevice>& devices, const std::vector<Neighbour>& neighbours) {
  for (auto& device : devices) {
    if (device.mac.empty()) continue;
    for (const auto& neighbour : neighbours)
      if (neighbour.mac == device.mac && device.addresses.size() < list_limit &&
          std::find(device.addresses.begin(), device.addresses.end(), neighbour.address) ==
              device.addresses.end())
        device.addresses.push_back(neighbour.address);
  }
}

} // namespace iris
