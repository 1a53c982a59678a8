#include "core/base/address.hpp"

#include <arpa/inet.h>
#include <charconv>

namespace iris {

bool Cidr::contains(const IpAddress& address) const {
  std::size_t whole = bits / 8;
  if (std::memcmp(base.bytes.data(), address.bytes.data(), whole) != 0) return false;
  if (bits % 8 == 0) return true;
  auto mask = std::uint8_t(0xff << (8 - bits % 8));
  return (base.bytes[whole] & mask) == (address.bytes[whole] & mask);
}

std::optional<IpAddress> parse_ip(std::string_view text) {
  if (text.empty() || text.size() > 45) return std::nullopt;
  char copy[48];
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = 0;
  in_addr v4{};
  if (inet_pton(AF_INET, copy, &v4) == 1) return IpAddress::v4(ntohl(v4.s_addr));
  IpAddress address;
  if (inet_pton(AF_INET6, copy, address.bytes.data()) == 1) return address;
  return std::nullopt;
}

std::optional<Cidr> parse_cidr(std::string_view text) {
  auto slash = text.find('/');
  auto address = parse_ip(text.substr(0, slash));
  if (!address) return std::nullopt;
  unsigned bits = address->is_v4() ? 32 : 128;
  if (slash != std::string_view::npos) {
    auto tail = text.substr(slash + 1);
    unsigned number = 0;
    auto [end, failure] = std::from_chars(tail.data(), tail.data() + tail.size(), number);
    if (failure != std::errc{} || end != tail.data() + tail.size() || number > bits) return std::nullopt;
    bits = number;
  }
  if (address->is_v4()) bits += 96;
  for (unsigned bit = bits; bit < 128; ++bit)
    address->bytes[bit / 8] &= std::uint8_t(~(0x80u >> (bit % 8)));
  return Cidr{*address, std::uint8_t(bits)};
}

std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.is_v4())
    inet_ntop(AF_INET, address.bytes.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, address.bytes.data(), text, sizeof text);
  return text;
}

std::string to_string(const Cidr& network) {
  int bits = network.bits;
  if (network.base.is_v4() && bits >= 96) bits -= 96;
  return to_string(network.base) + "/" + std::to_string(bits);
}

AddressScope scope_of(const IpAddress& address) {
  const auto& b = address.bytes;
  if (address.is_v4()) {
    auto n = address.v4_number();
    if (n == 0) return AddressScope::unspecified;
    if (n == 0xffffffff) return AddressScope::broadcast;
    if (b[12] == 127) return AddressScope::loopback;
    if (b[12] == 169 && b[13] == 254) return AddressScope::link_local;
    if (b[12] == 10 || (b[12] == 172 && (b[13] & 0xf0) == 16) || (b[12] == 192 && b[13] == 168))
      return AddressScope::private_use;
    if ((b[12] & 0xf0) == 224) return AddressScope::multicast;
    return AddressScope::global;
  }
  if (address == IpAddress{}) return AddressScope::unspecified;
  IpAddress one;
  one.bytes[15] = 1;
  if (address == one) return AddressScope::loopback;
  if (b[0] == 0xff) return AddressScope::multicast;
  if (b[0] == 0xfe && (b[1] & 0xc0) == 0x80) return AddressScope::link_local;
  if ((b[0] & 0xfe) == 0xfc) return AddressScope::private_use;
  return AddressScope::global;
}

} // namespace iris
