#include "core/net/dns.hpp"

#include <cstring>

namespace iris {

namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint16_t u16(Bytes bytes, std::size_t at) { return std::uint16_t(bytes[at] << 8 | bytes[at + 1]); }

void append(std::string& name, std::uint8_t byte) {
  if (byte >= 'A' && byte <= 'Z')
    name += char(byte + 32);
  else if (byte > 32 && byte < 127 && byte != '.' && byte != '\\')
    name += char(byte);
  else {
    name += '\\';
    name += char('0' + byte / 100);
    name += char('0' + byte / 10 % 10);
    name += char('0' + byte % 10);
  }
}

/// Walks over a name; follows pointers (backwards only, so it ends) when `name` is wanted.
/// @returns the offset behind the name, or 0 when it is broken or cut.
std::size_t read_name(Bytes bytes, std::size_t at, std::string* name) {
  std::size_t end = 0;
  std::size_t length = 0;
  for (auto limit = bytes.size();;) {
    if (at >= bytes.size()) return 0;
    auto size = bytes[at];
    if (size == 0) return end != 0 ? end : at + 1;
    if ((size & 0xc0) == 0xc0) {
      if (at + 1 >= bytes.size()) return 0;
      if (end == 0) end = at + 2;
      if (name == nullptr) return end;
      auto target = std::size_t(u16(bytes, at) & 0x3fff);
      if (target >= at || target >= limit) return 0;
      limit = at = target;
      continue;
    }
    length += std::size_t(size) + 1;
    if ((size & 0xc0) != 0 || at + 1 + size > bytes.size() || length > 255) return 0;
    if (name != nullptr) {
      if (!name->empty()) *name += '.';
      for (std::size_t i = 0; i < size; ++i)
        append(*name, bytes[at + 1 + i]);
    }
    at += std::size_t(size) + 1;
  }
}

} // namespace

std::optional<std::string> parse_dns_query(Bytes payload) {
  constexpr std::size_t header = 12;
  if (payload.size() < header || (payload[2] & 0xf8) != 0 || u16(payload, 4) != 1) return std::nullopt;
  std::string name;
  if (read_name(payload, header, &name) == 0 || name.empty()) return std::nullopt;
  return name;
}

std::optional<DnsAnswer> parse_dns_answer(Bytes payload) {
  constexpr std::size_t header = 12;
  if (payload.size() < header) return std::nullopt;
  bool response = (payload[2] & 0x80) != 0;
  bool standard = (payload[2] & 0x78) == 0;
  if (!response || !standard || u16(payload, 4) != 1) return std::nullopt;
  DnsAnswer answer;
  auto at = read_name(payload, header, &answer.name);
  if (at == 0 || answer.name.empty()) return std::nullopt;
  at += 4;
  auto records = u16(payload, 6);
  for (unsigned i = 0; i < records && answer.addresses.size() < dns_address_limit; ++i) {
    at = at < payload.size() ? read_name(payload, at, nullptr) : 0;
    if (at == 0 || at + 10 > payload.size()) break;
    auto type = u16(payload, at);
    auto internet = u16(payload, at + 2) == 1;
    auto length = std::size_t(u16(payload, at + 8));
    at += 10;
    if (at + length > payload.size()) break;
    if (internet && type == 1 && length == 4) {
      answer.addresses.push_back(IpAddress::v4(std::uint32_t(u16(payload, at)) << 16 | u16(payload, at + 2)));
    } else if (internet && type == 28 && length == 16) {
      IpAddress address;
      std::memcpy(address.bytes.data(), payload.data() + at, 16);
      answer.addresses.push_back(address);
    }
    at += length;
  }
  return answer;
}

} // namespace iris
