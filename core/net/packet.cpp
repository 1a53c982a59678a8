#include "core/net/packet.hpp"

#include <algorithm>

namespace iris {

namespace {

struct Bytes {
  const std::uint8_t* at = nullptr;
  std::size_t size = 0;

  [[nodiscard]] bool has(std::size_t count) const { return size >= count; }
  [[nodiscard]] std::uint16_t u16(std::size_t offset) const {
    return std::uint16_t(at[offset] << 8 | at[offset + 1]);
  }
  [[nodiscard]] std::uint32_t u32(std::size_t offset) const {
    return std::uint32_t(u16(offset)) << 16 | u16(offset + 2);
  }
  void skip(std::size_t count) {
    at += count;
    size -= count;
  }
};

IpAddress v4_at(const std::uint8_t* at) {
  IpAddress address;
  address.bytes[10] = address.bytes[11] = 0xff;
  std::memcpy(address.bytes.data() + 12, at, 4);
  return address;
}

IpAddress v6_at(const std::uint8_t* at) {
  IpAddress address;
  std::memcpy(address.bytes.data(), at, 16);
  return address;
}

bool has_ports(std::uint8_t protocol) {
  return protocol == ip_protocol::tcp || protocol == ip_protocol::udp || protocol == ip_protocol::sctp;
}

struct NetworkHeader {
  std::uint32_t length = 0; ///< of all headers in front of the transport header
  std::uint8_t protocol = 0;
  bool fragment = false, first_fragment = false;
  std::uint32_t fragment_id = 0, fragment_offset = 0; ///< offset in bytes
  bool cut = false; ///< the snapshot or the packet ended within the extension headers
};

/// IPv6 extension headers in front of the transport header. The bytes bound their number: any lower limit
/// would be a place to hide behind.
NetworkHeader walk_extensions(Bytes bytes) {
  NetworkHeader header{40, bytes.at[6]};
  bytes.skip(40);
  for (;;) {
    std::size_t length = 0;
    switch (header.protocol) {
    case 0:
    case 43:
    case 60:
    case 135: // hop-by-hop, routing, destination options, mobility (RFC 8200, 6275)
      if (!bytes.has(2)) return header.cut = true, header;
      length = (std::size_t(bytes.at[1]) + 1) * 8;
      break;
    case 51: // authentication header counts in words (RFC 4302)
      if (!bytes.has(2)) return header.cut = true, header;
      length = (std::size_t(bytes.at[1]) + 2) * 4;
      break;
    case 44:
      if (!bytes.has(8)) return header.cut = true, header;
      length = 8;
      header.fragment_id = bytes.u32(4);
      header.fragment_offset = bytes.u16(2) & 0xfff8U;
      header.fragment =
          header.fragment_offset != 0 || (bytes.u16(2) & 1) != 0; // an atomic fragment is none (RFC 6946)
      header.first_fragment = header.fragment && header.fragment_offset == 0;
      break;
    default:
      return header;
    }
    header.protocol = bytes.at[0];
    header.length += std::uint32_t(length);
    if (!bytes.has(length)) return header.cut = true, header;
    bytes.skip(length);
    if (header.fragment && !header.first_fragment) return header;
  }
}

/// The datagram inside an ICMP error: its addresses and, where enough was quoted, its ports.
bool decode_quoted(Bytes bytes, bool v6, QuotedFlow& quoted) {
  quoted = {};
  if (v6) {
    if (!bytes.has(40) || bytes.at[0] >> 4 != 6) return false;
    quoted.src = v6_at(bytes.at + 8);
    quoted.dst = v6_at(bytes.at + 24);
    auto header = walk_extensions(bytes);
    if (header.cut || !bytes.has(header.length)) return false;
    quoted.protocol = header.protocol;
    bytes.skip(header.length);
  } else {
    if (!bytes.has(20) || bytes.at[0] >> 4 != 4) return false;
    auto length = std::size_t(bytes.at[0] & 15) * 4;
    if (length < 20 || !bytes.has(length)) return false;
    quoted.src = v4_at(bytes.at + 12);
    quoted.dst = v4_at(bytes.at + 16);
    quoted.protocol = bytes.at[9];
    bytes.skip(length);
  }
  if (has_ports(quoted.protocol)) {
    if (!bytes.has(4)) return false;
    quoted.sport = bytes.u16(0);
    quoted.dport = bytes.u16(2);
  } else if (quoted.protocol == ip_protocol::icmp || quoted.protocol == ip_protocol::icmp6) {
    if (!bytes.has(2)) return false;
    quoted.dport = bytes.u16(0);
  }
  return true;
}

void decode_transport(Bytes bytes, std::uint32_t wire, PacketView& view) {
  std::size_t header = 0;
  switch (view.protocol) {
  case ip_protocol::tcp:
    header = 20;
    if (!bytes.has(14)) break;
    view.tcp_flags = bytes.at[13];
    view.tcp_sequence = bytes.u32(4);
    view.flags_known = true;
    header = std::max<std::size_t>(20, std::size_t(bytes.at[12] >> 4) * 4);
    break;
  case ip_protocol::udp:
    header = 8;
    break;
  case ip_protocol::sctp:
    header = 12;
    break;
  case ip_protocol::icmp:
  case ip_protocol::icmp6: {
    if (!bytes.has(2)) return;
    view.dport = bytes.u16(0);
    view.ports_known = true;
    header = 8;
    bool v6 = view.protocol == ip_protocol::icmp6;
    bool error = v6 ? view.icmp_type() < 128
                    : view.icmp_type() == 3 || view.icmp_type() == 11 || view.icmp_type() == 12;
    if (error && bytes.has(8)) {
      auto inner = bytes;
      inner.skip(8);
      view.quotes = decode_quoted(inner, v6, view.quoted);
    }
    break;
  }
  default:
    view.ports_known = true; // a protocol without ports is complete with its addresses
    break;
  }
  if (has_ports(view.protocol)) {
    if (!bytes.has(4)) return;
    view.sport = bytes.u16(0);
    view.dport = bytes.u16(2);
    view.ports_known = true;
  }
  view.payload_length = wire > header ? wire - std::uint32_t(header) : 0;
  if (bytes.has(header)) {
    view.payload = bytes.at + header;
    view.payload_captured = std::uint32_t(std::min<std::size_t>(bytes.size - header, view.payload_length));
  }
}

/// A later fragment may hold the rest of a transport header that the first one cut.
/// @param offset of the fragment in the datagram, > 0; @param wire bytes of the datagram in it.
void decode_later_fragment(Bytes bytes, std::uint32_t offset, std::uint32_t wire, PacketView& view) {
  std::uint32_t header = 0;
  if (view.protocol == ip_protocol::tcp)
    header = 20;
  else if (has_ports(view.protocol))
    header = view.protocol == ip_protocol::udp ? 8 : 12;
  auto rest = header > offset ? header - offset : 0;
  view.payload_length = wire > rest ? wire - rest : 0;
  if (view.protocol != ip_protocol::tcp || offset > 13 || !bytes.has(14 - offset)) return;
  view.tcp_flags = bytes.at[13 - offset];
  view.flags_known = true;
}

/// @param wire bytes from here to the end of the frame on the wire, link padding included.
Decoded decode_ip(Bytes bytes, std::uint32_t wire, PacketView& view) {
  if (!bytes.has(1)) return Decoded::truncated;
  view.ip = bytes.at;
  std::uint32_t header_length = 0, fragment_offset = 0;
  if (bytes.at[0] >> 4 == 4) {
    if (!bytes.has(20)) return Decoded::truncated;
    header_length = std::uint32_t(bytes.at[0] & 15) * 4;
    if (header_length < 20) return Decoded::malformed;
    view.ip_length = bytes.u16(2);
    if (view.ip_length == 0) view.ip_length = wire; // segmentation offload leaves it to the card
    if (view.ip_length < header_length) return Decoded::malformed;
    view.src = v4_at(bytes.at + 12);
    view.dst = v4_at(bytes.at + 16);
    view.protocol = bytes.at[9];
    auto fragment = bytes.u16(6);
    if ((fragment & 0x3fff) != 0) {
      view.fragment = true;
      fragment_offset = std::uint32_t(fragment & 0x1fff) * 8;
      view.first_fragment = fragment_offset == 0;
      view.fragment_id = bytes.u16(4);
    }
  } else if (bytes.at[0] >> 4 == 6) {
    if (!bytes.has(40)) return Decoded::truncated;
    view.ip_length = bytes.u16(4) == 0 ? wire : 40U + bytes.u16(4);
    view.src = v6_at(bytes.at + 8);
    view.dst = v6_at(bytes.at + 24);
    auto header = walk_extensions(bytes);
    view.protocol = header.protocol;
    view.fragment = header.fragment;
    view.first_fragment = header.first_fragment;
    view.fragment_id = header.fragment_id;
    fragment_offset = header.fragment_offset;
    header_length = header.length;
    if (header.cut) {
      // What is behind the cut is not known, but who talks to whom is: counted as protocol 0 without ports.
      view.truncated = true;
      view.ip_captured = std::uint32_t(std::min<std::size_t>(bytes.size, view.ip_length));
      view.protocol = 0;
      view.hidden = view.ports_known = true;
      view.payload_length = view.ip_length > header_length ? view.ip_length - header_length : 0;
      return Decoded::ip;
    }
  } else {
    return Decoded::malformed;
  }
  // What lies behind the IP packet's own length is padding, not content.
  bytes.size = std::min<std::size_t>(bytes.size, view.ip_length);
  view.ip_captured = std::uint32_t(bytes.size);
  view.truncated = bytes.size < view.ip_length;
  if (header_length > view.ip_length) return Decoded::malformed;
  if (bytes.size < header_length) return Decoded::ip;
  bytes.skip(header_length);
  auto above = view.ip_length - header_length;
  if (view.fragment && !view.first_fragment)
    decode_later_fragment(bytes, fragment_offset, above, view);
  else
    decode_transport(bytes, above, view);
  return Decoded::ip;
}

Decoded decode_arp(Bytes bytes, PacketView& view) {
  if (!bytes.has(28)) return Decoded::truncated;
  if (bytes.u16(0) != 1 || bytes.u16(2) != 0x0800 || bytes.at[4] != 6 || bytes.at[5] != 4)
    return Decoded::other;
  view.arp_request = bytes.u16(6) == 1;
  std::memcpy(view.mac.data(), bytes.at + 8, 6);
  view.src = v4_at(bytes.at + 14);
  view.dst = v4_at(bytes.at + 24);
  return Decoded::arp;
}

/// Stacked tags: 802.1Q, 802.1ad and the older 0x9100; four are more than any network carries.
constexpr int tag_limit = 4;

Decoded decode_ethertype(std::uint16_t type, Bytes bytes, std::uint32_t wire, PacketView& view) {
  for (int i = 0; i < tag_limit && (type == 0x8100 || type == 0x88a8 || type == 0x9100); ++i) {
    if (!bytes.has(4) || wire < 4) return Decoded::truncated;
    type = bytes.u16(2);
    bytes.skip(4);
    wire -= 4;
  }
  if (type == 0x0800 || type == 0x86dd) return decode_ip(bytes, wire, view);
  if (type == 0x0806) return decode_arp(bytes, view);
  return Decoded::other;
}

} // namespace

bool is_supported_link(int link) {
  switch (link) {
  case link_type::null:
  case link_type::ethernet:
  case link_type::raw:
  case link_type::raw_openbsd:
  case link_type::raw_file:
  case link_type::loop:
  case link_type::linux_sll:
  case link_type::ipv4:
  case link_type::ipv6:
  case link_type::linux_sll2:
    return true;
  default:
    return false;
  }
}

Decoded decode(int link, std::span<const std::uint8_t> captured, std::uint32_t wire_length,
               PacketView& view) {
  view.reset();
  Bytes bytes{captured.data(), captured.size()};
  auto wire = std::max<std::uint32_t>(wire_length, std::uint32_t(captured.size()));
  switch (link) {
  case link_type::ethernet: {
    if (!bytes.has(14)) return Decoded::truncated;
    std::memcpy(view.mac.data(), bytes.at + 6, 6);
    auto type = bytes.u16(12);
    bytes.skip(14);
    return decode_ethertype(type, bytes, wire - 14, view);
  }
  case link_type::linux_sll: {
    if (!bytes.has(16)) return Decoded::truncated;
    if (bytes.u16(4) == 6) std::memcpy(view.mac.data(), bytes.at + 6, 6);
    auto type = bytes.u16(14);
    bytes.skip(16);
    return decode_ethertype(type, bytes, wire - 16, view);
  }
  case link_type::linux_sll2: {
    if (!bytes.has(20)) return Decoded::truncated;
    if (bytes.at[11] == 6) std::memcpy(view.mac.data(), bytes.at + 12, 6);
    auto type = bytes.u16(0);
    bytes.skip(20);
    return decode_ethertype(type, bytes, wire - 20, view);
  }
  case link_type::null:
  case link_type::loop:
    // The address family's value and byte order are the writing machine's; the IP version says the same.
    if (!bytes.has(4)) return Decoded::truncated;
    bytes.skip(4);
    return decode_ip(bytes, wire - 4, view);
  case link_type::raw:
  case link_type::raw_openbsd:
  case link_type::raw_file:
  case link_type::ipv4:
  case link_type::ipv6:
    return decode_ip(bytes, wire, view);
  default:
    return Decoded::unsupported;
  }
}

} // namespace iris
