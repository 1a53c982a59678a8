#include "node/sources/dpi.hpp"

#include "core/net/application.hpp"
#include "node/sources/packet_pipeline.hpp"
#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;
using namespace iris::frames;

namespace {

constexpr Timestamp begin = 1'800'000'000 * second;

Bytes text(const std::string& content) { return {content.begin(), content.end()}; }

Bytes segment(std::uint16_t sport, std::uint16_t dport, std::uint8_t flags, std::uint8_t sequence,
              const Bytes& content) {
  auto bytes = tcp(sport, dport, flags);
  bytes[7] = sequence; // else all but the first is taken for a retransmission
  append(bytes, content);
  return bytes;
}

/// A connection in which the client says something and the server answers, on a port that tells nothing.
std::string label_of(const std::string& question, const std::string& answer, std::uint16_t port = 40'123,
                     std::uint16_t client = 50'000) {
  // One for all, since the library takes a while to start; what it remembers of a client is part of the
  // trial.
  static PacketPipeline pipeline{[] {
    PipelineOptions options;
    options.label_applications = true;
    return options;
  }()};
  static auto at = begin;
  at += 60 * second;
  std::uint8_t sequence = 0;
  auto send = [&](const Bytes& packet) {
    pipeline.packet(link_type::raw, packet, std::uint32_t(packet.size()), at += millisecond);
  };
  auto out = [&](std::uint8_t flags, const Bytes& content) {
    send(ipv4("10.0.0.1", "10.0.0.2", 6, segment(client, port, flags, ++sequence, content)));
  };
  auto in = [&](std::uint8_t flags, const Bytes& content) {
    send(ipv4("10.0.0.2", "10.0.0.1", 6, segment(port, client, flags, ++sequence, content)));
  };
  out(tcp_flag::syn, {});
  in(tcp_flag::syn | tcp_flag::ack, {});
  out(tcp_flag::ack, {});
  out(tcp_flag::ack, text(question));
  in(tcp_flag::ack, text(answer));
  out(tcp_flag::fin | tcp_flag::ack, {});
  in(tcp_flag::fin | tcp_flag::ack, {});
  pipeline.flush();
  PacketHarvest harvest;
  pipeline.take(harvest);
  REQUIRE(harvest.flows.size() == 1);
  return harvest.flows[0].application;
}

PacketView view_of(const Bytes& packet) {
  static Bytes kept;
  kept = packet;
  PacketView view;
  REQUIRE(frames::decode(link_type::raw, kept, view) == Decoded::ip);
  return view;
}

} // namespace

TEST_CASE("a flow is named by its content, not by its port") {
  CHECK(label_of("GET /api/v1/ping HTTP/1.1\r\nHost: edgex-core-data\r\n\r\n",
                 "HTTP/1.1 200 OK\r\n\r\npong") == "HTTP");
  CHECK(label_of("*1\r\n$4\r\nPING\r\n", "+PONG\r\n") == "Redis");
  CHECK(label_of(std::string(60, '\xee'), std::string(60, '\xef'), 80) == "");
  std::string hello{"HELF\x1c\0\0\0\0\0\0\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0", 28};
  CHECK(label_of(hello, std::string{"ACKF\x1c\0\0\0", 8}) == "OPC-UA");
}

TEST_CASE("regression: a client's ephemeral port made a flow EtherNet/IP") {
  for (int client = 1'024; client < 65'536; client += client < 44'000 || client > 45'000 ? 97 : 1) {
    INFO(client);
    const auto web = label_of("GET /api/v1/ping HTTP/1.1\r\nHost: edgex-core-data\r\n\r\n",
                              "HTTP/1.1 200 OK\r\n\r\npong", 48'061, std::uint16_t(client));
    CHECK((web.empty() || web == "HTTP"));
    CHECK(label_of("nobody knows this line\r\n", "nor that\r\n", 48'061, std::uint16_t(client)) == "");
  }
}

TEST_CASE("regression: a request from port 51413 was BitTorrent") {
  for (const std::uint16_t client : {44'818, 47'808, 49'152, 51'413, 53'646, 60'999, 61'616, 61'631}) {
    INFO(client);
    for (const char* answer : {"HTTP/1.1 200 OK\r\n\r\npong", ""}) {
      const auto web = label_of("GET /api/v1/device HTTP/1.1\r\nHost: edgex-core-metadata:48081\r\n\r\n",
                                answer, 48'081, client);
      CHECK((web.empty() || web == "HTTP"));
    }
  }
}

TEST_CASE("random bytes are next to never a protocol") {
  std::mt19937 random{7};
  int named = 0;
  for (int i = 0; i < 4'000; ++i) {
    std::string question(64, 0), answer(48, 0);
    for (auto* bytes : {&question, &answer})
      for (auto& byte : *bytes)
        byte = char(random());
    named += !label_of(question, answer).empty();
  }
  CHECK(named <= 1);
}

TEST_CASE("MQTT is recognised by its first message, Redis by a whole command") {
  const auto name_of = [](const std::string& payload) {
    const auto* name = application_name(recognise_application(view_of(ipv4("10.0.0.1", "10.0.0.9", 6, [&] {
      auto bytes = tcp(40'000, 41'000, tcp_flag::ack);
      append(bytes, text(payload));
      return bytes;
    }()))));
    return std::string{name ? name : ""};
  };
  CHECK(name_of(std::string{"\x10\x0e\0\4MQTT\4\2\0\x3c\0\2ab", 16}) == "MQTT");
  CHECK(name_of(std::string{"\x10\xff\1\0\4MQTT\5\2\0\x3c", 13}) == "MQTT");
  CHECK(name_of(std::string{"\x10\x10\0\6MQIsdp\3\2\0\x3c\0\2ab", 18}) == "MQTT");
  CHECK(name_of(std::string{"\x10\x0e\0\5MQTT\4\2\0\x3c\0\2ab", 16}) == "");
  CHECK(name_of("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n") == "Redis");
  CHECK(name_of("*2\r\n$\r\n") == "");
  CHECK(name_of("*2\n$4\n") == "");
  CHECK(name_of("**********") == "");
}

TEST_CASE("BACnet is recognised by its frame, on any port") {
  Bytes who_is{0x81, 0x0b, 0, 12, 1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8};
  auto view = view_of(ipv4("10.0.0.1", "10.0.0.255", 17, udp(40'000, 50'000, who_is)));
  CHECK(recognise_application(view) == application::bacnet);
  who_is[3] = 13; // the length is that of another datagram
  view = view_of(ipv4("10.0.0.1", "10.0.0.255", 17, udp(40'000, 50'000, who_is)));
  CHECK(recognise_application(view) == application::unknown);
  Bytes no_version{0x81, 0x0a, 0, 6, 2, 0};
  view = view_of(ipv4("10.0.0.1", "10.0.0.9", 17, udp(47'808, 47'808, no_version)));
  CHECK(recognise_application(view) == application::unknown);
}

TEST_CASE("more flows at once than there are states stay without a label and are counted") {
  FlowTable table{{}};
  ApplicationLabeller labeller{table, 4};
  std::vector<Flow> out;
  for (int i = 0; i < 10; ++i) {
    auto packet = ipv4("10.0.0.1", "10.0.0.2", 6, tcp(std::uint16_t(1'000 + i), 40'000, tcp_flag::syn));
    PacketView view;
    REQUIRE(frames::decode(link_type::raw, packet, view) == Decoded::ip);
    auto place = table.add(view, begin + i, out);
    REQUIRE(place != FlowTable::none);
    labeller.packet(place, view, begin + i);
  }
  CHECK(labeller.stats().states == 4);
  CHECK(labeller.stats().no_room == 6);
  table.flush(out);
  CHECK(labeller.stats().states == 0);
}
