#include "core/net/device_names.hpp"

#include "core/net/dns.hpp"

#include <algorithm>

namespace iris {

namespace {

using Bytes = std::span<const std::uint8_t>;

/// Empty where nothing but signs would be left.
std::string tidy(Bytes bytes) {
  while (!bytes.empty() && (bytes.back() == 0 || bytes.back() == '.'))
    bytes = bytes.first(bytes.size() - 1);
  std::string name;
  bool said = false;
  for (auto byte : bytes.first(std::min(bytes.size(), DeviceName::limit))) {
    const bool letter = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
    const bool digit = byte >= '0' && byte <= '9';
    said = said || letter || digit;
    name += letter || digit || byte == '_' || byte == '.' ? char(byte) : '-';
  }
  if (!said) name.clear();
  return name;
}

IpAddress v4_at(Bytes bytes, std::size_t at) {
  return IpAddress::v4(std::uint32_t(bytes[at]) << 24 | std::uint32_t(bytes[at + 1]) << 16 |
                       std::uint32_t(bytes[at + 2]) << 8 | bytes[at + 3]);
}

} // namespace

std::optional<DeviceName> parse_dhcp_name(const PacketView& view) {
  constexpr std::size_t header = 236, options = 240;
  const Bytes bytes{view.payload, std::size_t(view.payload_captured)};
  if (view.payload == nullptr || bytes.size() < options) return std::nullopt;
  static constexpr std::uint8_t magic[] = {99, 130, 83, 99};
  const bool request = bytes[0] == 1 && bytes[1] == 1 && bytes[2] == 6;
  if (!request || !std::equal(std::begin(magic), std::end(magic), bytes.begin() + header))
    return std::nullopt;
  if (!std::equal(view.mac.begin(), view.mac.end(), bytes.begin() + 28)) return std::nullopt;
  DeviceName found;
  found.address = v4_at(bytes, 12); // the one it has, when it only asks to keep it
  unsigned type = 0;
  for (auto at = options; at + 1 < bytes.size();) {
    const auto code = bytes[at];
    if (code == 255) break;
    if (code == 0) {
      ++at;
      continue;
    }
    const std::size_t size = bytes[at + 1];
    if (at + 2 + size > bytes.size()) break;
    const auto value = bytes.subspan(at + 2, size);
    if (code == 53 && size == 1) type = value[0];
    if (code == 50 && size == 4) found.address = v4_at(value, 0);
    if (code == 12) found.name = tidy(value);
    // Flags, two codes of old, and the name in letters; in DNS's own form it is left to the host name.
    if (code == 81 && size > 3 && (value[0] & 4) == 0 && found.name.empty())
      found.name = tidy(value.subspan(3));
    at += 2 + size;
  }
  constexpr unsigned dhcp_request = 3;
  if (type != dhcp_request || found.name.empty() || found.address == IpAddress::v4(0)) return std::nullopt;
  return found;
}

std::optional<DeviceName> parse_mdns_name(const PacketView& view) {
  if (view.payload == nullptr) return std::nullopt;
  auto name = dns_name_of_address({view.payload, std::size_t(view.payload_captured)}, view.src);
  constexpr std::string_view local = ".local";
  if (!name || !name->ends_with(local)) return std::nullopt;
  name->resize(name->size() - local.size());
  DeviceName found;
  found.address = view.src;
  found.name = tidy({reinterpret_cast<const std::uint8_t*>(name->data()), name->size()});
  if (found.name.empty()) return std::nullopt;
  return found;
}

} // namespace iris
