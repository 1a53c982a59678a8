#include "node/sources/capture_file.hpp"

#include "node/sources/packet_pipeline.hpp"
#include "tests/unit/core/net/client_hello.hpp"
#include "tests/unit/core/net/device_messages.hpp"
#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace iris;
using namespace iris::frames;

namespace {

/// A file of the given bytes that is gone when the test is.
struct File {
  std::string path =
      (std::filesystem::temp_directory_path() / ("iris-capture-" + std::to_string(getpid()))).string();
  explicit File(const Bytes& bytes) {
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(bytes.data()),
                                                std::streamsize(bytes.size()));
  }
  ~File() { std::filesystem::remove(path); }
};

void le32(Bytes& to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i)
    to.push_back(std::uint8_t(value >> 8 * i));
}
void le16(Bytes& to, unsigned value) {
  to.push_back(std::uint8_t(value));
  to.push_back(std::uint8_t(value >> 8));
}

/// Classic pcap with microseconds, as libpcap writes it on a little-endian machine.
Bytes pcap(int frames, std::uint32_t link = 101) {
  Bytes bytes;
  le32(bytes, 0xa1b2c3d4);
  le16(bytes, 2);
  le16(bytes, 4);
  le32(bytes, 0);
  le32(bytes, 0);
  le32(bytes, 65'535);
  le32(bytes, link);
  for (int i = 0; i < frames; ++i) {
    auto packet = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1'000, 2'000, Bytes(10)));
    le32(bytes, 1'800'000'000U + std::uint32_t(i));
    le32(bytes, 250'000);
    le32(bytes, std::uint32_t(packet.size()));
    le32(bytes, std::uint32_t(packet.size()));
    append(bytes, packet);
  }
  return bytes;
}

/// pcapng: section header, one interface with nanoseconds, one enhanced packet.
Bytes pcapng() {
  Bytes bytes;
  le32(bytes, 0x0a0d0d0a);
  le32(bytes, 28);
  le32(bytes, 0x1a2b3c4d);
  le16(bytes, 1);
  le16(bytes, 0);
  le32(bytes, 0xffffffff);
  le32(bytes, 0xffffffff);
  le32(bytes, 28);
  le32(bytes, 1);
  le32(bytes, 32);
  le16(bytes, 101);
  le16(bytes, 0);
  le32(bytes, 0);
  le16(bytes, 9);
  le16(bytes, 1);
  append(bytes, {9, 0, 0, 0});
  le32(bytes, 0);
  le32(bytes, 32);
  auto packet = ipv4("10.0.0.1", "10.0.0.2", 17, udp(1'000, 2'000, Bytes(12)));
  auto length = std::uint32_t(32 + packet.size());
  std::uint64_t at = 1'800'000'000ULL * 1'000'000'000ULL + 123'456'789ULL;
  le32(bytes, 6);
  le32(bytes, length);
  le32(bytes, 0);
  le32(bytes, std::uint32_t(at >> 32));
  le32(bytes, std::uint32_t(at));
  le32(bytes, std::uint32_t(packet.size()));
  le32(bytes, std::uint32_t(packet.size()));
  append(bytes, packet);
  le32(bytes, length);
  return bytes;
}

} // namespace

TEST_CASE("a pcap file is read to its end") {
  File file{pcap(3)};
  auto capture = CaptureFile::open(file.path);
  REQUIRE(capture);
  CapturedFrame frame;
  int frames = 0;
  while ((*capture)->next(frame))
    ++frames;
  CHECK(frames == 3);
  CHECK(frame.at == 1'800'000'002LL * second + 250 * millisecond);
  CHECK((*capture)->trouble().empty());
}

TEST_CASE("pcapng keeps its nanoseconds") {
  File file{pcapng()};
  auto capture = CaptureFile::open(file.path);
  REQUIRE(capture);
  CapturedFrame frame;
  REQUIRE((*capture)->next(frame));
  CHECK(frame.at == 1'800'000'000LL * second + 123'456'789);
  CHECK_FALSE((*capture)->next(frame));
}

TEST_CASE("a cut capture gives what comes before the cut and one line about it") {
  auto bytes = pcap(3);
  bytes.resize(bytes.size() - 7);
  File file{bytes};
  auto capture = CaptureFile::open(file.path);
  REQUIRE(capture);
  CapturedFrame frame;
  int frames = 0;
  while ((*capture)->next(frame))
    ++frames;
  CHECK(frames == 2);
  CHECK((*capture)->trouble().find("behind packet 2") != std::string::npos);
  CHECK((*capture)->trouble().find('\n') == std::string::npos);
}

TEST_CASE("a capture of the other byte order, with nanoseconds") {
  auto bytes = pcap(1);
  auto swap = [&](std::size_t at, std::size_t size) {
    std::reverse(bytes.begin() + long(at), bytes.begin() + long(at + size));
  };
  bytes[1] = 0x3c;
  bytes[0] = 0x4d; // nanoseconds
  for (std::size_t at : {0, 8, 12, 16, 20, 24, 28, 32, 36})
    swap(at, 4);
  swap(4, 2);
  swap(6, 2);
  File file{bytes};
  auto capture = CaptureFile::open(file.path);
  REQUIRE(capture);
  CapturedFrame frame;
  REQUIRE((*capture)->next(frame));
  CHECK(frame.at == 1'800'000'000LL * second + 250'000);
  CHECK(frame.bytes.size() == 38);
  CHECK_FALSE((*capture)->next(frame));
  CHECK((*capture)->trouble().empty());
}

TEST_CASE("captures longer than a block come out whole") {
  auto bytes = pcap(40'000);
  File file{bytes};
  auto capture = CaptureFile::open(file.path);
  REQUIRE(capture);
  CapturedFrame frame;
  int frames = 0;
  bool whole = true;
  while ((*capture)->next(frame)) {
    whole = whole && frame.bytes.size() == 38 && frame.bytes[0] == 0x45 &&
            frame.at == (1'800'000'000LL + frames) * second + 250 * millisecond;
    ++frames;
  }
  CHECK(whole);
  CHECK(frames == 40'000);
}

TEST_CASE("a length that cannot be is the end, not a crash") {
  auto bytes = pcap(2);
  auto second_record = bytes.begin() + 24 + 16 + 38;
  for (int i = 8; i < 12; ++i)
    second_record[i] = 0xff;
  File file{bytes};
  auto capture = CaptureFile::open(file.path);
  REQUIRE(capture);
  CapturedFrame frame;
  CHECK((*capture)->next(frame));
  CHECK_FALSE((*capture)->next(frame));
  CHECK((*capture)->trouble().find("behind packet 1") != std::string::npos);
}

TEST_CASE("what is no capture is refused with a line that says so") {
  File file{Bytes{'h', 'e', 'l', 'l', 'o', ' ', 'w', 'o', 'r', 'l', 'd', '!', 0,
                  0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0}};
  auto capture = CaptureFile::open(file.path);
  REQUIRE_FALSE(capture);
  CHECK(capture.error().code == Errc::corrupt);
  CHECK(CaptureFile::open("/nonexistent/file.pcap").error().code == Errc::not_found);
  File usb{pcap(1, 220)};
  auto foreign = CaptureFile::open(usb.path);
  REQUIRE_FALSE(foreign);
  CHECK(foreign.error().code == Errc::invalid);
}

namespace {

/// A message about a.de, an answer with one address.
Bytes dns(std::uint8_t id, bool answer) {
  Bytes bytes{0,
              id,
              std::uint8_t(answer ? 0x81 : 0x01),
              std::uint8_t(answer ? 0x80 : 0),
              0,
              1,
              0,
              answer,
              0,
              0,
              0,
              0,
              1,
              'a',
              2,
              'd',
              'e',
              0,
              0,
              1,
              0,
              1};
  if (answer) append(bytes, {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 203, 0, 113, 9});
  return bytes;
}

struct Listener {
  PacketPipeline pipeline{{}};
  Timestamp now = 1'800'000'000LL * second;
  void see(const char* from, const char* to, std::uint16_t sport, std::uint16_t dport, const Bytes& content) {
    auto packet = ipv4(from, to, 17, udp(sport, dport, content));
    pipeline.packet(link_type::raw, packet, std::uint32_t(packet.size()), now += millisecond);
  }
  std::size_t answers() { return pipeline.harvest().answers.size(); }
};

} // namespace

TEST_CASE("the pipeline gives names from DNS answers and counts what it cannot decode") {
  Listener on;
  on.see("10.0.0.1", "10.0.0.53", 40'000, 53, dns(1, false));
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(1, true));
  on.pipeline.packet(link_type::raw, Bytes{0x10}, 1, on.now);
  REQUIRE(on.answers() == 1);
  const auto& seen = on.pipeline.harvest().answers[0];
  CHECK(seen.answer.name == "a.de");
  CHECK(to_string(seen.client) == "10.0.0.1");
  CHECK(to_string(seen.server) == "10.0.0.53");
  CHECK(to_string(seen.answer.addresses.at(0)) == "203.0.113.9");
  CHECK(on.pipeline.stats().malformed == 1);
}

TEST_CASE("a pipeline that sheds content reads no commands, until it may again, and names all the time") {
  Listener on;
  const Bytes who_is{0x81, 0x0b, 0, 8, 1, 0, 0x10, 8};
  on.pipeline.shed(Shedding::content);
  on.see("10.0.0.1", "10.0.0.53", 40'000, 53, dns(1, false));
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(1, true));
  on.see("10.0.0.1", "10.0.0.21", 40'000, 47'808, who_is);
  CHECK(on.answers() == 1);
  CHECK(on.pipeline.harvest().commands.empty());
  CHECK(on.pipeline.stats().flows.flows == 2);
  on.pipeline.shed(Shedding::labels);
  on.see("10.0.0.1", "10.0.0.21", 40'000, 47'808, who_is);
  CHECK(on.pipeline.harvest().commands.size() == 1);
}

TEST_CASE("regression: one forged segment without a conversation was a command") {
  PacketPipeline pipeline{{}};
  const auto send = [&](bool out, std::uint8_t flags, const Bytes& payload) {
    auto segment = out ? tcp(40'000, 502, flags) : tcp(502, 40'000, flags);
    append(segment, payload);
    const auto packet =
        out ? ipv4("10.0.0.1", "10.0.0.30", 6, segment) : ipv4("10.0.0.30", "10.0.0.1", 6, segment);
    pipeline.packet(link_type::raw, packet, std::uint32_t(packet.size()), 1'800'000'000 * second);
  };
  const Bytes write{0, 1, 0, 0, 0, 6, 1, 6, 0, 0, 0, 7};
  send(true, tcp_flag::ack, write);
  CHECK(pipeline.harvest().commands.empty());
  send(false, tcp_flag::ack, write); // the device answers: they talk
  send(true, tcp_flag::ack, write);
  CHECK(pipeline.harvest().commands.size() == 1);
}

TEST_CASE("an answer that nobody asked for names nothing") {
  Listener on;
  on.see("10.0.0.2", "10.0.0.1", 53, 40'000, dns(1, true)); // a service that lies to its sibling
  CHECK(on.answers() == 0);
  on.see("10.0.0.1", "10.0.0.53", 40'000, 53, dns(1, false));
  on.see("10.0.0.2", "10.0.0.1", 53, 40'000, dns(1, true));  // not who was asked
  on.see("10.0.0.53", "10.0.0.3", 53, 40'000, dns(1, true)); // not who asked
  on.see("10.0.0.53", "10.0.0.1", 53, 40'001, dns(1, true));
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(2, true)); // another number
  CHECK(on.answers() == 0);
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(1, true));
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(1, true)); // once is enough
  CHECK(on.answers() == 1);
  CHECK(on.pipeline.stats().names.unasked == 6);
  on.see("10.0.0.1", "10.0.0.53", 40'000, 53, dns(3, false));
  on.now += 11 * second;
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(3, true));
  CHECK(on.answers() == 1);
}

TEST_CASE("queries without an answer take no more than their place") {
  Listener on;
  for (std::uint32_t i = 0; i < 20'000; ++i)
    on.see("10.0.0.9", "10.0.0.53", std::uint16_t(i), 53, dns(std::uint8_t(i >> 8), false));
  CHECK(on.pipeline.stats().names.evicted > 10'000);
  on.see("10.0.0.1", "10.0.0.53", 40'000, 53, dns(1, false));
  on.see("10.0.0.53", "10.0.0.1", 53, 40'000, dns(1, true));
  CHECK(on.answers() == 1);
}

TEST_CASE("names of TLS hellos, DHCP requests and mDNS answers come out of the packets") {
  PacketPipeline pipeline{{}};
  PacketHarvest harvest;
  Timestamp at = 1'800'000'000 * second;
  auto send = [&](const Bytes& frame) {
    pipeline.packet(link_type::ethernet, frame, std::uint32_t(frame.size()), at += millisecond);
  };
  auto segment = [&](bool outward, std::uint8_t flags, const Bytes& payload = {}) {
    auto bytes = outward ? tcp(40'000, 443, flags) : tcp(443, 40'000, flags);
    append(bytes, payload);
    send(ethernet(0x0800, outward ? ipv4("10.77.0.33", "203.0.113.9", 6, bytes)
                                  : ipv4("203.0.113.9", "10.77.0.33", 6, bytes)));
  };
  send(dhcp_request("hue-bridge", "10.77.0.33"));
  send(mdns_answer("10.77.0.34", "lamp", "10.77.0.34"));
  segment(true, tcp_flag::syn);
  segment(false, tcp_flag::syn | tcp_flag::ack);
  segment(true, tcp_flag::ack);
  segment(true, tcp_flag::ack, client_hello("mirror.example"));
  pipeline.take(harvest);
  REQUIRE(harvest.devices.size() == 2);
  CHECK(harvest.devices[0].name == "hue-bridge");
  CHECK(harvest.devices[1].name == "lamp");
  auto named = std::find_if(harvest.flows.begin(), harvest.flows.end(),
                            [](const Flow& flow) { return flow.dport == 443; });
  REQUIRE(named != harvest.flows.end());
  REQUIRE(named->server_name);
  CHECK(*named->server_name == "mirror.example");
  CHECK(pipeline.stats().server_names == 1);
  for (int i = 0; i < 1'000; ++i)
    send(mdns_answer("10.77.0.34", "lamp", "10.77.0.34"));
  CHECK(pipeline.harvest().devices.size() == 256);
  CHECK(pipeline.stats().devices_dropped == 744);
}
