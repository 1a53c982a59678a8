// Honest frames, names and capture files: what a gateway sees in health, and some of each protocol.
#include "tests/captures/gateway_traffic.hpp"
#include "tests/captures/pcap_writer.hpp"
#include "tests/fuzz/packet_sequence.hpp"
#include "tests/fuzz/seeds.hpp"
#include "tests/unit/core/net/client_hello.hpp"
#include "tests/unit/core/net/device_messages.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace iris::fuzz {

namespace {

using frames::append;

std::string text_of(const frames::Bytes& bytes) { return {bytes.begin(), bytes.end()}; }

std::string raw(const frames::Bytes& frame, std::uint8_t gap = 2) {
  std::string out{char(raw_frame | gap)};
  out += char(frame.size() >> 8);
  out += char(frame.size());
  return out + text_of(frame) + '\0';
}

/// A composed packet of next_frame().
std::string tcp(char hosts, char sport, char dport, char flags, const std::string& payload = {}) {
  std::string out{'\2', hosts, '\0', sport, dport};
  return out + std::string(8, '\0') + flags + char(payload.size() / 4) + payload;
}

std::string in_form(char link, char form, const std::string& records) {
  return std::string{link, form} + records;
}

void packet_seeds() {
  std::string traffic;
  GatewayTraffic gateway;
  for (int i = 0; i < 40; ++i) {
    const auto frame = gateway.next();
    traffic += raw({frame.bytes.begin(), frame.bytes.end()});
  }
  seed("packets", "traffic", in_form(0, 3, traffic));
  const std::string there{0x12}, back{0x21};
  const auto opened = tcp(0x12, 50, 3, 0x02) + tcp(0x21, 3, 50, 0x12) + tcp(0x12, 50, 3, 0x10);
  seed("packets", "connection",
       in_form(0, 0,
               opened + tcp(0x12, 50, 3, 0x18, "ping") + tcp(0x21, 3, 50, 0x18, "pong") +
                   tcp(0x12, 50, 3, 0x11) + tcp(0x21, 3, 50, 0x11)));
  std::string scan, flood;
  for (char port = 10; port < 40; ++port)
    scan += tcp(0x12, 50, port, 0x02) + tcp(0x21, port, 50, 0x14);
  for (char port = 10; port < 70; ++port)
    flood += tcp(0x12, port, 3, 0x02);
  seed("packets", "scan", in_form(0, 1, scan));
  seed("packets", "flood", in_form(0, 5, flood));
  const auto datagram =
      frames::udp(40'000, 53, {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 1});
  const auto query = frames::ipv4("172.18.0.2", "172.18.0.1", 17, datagram);
  const auto answer = frames::ipv4(
      "172.18.0.1", "172.18.0.2", 17,
      frames::udp(53, 40'000, {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0,  0, 1, 'a', 0, 0,   1, 0,
                               1,    0xc0, 12,   0,    1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9}));
  seed("packets", "name",
       in_form(0, 0, raw(frames::ethernet(0x0800, query)) + raw(frames::ethernet(0x0800, answer))));
  const auto unreachable = frames::ipv4("172.18.0.1", "172.18.0.2", 1, frames::icmp(3, 3, query));
  seed("packets", "unreachable",
       in_form(0, 0, raw(frames::ethernet(0x0800, query)) + raw(frames::ethernet(0x0800, unreachable))));
  auto tagged = frames::ethernet(0x8100, {0, 7, 0x08, 0});
  append(tagged, query);
  const auto part = [&](unsigned fragment, const frames::Bytes& bytes) {
    return raw(frames::ethernet(0x0800, frames::ipv4("172.18.0.2", "172.18.0.1", 17, bytes, 9, fragment)));
  };
  seed("packets", "fragments",
       in_form(0, 0,
               part(2, frames::Bytes(16)) + part(0x2000, frames::udp(1'000, 2'000, frames::Bytes(8))) +
                   part(4, frames::Bytes(16)) + raw(tagged)));
  const auto v6 = frames::ipv6("fd00::1", "fd00::2", 0, [] {
    frames::Bytes bytes{60, 0, 1, 4, 0, 0, 0, 0, 6, 0, 1, 4, 0, 0, 0, 0};
    append(bytes, frames::tcp(40'000, 443, 2));
    return bytes;
  }());
  seed("packets", "ipv6", in_form(0, 0, raw(frames::ethernet(0x86dd, v6))));
  std::string asked;
  for (int i = 1; i < 9; ++i)
    asked += raw(frames::ethernet(0x0806, frames::arp("172.18.0.9", "172.18.0." + std::to_string(i))));
  seed("packets", "arp", in_form(0, 0, asked));
  seed("packets", "raw_ip", in_form(7, 0, raw(query) + raw(v6)));
}

void name_seeds() {
  seed("names", "query",
       text_of({0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 2, 'b', 'c', 0, 0, 1, 0, 1}));
  seed("names", "answer", text_of({0x12, 0x34, 0x81, 0x80, 0, 1, 0, 2, 0, 0, 0,  0, 1, 'a', 0, 0,   1,
                                   0,    1,    0xc0, 12,   0, 5, 0, 1, 0, 0, 0,  9, 0, 4,   1, 'b', 0xc0,
                                   12,   0xc0, 12,   0,    1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9}));
}

/// The payload of a UDP datagram.
std::string inside(const frames::Bytes& frame) {
  constexpr std::ptrdiff_t headers = 14 + 20 + 8;
  return {frame.begin() + headers, frame.end()};
}

void device_seeds() {
  const auto dhcp = frames::dhcp_request("hue-bridge", "10.77.0.33");
  const auto mdns = frames::mdns_answer("10.77.0.33", "lamp", "10.77.0.33");
  const auto hello = frames::client_hello("mirror.example");
  seed("names", "dhcp", inside(dhcp));
  seed("names", "mdns", inside(mdns));
  seed("names", "hello", text_of(hello));
  auto segment = frames::tcp(40'000, 443, 0x18);
  append(segment, hello);
  seed("packets", "names",
       in_form(0, 0,
               raw(dhcp) + raw(mdns) +
                   raw(frames::ethernet(0x0800, frames::ipv4("172.18.0.2", "203.0.113.9", 6, segment)))));
}

void capture_seeds(const std::filesystem::path& scratch) {
  const auto file = (scratch / "seed.pcap").string();
  PcapWriter writer{file};
  GatewayTraffic gateway;
  for (int i = 0; i < 3; ++i) {
    const auto frame = gateway.next();
    writer.write(frame.bytes, frame.at);
  }
  writer.close();
  std::ostringstream classic;
  classic << std::ifstream{file, std::ios::binary}.rdbuf();
  seed("capture", "pcap", classic.str());
  auto swapped = classic.str().substr(0, 24 + 16);
  for (std::size_t at = 0; at + 4 <= swapped.size(); at += 4)
    std::swap(swapped[at], swapped[at + 3]), std::swap(swapped[at + 1], swapped[at + 2]);
  std::swap(swapped[4], swapped[6]), std::swap(swapped[5], swapped[7]); // two halves, not one word
  seed("capture", "swapped", swapped + classic.str().substr(40));
  auto le = [](std::uint32_t value) {
    std::string out;
    for (int i = 0; i < 4; ++i)
      out += char(value >> 8 * i);
    return out;
  };
  const auto section = le(0x0a0d0d0a) + le(28) + le(0x1a2b3c4d) + le(1) + le(~0U) + le(~0U) + le(28);
  const auto interface = le(1) + le(28) + le(101) + le(0) + std::string("\x09\0\x01\0\x09\0\0\0", 8) + le(28);
  const auto packet =
      text_of(frames::ipv4("10.0.0.1", "10.0.0.2", 17, frames::udp(1'000, 2'000, frames::Bytes(4))));
  const auto block = le(6) + le(64) + le(0) + le(1) + le(2) + le(32) + le(32) + packet + le(64);
  seed("capture", "pcapng", section + interface + block + block);
}

} // namespace

void packet_path_seeds(const std::filesystem::path& scratch) {
  packet_seeds();
  name_seeds();
  device_seeds();
  capture_seeds(scratch);
}

} // namespace iris::fuzz
