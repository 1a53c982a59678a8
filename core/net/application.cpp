#include "core/net/application.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace iris {

namespace {

/// BVLL: type 0x81, function up to 0x0c, length of the whole datagram; then, but for the functions that
/// manage broadcast tables, an NPDU of version 1.
bool is_bacnet(const PacketView& view) {
  const auto* at = view.payload;
  if (view.protocol != ip_protocol::udp || view.payload_captured < 4) return false;
  auto length = std::uint32_t(at[2]) << 8 | at[3];
  if (at[0] != 0x81 || at[1] > 0x0c || length != view.payload_length) return false;
  bool carries_npdu = at[1] == 0x04 || at[1] == 0x09 || at[1] == 0x0a || at[1] == 0x0b;
  auto npdu = std::size_t(at[1] == 0x04 ? 10 : 4);
  return !carries_npdu || (view.payload_captured > npdu && at[npdu] == 0x01);
}

/// A message begins with its type, 'F' (or 'C', 'A' of a chunk) and its length, little-endian.
bool is_opc_ua(const PacketView& view) {
  const auto* at = view.payload;
  if (view.protocol != ip_protocol::tcp || view.payload_captured < 8) return false;
  bool known = false;
  for (const char* type : {"HEL", "ACK", "ERR", "RHE", "OPN", "MSG", "CLO"})
    known = known || std::memcmp(at, type, 3) == 0;
  if (!known || (at[3] != 'F' && at[3] != 'C' && at[3] != 'A')) return false;
  auto length = std::uint32_t(at[4]) | std::uint32_t(at[5]) << 8 | std::uint32_t(at[6]) << 16 |
                std::uint32_t(at[7]) << 24;
  return length >= 8 && length <= 16U << 20;
}

/// Fixed header 0x10, the remaining length in up to four bytes of seven bits, the protocol's name.
bool is_mqtt(const PacketView& view) {
  const auto* at = view.payload;
  if (view.protocol != ip_protocol::tcp || view.payload_captured < 12 || at[0] != 0x10) return false;
  std::size_t name = 2;
  while (name < 5 && (at[name - 1] & 0x80) != 0)
    ++name;
  return std::memcmp(at + name, "\0\4MQTT", 6) == 0 ||
         (view.payload_captured >= name + 8 && std::memcmp(at + name, "\0\6MQIsdp", 8) == 0);
}

/// "*2\r\n$4\r\n…": how many parts, then the length of the first.
bool is_redis(const PacketView& view) {
  if (view.protocol != ip_protocol::tcp) return false;
  std::string_view text{reinterpret_cast<const char*>(view.payload), view.payload_captured};
  for (const char mark : {'*', '$'}) {
    if (text.empty() || text[0] != mark) return false;
    text.remove_prefix(1);
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    if (digits == 0 || digits > 9 || text.substr(digits, 2) != "\r\n") return false;
    text.remove_prefix(digits + 2);
  }
  return true;
}

} // namespace

std::uint16_t recognise_application(const PacketView& view) {
  if (view.payload == nullptr) return application::unknown;
  if (is_bacnet(view)) return application::bacnet;
  if (is_opc_ua(view)) return application::opc_ua;
  if (is_mqtt(view)) return application::mqtt;
  if (is_redis(view)) return application::redis;
  return application::unknown;
}

const char* application_name(std::uint16_t number) {
  switch (number) {
  case application::bacnet:
    return "BACnet";
  case application::opc_ua:
    return "OPC-UA";
  case application::mqtt:
    return "MQTT";
  case application::redis:
    return "Redis";
  default:
    return nullptr;
  }
}

} // namespace iris
