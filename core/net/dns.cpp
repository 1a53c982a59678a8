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

struct Record {
  std::size_t name = 0; ///< where its owner's name begins
  unsigned type = 0;
  bool internet = false; ///< its class, but for the bit that multicast DNS puts on top
  std::size_t content = 0, length = 0;
};

/// Calls `look` for each whole record from `at` on until it says false.
template <class Look>
void walk_records(Bytes bytes, std::size_t at, unsigned records, Look look) {
  for (; records > 0; --records) {
    Record record{at};
    at = at < bytes.size() ? read_name(bytes, at, nullptr) : 0;
    if (at == 0 || at + 10 > bytes.size()) return;
    record.type = u16(bytes, at);
    record.internet = (u16(bytes, at + 2) & 0x7fff) == 1;
    record.length = u16(bytes, at + 8);
    record.content = at + 10;
    at = record.content + record.length;
    if (at > bytes.size() || !look(record)) return;
  }
}

std::optional<IpAddress> address_of(Bytes bytes, const Record& record) {
  const auto at = record.content;
  if (!record.internet) return std::nullopt;
  if (record.type == 1 && record.length == 4)
    return IpAddress::v4(std::uint32_t(u16(bytes, at)) << 16 | u16(bytes, at + 2));
  if (record.type != 28 || record.length != 16) return std::nullopt;
  IpAddress address;
  std::memcpy(address.bytes.data(), bytes.data() + at, 16);
  return address;
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
  walk_records(payload, at, u16(payload, 6), [&](const Record& record) {
    if (auto address = address_of(payload, record)) answer.addresses.push_back(*address);
    return answer.addresses.size() < dns_address_limit;
  });
  return answer;
}

std::optional<std::string> dns_name_of_address(Bytes payload, const IpAddress& address) {
  constexpr std::size_t header = 12;
  if (payload.size() < header || (payload[2] & 0xf8) != 0x80) return std::nullopt;
  auto at = header;
  for (auto questions = u16(payload, 4); questions > 0; --questions) {
    at = read_name(payload, at, nullptr);
    if (at == 0) return std::nullopt;
    at += 4;
  }
  std::optional<std::string> found;
  const auto records = u16(payload, 6) + u16(payload, 8) + u16(payload, 10);
  walk_records(payload, at, unsigned(records), [&](const Record& record) {
    if (address_of(payload, record) != address) return true;
    std::string name;
    if (read_name(payload, record.name, &name) != 0 && !name.empty()) found = std::move(name);
    return false;
  });
  return found;
}

} // namespace iris
