#include "core/net/packet.hpp"

#include "core/net/fragment_table.hpp"
#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <random>

using namespace iris;
using namespace iris::frames;

TEST_CASE("a TCP segment behind stacked VLAN tags") {
  Bytes tagged{0x00, 0x64, 0x81, 0x00, 0x00, 0x65, 0x08, 0x00};
  append(tagged, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(4000, 27017, tcp_flag::syn | tcp_flag::ack, 5)));
  PacketView view;
  REQUIRE(frames::decode(link_type::ethernet, ethernet(0x88a8, tagged), view) == Decoded::ip);
  CHECK(to_string(view.src) == "10.0.0.1");
  CHECK(to_string(view.dst) == "10.0.0.2");
  CHECK(view.sport == 4000);
  CHECK(view.dport == 27017);
  CHECK(view.tcp_flags == (tcp_flag::syn | tcp_flag::ack));
  CHECK(view.ip_length == 45);
  CHECK(view.payload_length == 5);
  CHECK(view.payload_captured == 5);
  CHECK_FALSE(view.truncated);
  CHECK(view.mac == MacAddress{2, 0, 0, 0, 0, 1});
}

TEST_CASE("every link layer leads to the same packet") {
  auto ip = ipv4("10.0.0.1", "10.0.0.2", 17, udp(161, 162, {1, 2, 3}));
  auto with = [&](Bytes head) { return append(head, ip), head; };
  std::vector<std::pair<int, Bytes>> frames{
      {link_type::ethernet, ethernet(0x0800, ip)},
      {link_type::raw, ip},
      {link_type::raw_file, ip},
      {link_type::ipv4, ip},
      {link_type::null, with({2, 0, 0, 0})},
      {link_type::loop, with({0, 0, 0, 2})},
      {link_type::linux_sll, with({0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0x08, 0x00})},
      {link_type::linux_sll2, with({0x08, 0x00, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0})}};
  for (const auto& [link, bytes] : frames) {
    INFO("link layer " << link);
    PacketView view;
    REQUIRE(frames::decode(link, bytes, view) == Decoded::ip);
    CHECK(view.sport == 161);
    CHECK(view.payload_captured == 3);
    CHECK(view.payload[2] == 3);
  }
  PacketView view;
  CHECK(frames::decode(105, ip, view) == Decoded::unsupported);
  CHECK(frames::decode(link_type::ethernet, ethernet(0x888e, Bytes(40)), view) == Decoded::other);
}

TEST_CASE("IPv6 extension headers are walked, but not for ever") {
  Bytes options{17, 0, 1, 4, 0, 0, 0, 0};
  append(options, udp(5683, 5684, {}));
  PacketView view;
  REQUIRE(frames::decode(link_type::ipv6, ipv6("fd00::1", "fd00::2", 0, options), view) == Decoded::ip);
  CHECK(view.protocol == 17);
  CHECK(view.dport == 5684);
  CHECK(to_string(view.dst) == "fd00::2");

  Bytes endless;
  for (int i = 0; i < 40; ++i)
    append(endless, {60, 0, 1, 4, 0, 0, 0, 0});
  REQUIRE(frames::decode(link_type::ipv6, ipv6("fd00::1", "fd00::2", 60, endless), view) == Decoded::ip);
  CHECK(view.truncated);
  CHECK(view.hidden);
  CHECK(view.protocol == 0);
  CHECK(view.dport == 0);
}

TEST_CASE("regression: nine extension headers hide neither the ports nor, when cut, the addresses") {
  Bytes bytes;
  for (int i = 0; i < 20; ++i)
    append(bytes, {std::uint8_t(i < 19 ? 60 : 6), 0, 1, 4, 0, 0, 0, 0});
  append(bytes, tcp(4000, 443, tcp_flag::syn));
  auto whole = ipv6("fd00::1", "2001:db8::2", 60, bytes);
  PacketView view;
  REQUIRE(frames::decode(link_type::ipv6, whole, view) == Decoded::ip);
  CHECK(view.dport == 443);
  CHECK(view.tcp_flags == tcp_flag::syn);
  // One header longer than the snapshot.
  Bytes large(2048);
  large[0] = 6;
  large[1] = 255;
  append(large, tcp(4000, 443, tcp_flag::syn));
  whole = ipv6("fd00::1", "2001:db8::2", 60, large);
  REQUIRE(iris::decode(link_type::ipv6, {whole.data(), 242}, std::uint32_t(whole.size()), view) ==
          Decoded::ip);
  CHECK(view.hidden);
  CHECK(view.ports_known);
  CHECK(view.protocol == 0);
  CHECK(to_string(view.dst) == "2001:db8::2");
}

TEST_CASE("a TCP packet that lies about its length is not believed") {
  auto bytes = ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, tcp_flag::ack));
  PacketView view;
  bytes[0] = 0x44; // header of 16 bytes
  CHECK(frames::decode(link_type::raw, bytes, view) == Decoded::malformed);
  bytes[0] = 0x45;
  bytes[3] = 10; // whole packet shorter than its header
  CHECK(frames::decode(link_type::raw, bytes, view) == Decoded::malformed);
}

TEST_CASE("Ethernet padding is no payload") {
  auto frame = ethernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, tcp_flag::ack)));
  frame.resize(60);
  PacketView view;
  REQUIRE(frames::decode(link_type::ethernet, frame, view) == Decoded::ip);
  CHECK(view.payload_length == 0);
  CHECK(view.payload_captured == 0);
}

TEST_CASE("an ICMP unreachable names the flow that it is about") {
  auto inner = ipv4("10.0.0.1", "10.0.0.2", 17, udp(5000, 161, {}));
  PacketView view;
  REQUIRE(frames::decode(link_type::raw, ipv4("10.0.0.2", "10.0.0.1", 1, icmp(3, 3, inner)), view) ==
          Decoded::ip);
  CHECK(view.icmp_type() == 3);
  REQUIRE(view.quotes);
  CHECK(to_string(view.quoted.src) == "10.0.0.1");
  CHECK(view.quoted.sport == 5000);
  CHECK(view.quoted.dport == 161);
  CHECK(view.quoted.protocol == 17);
}

TEST_CASE("ARP gives sender and target") {
  PacketView view;
  REQUIRE(frames::decode(link_type::ethernet, ethernet(0x0806, arp("10.0.0.1", "10.0.0.9")), view) ==
          Decoded::arp);
  CHECK(view.arp_request);
  CHECK(to_string(view.src) == "10.0.0.1");
  CHECK(to_string(view.dst) == "10.0.0.9");
}

TEST_CASE("every cut of a frame is survived and nothing behind the cut is read") {
  std::vector<Bytes> packets{
      ethernet(0x0800, ipv4("10.0.0.1", "10.0.0.2", 6, tcp(1, 2, tcp_flag::ack, 9))),
      ethernet(0x0800,
               ipv4("10.0.0.2", "10.0.0.1", 1, icmp(3, 3, ipv4("10.0.0.1", "10.0.0.2", 17, udp(1, 2, {}))))),
      ethernet(0x86dd, ipv6("fd00::1", "fd00::2", 44, {6, 0, 0, 1, 0, 0, 0, 7, 0, 1, 0, 2, 0, 0, 0, 0})),
      ethernet(0x0806, arp("10.0.0.1", "10.0.0.9"))};
  for (const auto& packet : packets)
    for (std::size_t size = 0; size <= packet.size(); ++size) {
      // An own allocation of the exact size, so that the sanitizers see a read past it.
      auto exact = std::make_unique<std::uint8_t[]>(size);
      std::copy_n(packet.begin(), size, exact.get());
      PacketView view;
      auto decoded =
          iris::decode(link_type::ethernet, {exact.get(), size}, std::uint32_t(packet.size()), view);
      CHECK(decoded != Decoded::unsupported);
      if (decoded == Decoded::ip) {
        CHECK(view.payload_captured <= size);
        CHECK(view.truncated == (size < packet.size()));
      }
    }
}

TEST_CASE("noise is survived on every link layer") {
  std::mt19937 random{7};
  for (int i = 0; i < 20'000; ++i) {
    auto size = random() % 120;
    auto noise = std::make_unique<std::uint8_t[]>(size);
    for (std::size_t at = 0; at < size; ++at)
      noise[at] = std::uint8_t(random());
    if (size > 20) {
      noise[12] = i % 2 == 0 ? 0x08 : 0x86;
      noise[13] = i % 2 == 0 ? 0x00 : 0xdd;
      noise[14] = i % 2 == 0 ? 0x45 : 0x60;
    }
    PacketView view;
    for (int link : {0, 1, 12, 113, 276})
      if (iris::decode(link, {noise.get(), size}, std::uint32_t(size), view) == Decoded::ip)
        CHECK(view.payload_captured <= size);
  }
}

TEST_CASE("later fragments get the ports of the first, for half a minute") {
  auto fragment = [](unsigned flags, const Bytes& payload, unsigned id) {
    PacketView view;
    static Bytes kept;
    kept = ipv4("10.0.0.1", "10.0.0.2", 17, payload, id, flags);
    REQUIRE(frames::decode(link_type::raw, kept, view) == Decoded::ip);
    REQUIRE(view.fragment);
    return view;
  };
  FragmentTable table{1};
  std::uint32_t before = 0;
  auto early = fragment(0x0010, Bytes(16), 5);
  CHECK_FALSE(table.resolve(early, second, before));
  auto first = fragment(0x2000, udp(1000, 2000, Bytes(8)), 5);
  CHECK(first.first_fragment);
  CHECK(table.resolve(first, second, before));
  CHECK(before == 1);
  CHECK(first.ip_length == 20 + 16 + 20 + 16); // with what came early
  auto later = fragment(0x0010, Bytes(16), 5);
  CHECK_FALSE(later.ports_known);
  REQUIRE(table.resolve(later, 2 * second, before));
  CHECK(later.sport == 1000);
  CHECK(later.dport == 2000);
  auto other = fragment(0x0010, Bytes(16), 6);
  CHECK_FALSE(table.resolve(other, 2 * second, before));
  auto late = fragment(0x0010, Bytes(16), 5);
  CHECK_FALSE(table.resolve(late, 40 * second, before));
}

TEST_CASE("regression: a TCP header that is cut behind its ports still has ports") {
  auto whole = ipv4("10.0.0.1", "10.0.0.2", 6, tcp(4000, 502, tcp_flag::syn));
  for (std::size_t size : {24U, 28U, 33U}) {
    PacketView view;
    REQUIRE(iris::decode(link_type::raw, {whole.data(), size}, std::uint32_t(whole.size()), view) ==
            Decoded::ip);
    CHECK(view.ports_known);
    CHECK(view.dport == 502);
    CHECK_FALSE(view.flags_known);
    CHECK_FALSE(view.is_tiny_fragment()); // the capture's cut, not the sender's
  }
  auto segment = tcp(4000, 502, tcp_flag::syn, 4);
  PacketView view;
  auto first = ipv4("10.0.0.1", "10.0.0.2", 6, Bytes(segment.begin(), segment.begin() + 8), 1, 0x2000);
  REQUIRE(frames::decode(link_type::raw, first, view) == Decoded::ip);
  CHECK(view.is_tiny_fragment());
  CHECK(view.sport == 4000);
  auto second_one =
      ipv4("10.0.0.1", "10.0.0.2", 6, Bytes(segment.begin() + 8, segment.begin() + 16), 1, 0x2001);
  REQUIRE(frames::decode(link_type::raw, second_one, view) == Decoded::ip);
  CHECK(view.flags_known);
  CHECK(view.tcp_flags == tcp_flag::syn);
  CHECK(view.payload_length == 0);
  auto third = ipv4("10.0.0.1", "10.0.0.2", 6, Bytes(segment.begin() + 16, segment.end()), 1, 0x0002);
  REQUIRE(frames::decode(link_type::raw, third, view) == Decoded::ip);
  CHECK_FALSE(view.flags_known);
  CHECK(view.payload_length == 4);
}

TEST_CASE("regression: a fragment that is the whole datagram is no first fragment either") {
  // Cut before the flags, it was taken for a tiny fragment, with which someone evades monitors.
  Bytes fragment{6, 0, 0, 0, 0, 0, 0, 9};
  append(fragment, tcp(40'000, 443, tcp_flag::syn));
  auto bytes = ethernet(0x86dd, ipv6("fd00::1", "fd00::2", 44, fragment));
  bytes.resize(14 + 40 + 8 + 8);
  PacketView view;
  REQUIRE(iris::decode(link_type::ethernet, bytes, 200, view) == Decoded::ip);
  CHECK_FALSE(view.fragment);
  CHECK_FALSE(view.first_fragment);
  CHECK_FALSE(view.is_tiny_fragment());
}
