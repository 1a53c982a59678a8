#pragma once
#include "core/base/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace iris {

/// Link layers that can be decoded; the numbers are what pcap_datalink() returns on Linux.
namespace link_type {
inline constexpr int null = 0;
inline constexpr int ethernet = 1;
inline constexpr int raw = 12;
inline constexpr int raw_openbsd = 14;
inline constexpr int raw_file = 101;
inline constexpr int loop = 108;
inline constexpr int linux_sll = 113;
inline constexpr int ipv4 = 228;
inline constexpr int ipv6 = 229;
inline constexpr int linux_sll2 = 276;
} // namespace link_type
[[nodiscard]] bool is_supported_link(int link);

namespace ip_protocol {
inline constexpr std::uint8_t icmp = 1;
inline constexpr std::uint8_t tcp = 6;
inline constexpr std::uint8_t udp = 17;
inline constexpr std::uint8_t icmp6 = 58;
inline constexpr std::uint8_t sctp = 132;
} // namespace ip_protocol

namespace tcp_flag {
inline constexpr std::uint8_t fin = 0x01;
inline constexpr std::uint8_t syn = 0x02;
inline constexpr std::uint8_t rst = 0x04;
inline constexpr std::uint8_t ack = 0x10;
} // namespace tcp_flag

using MacAddress = std::array<std::uint8_t, 6>;

enum class Decoded : std::uint8_t {
  ip,          ///< addresses are set, ports too when `ports_known`
  arp,         ///< src asks for (or answers about) dst
  other,       ///< a well-formed frame of another protocol (EAPOL, LLDP, spanning tree …)
  truncated,   ///< the capture's snapshot ended before the addresses did
  malformed,   ///< lengths contradict each other
  unsupported, ///< unknown link layer
};

/// The flow that an ICMP error talks about, from the datagram that it quotes.
struct QuotedFlow {
  IpAddress src, dst;
  std::uint16_t sport = 0, dport = 0;
  std::uint8_t protocol = 0;
};

/// One packet, decoded. Pointers lead into the caller's buffer and never past what was captured.
struct PacketView {
  IpAddress src, dst;                 ///< ARP: sender and target protocol address
  std::uint16_t sport = 0, dport = 0; ///< ICMP: sport = 0, dport = type << 8 | code
  std::uint8_t protocol = 0;          ///< IANA number
  std::uint8_t tcp_flags = 0;
  std::uint32_t tcp_sequence =
      0;                    ///< of an unfragmented TCP packet with `flags_known`; means nothing otherwise
  bool flags_known = false; ///< `tcp_flags` were read: false in most fragments
  bool ports_known = false; ///< false: later fragment, or cut before the ports
  bool fragment = false;
  bool first_fragment = false;
  bool truncated = false; ///< less was captured than the packet holds
  bool hidden = false;    ///< cut within IPv6 extension headers: `protocol` is 0
  bool quotes = false;    ///< `quoted` is set
  bool arp_request = false;
  std::uint32_t fragment_id = 0;
  std::uint32_t ip_length = 0;      ///< bytes of the IP packet as it was on the wire
  std::uint32_t payload_length = 0; ///< bytes above the transport header, on the wire
  const std::uint8_t* payload = nullptr;
  std::uint32_t payload_captured = 0;
  const std::uint8_t* ip = nullptr; ///< start of the IP header, for application labelling
  std::uint32_t ip_captured = 0;
  MacAddress mac{}; ///< sender's link address where the link layer has one
  QuotedFlow quoted;

  /// As new, but for the addresses and `quoted`, which mean nothing until decode() has set them.
  void reset() {
    sport = dport = 0;
    protocol = tcp_flags = 0;
    hidden = flags_known = ports_known = fragment = first_fragment = truncated = quotes = arp_request = false;
    fragment_id = ip_length = payload_length = payload_captured = ip_captured = 0;
    payload = ip = nullptr;
    mac = {};
  }
  [[nodiscard]] std::uint8_t icmp_type() const { return std::uint8_t(dport >> 8); }
  [[nodiscard]] std::uint8_t icmp_code() const { return std::uint8_t(dport); }
  /// A first fragment that ends before the flags (RFC 1858's tiny fragment): no host sends TCP like that.
  [[nodiscard]] bool is_tiny_fragment() const {
    return first_fragment && protocol == ip_protocol::tcp && ports_known && !flags_known;
  }
  [[nodiscard]] bool is_icmp() const {
    return protocol == ip_protocol::icmp || protocol == ip_protocol::icmp6;
  }
};

/// Decodes one captured frame; no allocation, no read past `captured`.
/// @param wire_length bytes of the frame on the wire, >= captured.size().
[[nodiscard]] Decoded decode(int link, std::span<const std::uint8_t> captured, std::uint32_t wire_length,
                             PacketView& view);

} // namespace iris
