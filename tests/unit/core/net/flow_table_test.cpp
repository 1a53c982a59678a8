#include "core/net/flow_table.hpp"

#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace iris;
using namespace iris::frames;

namespace {

constexpr Timestamp start = 1'800'000'000 * second;
constexpr auto SYN = tcp_flag::syn;
constexpr auto ACK = tcp_flag::ack;
constexpr auto FIN = tcp_flag::fin;
constexpr auto RST = tcp_flag::rst;
constexpr const char* client = "10.0.0.1";
constexpr const char* server = "10.0.0.2";

struct Told final : FlowEvents {
  std::vector<std::pair<Flow, Failure>> failures;
  std::vector<Flow> completions, echoes;
  std::uint64_t burst_packets = 0;
  bool cover = false;
  void failed(const Flow& flow, Failure how, std::uint32_t, std::uint64_t, Timestamp) override {
    failures.emplace_back(flow, how);
  }
  void completed(const Flow& flow, Timestamp) override { completions.push_back(flow); }
  void echo(const Flow& flow, Timestamp) override { echoes.push_back(flow); }
  void burst(const Flow&, std::uint32_t packets, std::uint64_t, Duration, Timestamp) override {
    burst_packets += packets;
  }
  bool covers(const Flow&) const override { return cover; }
};

struct Bench {
  Told told;
  FlowTable table;
  std::vector<Flow> out;
  Timestamp now = start;

  explicit Bench(FlowTableOptions options = {}) : table{options, &told} {}
  void packet(const Bytes& bytes) {
    PacketView view;
    table.advance(now, out);
    auto decoded = frames::decode(link_type::raw, bytes, view);
    REQUIRE(decoded == Decoded::ip);
    table.add(view, now, out);
  }
  void tcp_out(std::uint8_t flags, std::size_t payload = 0, std::uint16_t sport = 40'000) {
    packet(ipv4(client, server, 6, tcp(sport, 27'017, flags, payload)));
  }
  void tcp_in(std::uint8_t flags, std::size_t payload = 0, std::uint16_t sport = 40'000) {
    packet(ipv4(server, client, 6, tcp(27'017, sport, flags, payload)));
  }
  void wait(Duration span) { table.advance(now += span, out); }
  std::vector<Flow> take() {
    table.harvested();
    return std::exchange(out, {});
  }
};

} // namespace

TEST_CASE("a TCP flow is reported when established, each window, and when it ends; counts are deltas") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.tcp_in(SYN | ACK);
  CHECK(bench.take().empty());
  bench.tcp_out(ACK);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::established);
  CHECK(flows[0].first_report);
  CHECK_FALSE(flows[0].last_report);
  CHECK(flows[0].initiator_known);
  CHECK(to_string(flows[0].src) == client);
  CHECK(flows[0].sport == 40'000);
  CHECK(flows[0].dport == 27'017);
  CHECK(flows[0].packets_out == 2);
  CHECK(flows[0].packets_in == 1);

  bench.now += second;
  bench.tcp_out(ACK, 100);
  bench.tcp_in(ACK, 1'000);
  bench.wait(9 * second);
  CHECK(bench.take().empty());
  bench.wait(2 * second);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK_FALSE(flows[0].first_report);
  CHECK(flows[0].packets_out == 1);
  CHECK(flows[0].bytes_out == 140);
  CHECK(flows[0].payload_in == 1'000);
  CHECK(flows[0].first == start + second);
  bench.wait(60 * second);
  CHECK(bench.take().empty()); // nothing new, nothing told

  bench.tcp_out(FIN | ACK);
  bench.tcp_in(FIN | ACK);
  bench.tcp_out(ACK);
  bench.wait(second / 4);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].last_report);
  CHECK(flows[0].state == FlowState::closed);
  CHECK(flows[0].packets_out == 2);
  CHECK(bench.told.failures.empty());
  bench.tcp_in(ACK); // a straggler begins nothing
  bench.wait(20 * second);
  CHECK(bench.take().empty());
  CHECK(bench.table.stats().active == 0);
  CHECK(bench.table.stats().flows == 1);
}

TEST_CASE("a window that changes ends no flow: its next part comes after the new one") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(ACK);
  REQUIRE(bench.take().size() == 1);
  bench.table.set_window(second);
  for (int part = 0; part < 2; ++part) {
    bench.tcp_out(ACK, 100);
    bench.wait(second / 2);
    CHECK(bench.take().empty());
    bench.wait(second);
    auto flows = bench.take();
    REQUIRE(flows.size() == 1);
    CHECK_FALSE(flows[0].first_report);
    CHECK_FALSE(flows[0].last_report);
    CHECK(flows[0].payload_out == 100);
  }
  CHECK(bench.table.stats().flows == 1);
}

TEST_CASE("a connection that begins and ends between two harvests is one report") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(ACK, 100);
  bench.tcp_in(ACK, 200);
  bench.tcp_out(FIN | ACK);
  bench.tcp_in(FIN | ACK);
  bench.tcp_out(ACK);
  bench.wait(second / 4);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].first_report);
  CHECK(flows[0].last_report);
  CHECK(flows[0].state == FlowState::closed);
  CHECK(flows[0].packets_out == 4);
  CHECK(flows[0].packets_in == 3);
  CHECK(flows[0].payload_in == 200);
  CHECK(flows[0].first == start);
}

TEST_CASE("a refused connection is reported at once and only once") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.tcp_in(RST | ACK);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::refused);
  CHECK(flows[0].last_report);
  REQUIRE(bench.told.failures.size() == 1);
  CHECK(bench.told.failures[0].second == Failure::refused);
  bench.wait(60 * second);
  CHECK(bench.take().empty());
}

TEST_CASE("an unanswered connection is reported after a second, its late answer at once") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.wait(900 * millisecond);
  CHECK(bench.take().empty());
  bench.wait(200 * millisecond);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::opening);
  REQUIRE(bench.told.failures.size() == 1);
  CHECK(bench.told.failures[0].second == Failure::unanswered);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(ACK);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::established);
  CHECK_FALSE(flows[0].first_report);
}

TEST_CASE("a handshake that the opener breaks off is barren, as is a connection without content") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(RST);
  bench.wait(second / 4);
  REQUIRE(bench.told.failures.size() == 1);
  CHECK(bench.told.failures[0].second == Failure::barren);
  bench.tcp_out(SYN, 0, 40'001);
  bench.tcp_in(SYN | ACK, 0, 40'001);
  bench.tcp_out(ACK, 0, 40'001);
  bench.tcp_out(FIN | ACK, 0, 40'001);
  bench.tcp_in(FIN | ACK, 0, 40'001);
  bench.wait(second / 4);
  REQUIRE(bench.told.failures.size() == 2);
  CHECK(bench.told.failures[1].second == Failure::barren);
}

TEST_CASE("a port that is used again is a new flow") {
  Bench bench;
  for (int i = 0; i < 2; ++i) {
    bench.tcp_out(SYN);
    bench.tcp_in(SYN | ACK);
    bench.tcp_out(ACK, 10);
  }
  auto flows = bench.take();
  REQUIRE(flows.size() == 2);
  CHECK(flows[0].last_report);
  CHECK(flows[1].first_report);
  CHECK_FALSE(flows[1].last_report);
  CHECK(bench.table.stats().flows == 2);
}

TEST_CASE("where the start was not seen the ports say who is the server") {
  Bench bench;
  bench.tcp_in(ACK, 10);
  bench.tcp_out(ACK);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK_FALSE(flows[0].initiator_known);
  CHECK(to_string(flows[0].src) == client);
  CHECK(flows[0].dport == 27'017);
  CHECK(flows[0].state == FlowState::established);

  // Both ports may be ephemeral; one that was opened before is the server's.
  bench.packet(ipv4(client, server, 6, tcp(35'000, 48'200, SYN)));
  bench.packet(ipv4(server, client, 6, tcp(48'200, 35'000, SYN | ACK)));
  bench.packet(ipv4(client, server, 6, tcp(35'000, 48'200, ACK)));
  bench.take();
  bench.packet(ipv4("10.0.0.7", server, 6, tcp(34'000, 48'200, ACK, 5)));
  bench.packet(ipv4(server, "10.0.0.7", 6, tcp(48'200, 34'000, ACK, 5)));
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].dport == 48'200);
}

TEST_CASE("UDP is reported at the first answer, or after 200 ms without one, and when idle if it was more") {
  Bench bench;
  bench.packet(ipv4(client, server, 17, udp(50'000, 161, Bytes(30))));
  bench.packet(ipv4(server, client, 17, udp(161, 50'000, Bytes(60))));
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::established);
  CHECK(flows[0].payload_in == 60);
  CHECK(flows[0].last_report); // a question and its answer
  bench.packet(ipv4(client, server, 17, udp(50'001, 514, Bytes(30))));
  bench.wait(300 * millisecond);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::one_way);
  CHECK(flows[0].last_report);

  bench.packet(ipv4(client, server, 17, udp(50'001, 514, Bytes(30))));
  bench.packet(ipv4(client, server, 17, udp(50'001, 514, Bytes(30))));
  bench.wait(11 * second);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK_FALSE(flows[0].first_report);
  CHECK_FALSE(flows[0].last_report);
  CHECK(flows[0].packets_out == 2);
  bench.wait(61 * second);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].last_report);
  CHECK(flows[0].packets_out == 0);
  CHECK(bench.table.stats().active == 0);
}

TEST_CASE("regression: forged resets hide no bytes of a session that goes on") {
  Bench bench;
  std::uint64_t sent = 0, told = 0, flows_opened = 0;
  auto look = [&] {
    for (const auto& flow : bench.take()) {
      CHECK(to_string(flow.src) == client);
      told += flow.payload_out;
      flows_opened += flow.first_report;
    }
  };
  bench.tcp_out(SYN);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(ACK);
  for (int i = 0; i < 2'000; ++i) {
    bench.tcp_out(ACK, 1'000);
    bench.tcp_in(ACK);
    sent += 1'000;
    if (i % 5 == 0) bench.tcp_out(RST);
    bench.wait(10 * millisecond);
    if (i % 10 == 0) look();
  }
  bench.wait(10 * second);
  look();
  CHECK(told == sent);
  CHECK(flows_opened == 1);
  CHECK(bench.table.stats().resumed > 0);
  CHECK(bench.table.stats().active == 0);
  CHECK(bench.told.failures.empty());
}

TEST_CASE("regression: a forged reset before the handshake's end, or a forged SYN, hides no session") {
  for (bool reset : {true, false}) {
    Bench bench;
    bench.tcp_out(SYN);
    if (reset) bench.tcp_in(RST | ACK);
    bench.take();
    bench.tcp_in(SYN | ACK);
    bench.tcp_out(ACK);
    if (!reset) bench.tcp_out(SYN);
    bench.take();
    for (int i = 0; i < 100; ++i) {
      bench.tcp_out(ACK, 1'000);
      bench.tcp_in(ACK);
    }
    bench.wait(3 * second);
    bench.wait(10 * second);
    std::uint64_t told = 0;
    bool established = false;
    for (const auto& flow : bench.take()) {
      told += flow.payload_out;
      established = established || flow.state == FlowState::established;
    }
    CHECK(told == 100'000);
    CHECK(established);
  }
}

TEST_CASE("regression: a forged ICMP unreachable hides no datagrams") {
  Bench bench;
  auto datagram = ipv4(client, server, 17, udp(50'000, 514, Bytes(100)));
  bench.packet(datagram);
  bench.packet(ipv4(server, client, 1, icmp(3, 3, datagram)));
  bench.take();
  std::uint64_t told = 0;
  for (int i = 0; i < 100; ++i) {
    bench.packet(datagram);
    bench.wait(50 * millisecond);
    for (const auto& flow : bench.take())
      told += flow.payload_out;
  }
  bench.wait(5 * second);
  for (const auto& flow : bench.take())
    told += flow.payload_out;
  CHECK(told == 10'000);
  CHECK(bench.told.failures.size() == 1);
  CHECK(bench.table.stats().active == 0);
}

TEST_CASE("UDP that ICMP refuses is refused") {
  Bench bench;
  auto request = ipv4(client, server, 17, udp(50'000, 161, Bytes(30)));
  bench.packet(request);
  bench.packet(ipv4(server, client, 1, icmp(3, 3, request)));
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::refused);
  CHECK(flows[0].dport == 161);
  CHECK(bench.told.failures.size() == 1);
}

TEST_CASE("echo request and reply are one flow and one echo event") {
  Bench bench;
  for (int i = 0; i < 3; ++i) {
    bench.packet(ipv4(client, server, 1, icmp(8, 0)));
    bench.packet(ipv4(server, client, 1, icmp(0, 0)));
  }
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].dport == 8 << 8);
  CHECK(flows[0].sport == 0);
  CHECK(to_string(flows[0].src) == client);
  CHECK(bench.told.echoes.size() == 1);
}

TEST_CASE("fragments are counted with their flow") {
  Bench bench;
  bench.packet(ipv4(client, server, 17, udp(50'000, 161, Bytes(16)), 9, 0x2000));
  bench.packet(ipv4(client, server, 17, Bytes(40), 9, 3));
  bench.packet(ipv4(client, server, 17, Bytes(40), 10, 3));
  bench.table.flush(bench.out);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].packets_out == 2);
  CHECK(flows[0].bytes_out == 44 + 60);
  CHECK(bench.table.stats().fragments_lost == 1);
}

namespace {

/// The segment in fragments of eight bytes, as `nmap -f` sends it.
std::vector<Bytes> in_eights(const char* src, const char* dst, const Bytes& segment, unsigned id) {
  std::vector<Bytes> pieces;
  for (std::size_t at = 0; at < segment.size(); at += 8) {
    auto end = std::min(at + 8, segment.size());
    auto more = end < segment.size() ? 0x2000U : 0U;
    pieces.push_back(ipv4(src, dst, 6, Bytes(segment.begin() + long(at), segment.begin() + long(end)), id,
                          more | unsigned(at / 8)));
  }
  return pieces;
}

} // namespace

TEST_CASE("regression: TCP in fragments of eight bytes is a flow like any other") {
  for (bool backwards : {false, true}) {
    INFO("backwards " << backwards);
    Bench bench;
    unsigned id = 0;
    auto send = [&](const char* src, const char* dst, const Bytes& segment) {
      auto pieces = in_eights(src, dst, segment, ++id);
      if (backwards) std::reverse(pieces.begin(), pieces.end());
      for (const auto& piece : pieces)
        bench.packet(piece);
    };
    send(client, server, tcp(40'000, 27'017, SYN));
    send(server, client, tcp(27'017, 40'000, SYN | ACK));
    send(client, server, tcp(40'000, 27'017, ACK, 100));
    bench.wait(20 * second);
    auto flows = bench.take();
    REQUIRE(flows.size() == 1);
    CHECK(flows[0].state == FlowState::established);
    CHECK(flows[0].initiator_known);
    CHECK(to_string(flows[0].src) == client);
    CHECK(flows[0].payload_out == 100);
    CHECK(bench.table.stats().portless == 0);
    CHECK(bench.table.stats().fragments_lost == 0);
    CHECK(bench.table.stats().tiny_fragments == 3);
  }
}

TEST_CASE("regression: an opening in fragments of eight bytes that nobody answers is an attempt") {
  Bench bench;
  for (const auto& piece : in_eights(client, server, tcp(40'000, 502, SYN), 1))
    bench.packet(piece);
  bench.wait(2 * second);
  REQUIRE(bench.told.failures.size() == 1);
  CHECK(bench.told.failures[0].second == Failure::unanswered);
  CHECK(bench.told.failures[0].first.dport == 502);
}

TEST_CASE("regression: packets that hide their transport are a flow between their addresses") {
  Bench bench;
  Bytes endless;
  for (int i = 0; i < 12; ++i)
    append(endless, {60, 0, 1, 4, 0, 0, 0, 0});
  bench.packet(ipv6("fd00::1", "2001:db8::2", 60, endless));
  bench.packet(ipv6("2001:db8::2", "fd00::1", 60, endless));
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].protocol == 0);
  CHECK(flows[0].state == FlowState::established);
  CHECK(to_string(flows[0].dst) == "2001:db8::2");
  CHECK(bench.table.stats().hidden == 2);
  CHECK(bench.table.stats().portless == 0);
}

TEST_CASE("a full table lets the oldest unanswered flow go first, and says so") {
  FlowTableOptions options;
  options.capacity = 64;
  Bench bench{options};
  bench.tcp_out(SYN);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(ACK, 10);
  for (int i = 0; i < 1'000; ++i) {
    bench.now += millisecond / 10;
    bench.tcp_out(SYN, 0, std::uint16_t(1'000 + i));
  }
  CHECK(bench.table.stats().active == 64);
  CHECK(bench.table.stats().evicted_half_open == 1'001 - 64);
  CHECK(bench.table.stats().evicted_active == 0);
  bench.take();
  bench.tcp_in(ACK, 10); // the established one is still there
  bench.table.flush(bench.out);
  auto flows = bench.take();
  auto kept =
      std::count_if(flows.begin(), flows.end(), [](const Flow& flow) { return flow.sport == 40'000; });
  CHECK(kept == 1);
  CHECK(flows.size() == 64);
}

TEST_CASE("flows that an alarm covers are counted, not reported; content is reported still") {
  Bench bench;
  bench.told.cover = true;
  bench.tcp_out(SYN);
  bench.wait(2 * second);
  CHECK(bench.take().empty());
  CHECK(bench.table.stats().hushed == 1);
  bench.tcp_in(SYN | ACK);
  bench.tcp_out(ACK, 10);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].first_report);
}

TEST_CASE("a stream that nobody answers makes bursts, one that is answered does not") {
  Bench bench;
  for (int i = 0; i < 1'024; ++i)
    bench.packet(ipv4(client, server, 17, udp(50'000, 9, Bytes(10))));
  CHECK(bench.told.burst_packets == 1'024);
  for (int i = 0; i < 1'024; ++i) {
    bench.packet(ipv4(client, server, 17, udp(50'001, 161, Bytes(10))));
    bench.packet(ipv4(server, client, 17, udp(161, 50'001, Bytes(10))));
  }
  CHECK(bench.told.burst_packets == 1'024);
}

TEST_CASE("a clock that goes back ends all flows instead of keeping them for ever") {
  Bench bench;
  bench.tcp_out(SYN);
  bench.now -= 3'600 * second;
  bench.tcp_out(SYN, 0, 40'001);
  CHECK(bench.table.stats().clock_jumps == 1);
  CHECK(bench.take().size() == 1);
  bench.wait(2 * second);
  CHECK(bench.take().size() == 1);
  bench.now += 4 * 365 * 86'400 * second; // and a leap ahead is no long loop
  bench.wait(0);
  CHECK(bench.table.stats().active == 0);
}

namespace {

Bytes numbered(const char* src, const char* dst, std::uint16_t sport, std::uint16_t dport, std::uint8_t flags,
               std::uint32_t sequence, const Bytes& payload = {}) {
  auto segment = tcp(sport, dport, flags);
  for (int i = 0; i < 4; ++i)
    segment[std::size_t(4 + i)] = std::uint8_t(sequence >> 8 * (3 - i));
  append(segment, payload);
  return ipv4(src, dst, 6, segment);
}

std::string history_of(const Flow& flow) { return flow.history.data(); }

} // namespace

TEST_CASE("a TCP flow tells what happened in which order, and what was sent again") {
  Bench bench;
  auto out = [&](std::uint8_t flags, std::uint32_t sequence, std::size_t size = 0) {
    bench.packet(numbered(client, server, 40'000, 27'017, flags, sequence, Bytes(size)));
  };
  auto in = [&](std::uint8_t flags, std::uint32_t sequence, std::size_t size = 0) {
    bench.packet(numbered(server, client, 27'017, 40'000, flags, sequence, Bytes(size)));
  };
  const std::uint32_t a = 0xffff'fff0U, b = 77; // the first one wraps
  out(SYN, a);
  out(SYN, a); // nobody heard it
  in(SYN | ACK, b);
  out(ACK, a + 1);
  out(ACK, a + 1, 10);
  out(ACK, a + 11, 10);
  out(ACK, a + 1, 10); // again
  in(ACK, b + 1);
  in(ACK, b + 1, 5);
  in(ACK, b + 5); // a keep-alive is none
  in(ACK, b + 5, 1);
  bench.wait(11 * second);
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(history_of(flows[0]) == "SThADad");
  CHECK(flows[0].retransmitted_out == 2);
  CHECK(flows[0].retransmitted_in == 0);
  in(ACK | FIN, b + 6);
  out(ACK | FIN, a + 21);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(history_of(flows[0]) == "SThADadfF");
  CHECK(flows[0].retransmitted_out == 0); // a delta
  CHECK(bench.table.stats().retransmitted == 2);
}

TEST_CASE("where the ports say that the first sender answers, the history is told from the opener's side") {
  Bench bench;
  bench.packet(numbered(server, client, 27'017, 40'000, ACK, 5, Bytes(9)));
  bench.packet(numbered(client, server, 40'000, 27'017, ACK, 9));
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(to_string(flows[0].src) == client);
  CHECK(history_of(flows[0]) == "dA");
}

TEST_CASE("a flow to a TLS port is reported with the name that its first content asks for") {
  Bench bench;
  auto opened = [&](std::uint16_t sport) {
    bench.packet(numbered(client, server, sport, 443, SYN, 1));
    bench.packet(numbered(server, client, 443, sport, SYN | ACK, 1));
    bench.packet(numbered(client, server, sport, 443, ACK, 2));
  };
  opened(40'000);
  CHECK(bench.take().empty()); // even where the harvest comes between
  PacketView view;
  auto hello = numbered(client, server, 40'000, 443, ACK, 2, Bytes(20));
  REQUIRE(frames::decode(link_type::raw, hello, view) == Decoded::ip);
  auto place = bench.table.add(view, bench.now, bench.out);
  REQUIRE(place != FlowTable::none);
  bench.table.name(place, view, "mirror.example", bench.out);
  bench.table.name(place, view, "other.example", bench.out); // the first one counts
  auto flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].first_report);
  REQUIRE(flows[0].server_name);
  CHECK(*flows[0].server_name == "mirror.example");

  opened(40'001); // and without content when it was waited for long enough
  auto answer = numbered(server, client, 443, 40'001, ACK, 2, Bytes(20));
  bench.wait(300 * millisecond);
  flows = bench.take();
  REQUIRE(flows.size() == 1);
  CHECK(flows[0].state == FlowState::established);
  CHECK_FALSE(flows[0].server_name);
  CHECK(bench.told.failures.empty());
  REQUIRE(frames::decode(link_type::raw, answer, view) == Decoded::ip);
  place = bench.table.add(view, bench.now, bench.out);
  bench.table.name(place, view, "friend.example", bench.out); // the one who is called names nobody
  bench.table.flush(bench.out);
  for (const auto& flow : bench.out)
    CHECK((flow.sport == 40'000 || !flow.server_name));
}

TEST_CASE("names of flows are kept once each, and there is an end to them") {
  FlowNames names;
  auto one = names.keep("a.example");
  CHECK(names.keep("a.example") == one);
  CHECK(*names.of(one) == "a.example");
  names.release(one);
  CHECK(*names.of(one) == "a.example");
  names.release(one);
  CHECK_FALSE(names.of(one));
  for (std::size_t i = 0; i < FlowNames::limit; ++i)
    REQUIRE(names.keep(std::to_string(i)) != 0);
  CHECK(names.keep("one more") == 0);
  CHECK_FALSE(names.of(0));
}

TEST_CASE("regression: a flood that is answered drives out no quiet connection that is older") {
  FlowTableOptions options;
  options.capacity = 16;
  Bench bench{options};
  for (int i = 0; i < 6; ++i) { // a service's
    bench.packet(ipv4(client, server, 17, udp(5'000, 6'000, Bytes(10))));
    bench.packet(ipv4(server, client, 17, udp(6'000, 5'000, Bytes(10))));
  }
  for (std::uint16_t port = 10'000; port < 10'200; ++port) {
    bench.now += millisecond;
    bench.packet(ipv4("10.0.0.9", server, 17, udp(port, 7'000, Bytes(10))));
    bench.packet(ipv4(server, "10.0.0.9", 17, udp(7'000, port, Bytes(10))));
  }
  CHECK(bench.table.stats().evicted_active >= 180);
  bench.take();
  bench.packet(ipv4(client, server, 17, udp(5'000, 6'000, Bytes(10))));
  bench.wait(11 * second);
  auto flows = bench.take();
  auto known = std::find_if(flows.begin(), flows.end(), [](const Flow& flow) { return flow.dport == 6'000; });
  REQUIRE(known != flows.end());
  CHECK_FALSE(known->first_report); // the same flow still
}
