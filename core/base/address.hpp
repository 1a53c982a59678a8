#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace iris {

/// An IPv4 or IPv6 address; IPv4 is kept in its IPv4-mapped form (RFC 4291 section 2.5.5.2).
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};

  [[nodiscard]] static IpAddress v4(std::uint32_t host_order) {
    IpAddress address;
    address.bytes[10] = address.bytes[11] = 0xff;
    for (int i = 0; i < 4; ++i)
      address.bytes[12 + std::size_t(i)] = std::uint8_t(host_order >> (24 - 8 * i));
    return address;
  }
  [[nodiscard]] bool is_v4() const {
    static constexpr std::uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(bytes.data(), prefix, 12) == 0;
  }
  /// Host order; only for is_v4().
  [[nodiscard]] std::uint32_t v4_number() const {
    return std::uint32_t(bytes[12]) << 24 | std::uint32_t(bytes[13]) << 16 | std::uint32_t(bytes[14]) << 8 |
           bytes[15];
  }
  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;
};

/// A network: the first `bits` (0..128, IPv4 counts from 96) bits of `base`; the rest of `base` is zero.
struct Cidr {
  IpAddress base;
  std::uint8_t bits = 128;
  [[nodiscard]] bool contains(const IpAddress& address) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

enum class AddressScope : std::uint8_t {
  unspecified,
  loopback,
  link_local,
  private_use,
  multicast,
  broadcast,
  global
};

[[nodiscard]] std::optional<IpAddress> parse_ip(std::string_view text); ///< whole text or nothing
[[nodiscard]] std::optional<Cidr> parse_cidr(std::string_view text);    ///< also a bare address
[[nodiscard]] std::string to_string(const IpAddress& address);
[[nodiscard]] std::string to_string(const Cidr& network);
/// RFC 1918, 4193, 3927, 5771; 255.255.255.255 is broadcast. Documentation ranges count as global.
[[nodiscard]] AddressScope scope_of(const IpAddress& address);

struct IpAddressHash {
  std::size_t operator()(const IpAddress& address) const {
    std::uint64_t parts[2];
    std::memcpy(parts, address.bytes.data(), 16);
    auto mixed = (parts[0] ^ (parts[1] * 0x9e3779b97f4a7c15ULL));
    return std::size_t(mixed ^ (mixed >> 29));
  }
};

} // namespace iris
