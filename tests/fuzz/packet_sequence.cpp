#include "tests/fuzz/packet_sequence.hpp"

#include <algorithm>
#include <array>

namespace iris::fuzz {

namespace {

using Out = std::vector<std::uint8_t>;

void put16(Out& to, unsigned value) {
  to.push_back(std::uint8_t(value >> 8));
  to.push_back(std::uint8_t(value));
}

void put(Out& to, std::string_view bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

/// Fifteen hosts and one group.
void put_address(Out& to, std::uint8_t host, bool v6) {
  host &= 15;
  if (v6) {
    to.insert(to.end(), {0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host});
  } else if (host == 15) {
    to.insert(to.end(), {224, 0, 0, 251});
  } else {
    to.insert(to.end(), {172, 18, 0, host});
  }
}

std::uint16_t port_of(std::uint8_t chosen) {
  static constexpr std::array<std::uint16_t, 8> known{53, 67, 68, 443, 5'353, 502, 47'808, 4'840};
  return chosen < known.size() ? known[chosen] : std::uint16_t(30'000 + chosen * 100);
}

Out transport(Bytes& in, std::uint8_t protocol, std::uint8_t form) {
  const auto sport = port_of(std::uint8_t(in.number(1)));
  const auto dport = (form & dns_port) != 0 ? std::uint16_t(53) : port_of(std::uint8_t(in.number(1)));
  Out out;
  if (protocol == 1 || protocol == 58) {
    put16(out, unsigned(in.number(2)));
    out.resize(8);
    put(out, in.take(in.number(1)));
    return out;
  }
  put16(out, sport);
  put16(out, dport);
  if (protocol == 17) {
    out.resize(8);
  } else {
    put(out, in.take(8)); // sequence and acknowledgement
    out.resize(12);
    out.push_back(std::uint8_t(5 << 4));
    out.push_back(std::uint8_t(in.number(1)));
    out.resize(20);
  }
  put(out, in.take(in.number(1) * 4));
  return out;
}

} // namespace

Frame next_frame(Bytes& in) {
  static constexpr std::array<std::int64_t, 8> gaps{
      0, 1'000, 1'000'000, 300'000'000, 1'200'000'000, 11'000'000'000, -120'000'000'000, 400'000'000'000};
  Frame frame;
  const auto form = std::uint8_t(in.number(1));
  frame.gap = gaps[form & 7];
  if ((form & raw_frame) != 0) {
    const auto bytes = in.take(in.number(2) & 2'047);
    frame.bytes.assign(bytes.begin(), bytes.end());
    frame.wire_length = std::uint32_t(frame.bytes.size() + in.number(1));
    return frame;
  }
  static constexpr std::array<std::uint8_t, 8> protocols{6, 17, 6, 17, 1, 58, 132, 47};
  const auto hosts = std::uint8_t(in.number(1));
  const auto protocol = protocols[in.number(1) & 7];
  const bool v6 = (form & ip_version_6) != 0;
  const bool fragment = (form & (first_fragment | later_fragment)) != 0;
  const auto offset = (form & later_fragment) != 0 ? unsigned(in.number(1)) : 0U;
  auto above = transport(in, protocol, form);
  auto& out = frame.bytes;
  out = {2, 0, 0, 0, 0, std::uint8_t(hosts & 15), 2, 0, 0, 0, 0, std::uint8_t(hosts >> 4)};
  put16(out, v6 ? 0x86dd : 0x0800);
  const auto more = unsigned((form & first_fragment) != 0);
  if (v6) {
    out.insert(out.end(), {0x60, 0, 0, 0});
    put16(out, unsigned(above.size()) + (fragment ? 8 : 0));
    out.push_back(fragment ? 44 : protocol);
    out.push_back(64);
  } else {
    out.insert(out.end(), {0x45, 0});
    put16(out, unsigned(20 + above.size()));
    put16(out, 7);
    put16(out, fragment ? more << 13 | offset : 0);
    out.insert(out.end(), {64, protocol, 0, 0});
  }
  put_address(out, hosts >> 4, v6);
  put_address(out, hosts, v6);
  if (v6 && fragment) {
    out.insert(out.end(), {protocol, 0});
    put16(out, offset << 3 | more);
    out.insert(out.end(), {0, 0, 0, 7});
  }
  out.insert(out.end(), above.begin(), above.end());
  frame.wire_length = std::uint32_t(out.size());
  return frame;
}

} // namespace iris::fuzz
