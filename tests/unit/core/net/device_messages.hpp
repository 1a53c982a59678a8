#pragma once
#include "tests/unit/core/net/frames.hpp"

#include <string>

namespace iris::frames {

/// From the card 02:00:00:00:00:01 that ethernet() sends from. @param type 3 for a request
inline Bytes dhcp_request(const std::string& name, std::string_view address, std::uint8_t type = 3) {
  Bytes bytes{1, 1, 6, 0, 1, 2, 3, 4};
  bytes.resize(28);
  append(bytes, {2, 0, 0, 0, 0, 1});
  bytes.resize(236);
  append(bytes, {99, 130, 83, 99, 53, 1, type, 0, 50, 4});
  put32(bytes, parse_ip(address)->v4_number());
  append(bytes, {12, std::uint8_t(name.size())});
  bytes.insert(bytes.end(), name.begin(), name.end());
  bytes.push_back(255);
  return ethernet(0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67, bytes)));
}

/// `host`.local has `address`; the first record is of another type.
inline Bytes mdns_answer(std::string_view sender, const std::string& host, std::string_view address) {
  Bytes bytes{0, 0, 0x84, 0, 0, 0, 0, 2, 0, 0, 0, 0};
  append(bytes, {4, '_', 'h', 'a', 'p', 5, 'l', 'o', 'c', 'a', 'l', 0, 0, 16, 0, 1, 0, 0, 0, 60, 0, 1, 0});
  bytes.push_back(std::uint8_t(host.size()));
  bytes.insert(bytes.end(), host.begin(), host.end());
  append(bytes, {0xc0, 17, 0, 1, 0x80, 1, 0, 0, 0, 60, 0, 4});
  put32(bytes, parse_ip(address)->v4_number());
  return ethernet(0x0800, ipv4(sender, "224.0.0.251", 17, udp(5'353, 5'353, bytes)));
}

} // namespace iris::frames
