#pragma once
#include "core/net/packet.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace iris::frames {

using Bytes = std::vector<std::uint8_t>;

inline void put16(Bytes& to, unsigned value) {
  to.push_back(std::uint8_t(value >> 8));
  to.push_back(std::uint8_t(value));
}
inline void put32(Bytes& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}
inline void append(Bytes& to, const Bytes& more) { to.insert(to.end(), more.begin(), more.end()); }

inline Bytes tcp(std::uint16_t sport, std::uint16_t dport, std::uint8_t flags, std::size_t payload = 0) {
  Bytes bytes;
  put16(bytes, sport);
  put16(bytes, dport);
  put32(bytes, 1);
  put32(bytes, 1);
  bytes.push_back(5 << 4);
  bytes.push_back(flags);
  put16(bytes, 1024);
  put32(bytes, 0);
  bytes.resize(bytes.size() + payload, 'x');
  return bytes;
}
inline Bytes udp(std::uint16_t sport, std::uint16_t dport, const Bytes& payload) {
  Bytes bytes;
  put16(bytes, sport);
  put16(bytes, dport);
  put16(bytes, unsigned(8 + payload.size()));
  put16(bytes, 0);
  append(bytes, payload);
  return bytes;
}
inline Bytes icmp(std::uint8_t type, std::uint8_t code, const Bytes& rest = Bytes(8)) {
  Bytes bytes{type, code, 0, 0, 0, 0, 0, 0};
  append(bytes, rest);
  return bytes;
}
/// @param fragment flags and offset as in the header
inline Bytes ipv4(std::string_view src, std::string_view dst, std::uint8_t protocol, const Bytes& payload,
                  unsigned id = 1, unsigned fragment = 0) {
  Bytes bytes{0x45, 0};
  put16(bytes, unsigned(20 + payload.size()));
  put16(bytes, id);
  put16(bytes, fragment);
  bytes.push_back(64);
  bytes.push_back(protocol);
  put16(bytes, 0);
  put32(bytes, parse_ip(src)->v4_number());
  put32(bytes, parse_ip(dst)->v4_number());
  append(bytes, payload);
  return bytes;
}
inline Bytes ipv6(std::string_view src, std::string_view dst, std::uint8_t next, const Bytes& payload) {
  Bytes bytes{0x60, 0, 0, 0};
  put16(bytes, unsigned(payload.size()));
  bytes.push_back(next);
  bytes.push_back(64);
  for (auto text : {src, dst}) {
    auto address = *parse_ip(text);
    bytes.insert(bytes.end(), address.bytes.begin(), address.bytes.end());
  }
  append(bytes, payload);
  return bytes;
}
inline Bytes ethernet(unsigned type, const Bytes& payload) {
  Bytes bytes{2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
  put16(bytes, type);
  append(bytes, payload);
  return bytes;
}
inline Bytes arp(std::string_view sender, std::string_view target, unsigned operation = 1) {
  Bytes bytes;
  put16(bytes, 1);
  put16(bytes, 0x0800);
  bytes.push_back(6);
  bytes.push_back(4);
  put16(bytes, operation);
  append(bytes, {2, 0, 0, 0, 0, 1});
  put32(bytes, parse_ip(sender)->v4_number());
  append(bytes, Bytes(6));
  put32(bytes, parse_ip(target)->v4_number());
  return bytes;
}
inline Decoded decode(int link, const Bytes& bytes, PacketView& view) {
  return iris::decode(link, bytes, std::uint32_t(bytes.size()), view);
}

} // namespace iris::frames
