#include "core/field/field_request.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace iris {

namespace {

using Bytes = std::span<const std::uint8_t>;

/// A value in BER (X.690, definite lengths only); its bytes may be cut by the snapshot.
struct Value {
  std::uint8_t tag = 0;
  Bytes bytes;
};

/// Takes the next value off `rest`.
std::optional<Value> take(Bytes& rest) {
  if (rest.size() < 2) return std::nullopt;
  const auto tag = rest[0];
  std::size_t length = rest[1], at = 2;
  if (length >= 0x80) {
    const auto width = length & 0x7f;
    if (width == 0 || width > 3 || rest.size() < at + width) return std::nullopt;
    length = 0;
    for (std::size_t i = 0; i < width; ++i)
      length = length << 8 | rest[at + i];
    at += width;
  }
  const auto there = std::min(length, rest.size() - at);
  Value value{tag, rest.subspan(at, there)};
  rest = rest.subspan(at + there);
  return value;
}

std::optional<Value> take(Bytes& rest, std::uint8_t tag) {
  auto value = take(rest);
  if (value && value->tag != tag) return std::nullopt;
  return value;
}

constexpr std::uint8_t integer = 0x02, octets = 0x04, oid = 0x06, sequence = 0x30;
constexpr std::uint32_t enterprises = 256;

/// 1.3.6.1.2.1.N: N; 1.3.6.1.4.1.N: 256 + N; else 0.
std::uint32_t object_of(Bytes name) {
  constexpr std::array<std::uint8_t, 5> mib_2{0x2b, 6, 1, 2, 1}, private_{0x2b, 6, 1, 4, 1};
  const auto begins = [&](const auto& with) {
    return name.size() > with.size() && std::equal(with.begin(), with.end(), name.begin());
  };
  if (!begins(mib_2) && !begins(private_)) return 0;
  const bool enterprise = begins(private_);
  std::uint64_t number = 0;
  for (std::size_t at = mib_2.size(); at < name.size() && at < mib_2.size() + 5; ++at) {
    number = number << 7 | (name[at] & 0x7fU);
    if ((name[at] & 0x80) != 0) continue;
    if (enterprise) return number <= 0xffff'ffff - enterprises ? std::uint32_t(number) + enterprises : 0;
    return number < enterprises ? std::uint32_t(number) : 0;
  }
  return 0;
}

std::optional<FieldAction> action_of(std::uint8_t pdu) {
  switch (pdu) {
  case 0xa0: // get
  case 0xa1: // get-next
  case 0xa5: // get-bulk
    return FieldAction::read;
  case 0xa3:
    return FieldAction::write;
  case 0xa4: // trap of v1
  case 0xa6: // inform
  case 0xa7: // trap
    return FieldAction::notify;
  default:
    return std::nullopt; // response, report
  }
}

/// The object that a PDU's first variable names. A trap of v1 names its enterprise first instead.
std::uint32_t first_object(const Value& pdu) {
  auto rest = pdu.bytes;
  if (pdu.tag == 0xa4) {
    auto name = take(rest, oid);
    return name ? object_of(name->bytes) : 0;
  }
  for (int i = 0; i < 3; ++i) // request id, error status, error index
    if (!take(rest, integer)) return 0;
  auto list = take(rest, sequence);
  if (!list) return 0;
  auto pair = take(list->bytes, sequence);
  if (!pair) return 0;
  auto name = take(pair->bytes, oid);
  return name ? object_of(name->bytes) : 0;
}

bool take_pdu(Bytes rest, std::vector<FieldRequest>& found) {
  auto pdu = take(rest);
  if (!pdu || pdu->tag < 0xa0 || pdu->tag > 0xa8) return false;
  if (auto action = action_of(pdu->tag))
    found.push_back({FieldProtocol::snmp, *action, pdu->tag, first_object(*pdu)});
  return true;
}

/// RFC 3412 section 6: header, security parameters, then the scoped PDU in clear or as octets.
bool take_v3(Bytes rest, std::vector<FieldRequest>& found) {
  if (!take(rest, sequence) || !take(rest, octets)) return false;
  auto scoped = take(rest);
  if (!scoped) return false;
  if (scoped->tag == octets) {
    found.push_back({FieldProtocol::snmp, FieldAction::hidden, 0, 0});
    return true;
  }
  if (scoped->tag != sequence || !take(scoped->bytes, octets) || !take(scoped->bytes, octets)) return false;
  return take_pdu(scoped->bytes, found);
}

} // namespace

bool parse_snmp(Bytes payload, std::vector<FieldRequest>& found) {
  auto message = take(payload, sequence);
  if (!message) return false;
  auto version = take(message->bytes, integer);
  if (!version || version->bytes.size() != 1) return false;
  switch (version->bytes[0]) {
  case 0:
  case 1:
    return take(message->bytes, octets) && take_pdu(message->bytes, found);
  case 3:
    return take_v3(message->bytes, found);
  default:
    return false;
  }
}

} // namespace iris
