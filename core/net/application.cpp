#include "core/net/application.hpp"

#include <cstring>

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

} // namespace

std::uint16_t recognise_application(const PacketView& view) {
  if (view.payload == nullptr) return application::unknown;
  if (is_bacnet(view)) return application::bacnet;
  if (is_opc_ua(view)) return application::opc_ua;
  return application::unknown;
}

const char* application_name(std::uint16_t number) {
  switch (number) {
  case application::bacnet:
    return "BACnet";
  case application::opc_ua:
    return "OPC-UA";
  default:
    return nullptr;
  }
}

} // namespace iris
