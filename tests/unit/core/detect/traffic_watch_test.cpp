#include "core/detect/traffic_watch.hpp"

#include "core/net/flow_table.hpp"
#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cstdlib>
#include <new>

using namespace iris;
using namespace iris::frames;

namespace {

constexpr Timestamp begin = 1'800'000'000 * second;
constexpr auto SYN = tcp_flag::syn;
constexpr auto ACK = tcp_flag::ack;
constexpr auto FIN = tcp_flag::fin;

/// Flow table and watch together, as they are in a packet source.
struct Wire {
  TrafficWatch watch;
  FlowTable table{{}, &watch};
  std::vector<Flow> flows;
  std::vector<TrafficAlarm> alarms;
  Timestamp now = begin;

  explicit Wire(const TrafficLimits& limits = {}) : watch{limits} {}
  void pass(Duration span) {
    now += span;
    table.advance(now, flows);
    watch.advance(now);
    watch.take(alarms);
  }
  void ip(const Bytes& bytes) {
    PacketView view;
    pass(0);
    REQUIRE(frames::decode(link_type::raw, bytes, view) == Decoded::ip);
    table.add(view, now, flows);
    if (view.dport == 67) watch.dhcp(view, now);
    watch.take(alarms);
  }
  void who_has(const std::string& sender, const std::string& target) {
    PacketView view;
    pass(0);
    REQUIRE(frames::decode(link_type::ethernet, ethernet(0x0806, frames::arp(sender, target)), view) ==
            Decoded::arp);
    watch.arp(view, now);
  }
  void is_at(const std::string& sender, const std::string& asker) {
    PacketView view;
    pass(0);
    REQUIRE(frames::decode(link_type::ethernet, ethernet(0x0806, frames::arp(sender, asker, 2)), view) ==
            Decoded::arp);
    watch.arp(view, now);
  }
  void syn(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport) {
    ip(ipv4(src, dst, 6, tcp(sport, dport, SYN)));
  }
  /// A whole short connection with a request and an answer.
  void talk(const std::string& src, std::uint16_t sport, const std::string& dst, std::uint16_t dport,
            std::size_t content = 100) {
    syn(src, sport, dst, dport);
    ip(ipv4(dst, src, 6, tcp(dport, sport, SYN | ACK)));
    ip(ipv4(src, dst, 6, tcp(sport, dport, ACK, content)));
    ip(ipv4(dst, src, 6, tcp(dport, sport, ACK, content)));
    ip(ipv4(src, dst, 6, tcp(sport, dport, FIN | ACK)));
    ip(ipv4(dst, src, 6, tcp(dport, sport, FIN | ACK)));
  }
  /// Lets everything time out.
  void rest() {
    for (int i = 0; i < 200; ++i)
      pass(second / 2);
  }
  /// Alarms that have started, as "kind stage" in order.
  std::vector<std::string> told() {
    static constexpr const char* names[]{"start", "progress", "end"};
    std::vector<std::string> texts;
    for (const auto& alarm : alarms)
      texts.push_back(std::string{to_string(alarm.kind)} + " " + names[int(alarm.stage)]);
    return texts;
  }
};

std::string host(int i) { return "10.1." + std::to_string(i / 200) + "." + std::to_string(1 + i % 200); }
using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("a vertical scan is one alarm with a start and an end") {
  Wire wire;
  for (int port = 1; port <= 1'000; ++port) {
    wire.syn("10.0.0.1", 50'000, "10.0.0.2", std::uint16_t(port));
    wire.pass(5 * millisecond);
  }
  wire.rest();
  CHECK(wire.told() == Texts{"port-scan start", "port-scan end"});
  const auto& end = wire.alarms.back();
  CHECK(end.distinct == Approx(1'000).epsilon(0.1));
  CHECK(end.tries == 1'000);
  CHECK(end.packets == 1'000);
  CHECK(wire.alarms[0].fresh + end.fresh == 1'000);
  CHECK(end.samples.size() == Finding::evidence_limit);
  CHECK(wire.alarms[0].first == begin);
  CHECK(wire.flows.size() < 30); // the others are counted, not reported
  CHECK(wire.table.stats().hushed > 900);
}

TEST_CASE("regression: a scan in fragments of eight bytes is told") {
  Wire wire;
  for (int port = 1; port <= 60; ++port) {
    auto segment = tcp(50'000, std::uint16_t(port), SYN);
    for (std::size_t at = 0; at < segment.size(); at += 8) {
      auto end = std::min(at + 8, segment.size());
      wire.ip(ipv4("10.0.0.1", "10.0.0.2", 6, Bytes(segment.begin() + long(at), segment.begin() + long(end)),
                   unsigned(port), (end < segment.size() ? 0x2000U : 0U) | unsigned(at / 8)));
    }
    wire.pass(5 * millisecond);
  }
  wire.rest();
  CHECK(wire.told() == Texts{"port-scan start", "port-scan end"});
  CHECK(wire.alarms.back().distinct == Approx(60).epsilon(0.1));
}

TEST_CASE("a scan through refusals is told before a second is over") {
  Wire wire;
  for (int port = 1; port <= 20; ++port) {
    wire.syn("10.0.0.1", 50'000, "10.0.0.2", std::uint16_t(port));
    wire.ip(ipv4("10.0.0.2", "10.0.0.1", 6, tcp(std::uint16_t(port), 50'000, tcp_flag::rst | ACK)));
  }
  CHECK(wire.told() == Texts{"port-scan start"});
}

TEST_CASE("many answered ports of one host are no scan") {
  Wire wire;
  for (int i = 0; i < 200; ++i) {
    wire.talk("10.0.0.1", std::uint16_t(40'000 + i), "10.0.0.2", std::uint16_t(5'000 + i));
    wire.pass(50 * millisecond);
  }
  wire.rest();
  CHECK(wire.told().empty());
}

TEST_CASE("a horizontal sweep by connections without content") {
  Wire wire;
  for (int i = 0; i < 40; ++i) {
    wire.talk("10.0.0.1", 50'000, host(i), 502, 0);
    wire.pass(20 * millisecond);
  }
  wire.rest();
  CHECK(wire.told() == Texts{"host-sweep start", "host-sweep end"});
  CHECK(wire.alarms[0].port == 502);
}

TEST_CASE("who scans many ports of many hosts makes three alarms at most, not one a host") {
  Wire wire;
  for (int i = 0; i < 100; ++i)
    for (int port = 1; port <= 50; ++port) {
      wire.syn("10.0.0.1", 50'000, host(i), std::uint16_t(port));
      wire.pass(millisecond);
    }
  wire.rest();
  CHECK(wire.watch.stats().alarms <= 3);
  CHECK(wire.alarms.size() <= 9);
  CHECK(wire.flows.size() < 400);
}

TEST_CASE("a ping sweep is told even when all answer; pinging a few for ever is not") {
  Wire wire;
  for (int i = 0; i < 1'000; ++i) {
    wire.ip(ipv4("10.0.0.1", host(i % 8), 1, icmp(8, 0)));
    wire.ip(ipv4(host(i % 8), "10.0.0.1", 1, icmp(0, 0)));
    wire.pass(second);
  }
  CHECK(wire.told().empty());
  for (int i = 0; i < 20; ++i) {
    wire.ip(ipv4("10.0.0.1", host(i), 1, icmp(8, 0)));
    wire.ip(ipv4(host(i), "10.0.0.1", 1, icmp(0, 0)));
    wire.pass(second);
  }
  CHECK(wire.told() == Texts{"ping-sweep start"});
}

TEST_CASE("an ARP sweep is told, ONVIF discovery over a /24 with its ARP is not") {
  Wire wire;
  for (int i = 0; i < 254; ++i)
    wire.who_has("10.0.0.1", host(i));
  wire.pass(second);
  CHECK(wire.told() == Texts{"arp-sweep start"});

  Wire discovery;
  for (int i = 0; i < 254; ++i) {
    discovery.who_has("10.0.0.1", host(i));
    if (i % 50 == 0) {
      discovery.is_at(host(i), "10.0.0.1");
      discovery.ip(ipv4("10.0.0.1", host(i), 17, udp(48'000, 3'702, Bytes(600))));
    }
  }
  discovery.rest();
  for (int i = 0; i < 254; ++i)
    discovery.ip(ipv4("172.18.0.9", host(i), 17, udp(48'000, 3'702, Bytes(600))));
  discovery.rest();
  CHECK(discovery.told().empty());
}

TEST_CASE("regression: one packet to port 3702 does not switch off the ARP sweep") {
  for (bool answers : {false, true}) {
    Wire wire;
    wire.who_has("10.0.0.1", host(0));
    wire.ip(ipv4("10.0.0.1", host(0), 17, udp(48'000, 3'702, Bytes(600))));
    wire.pass(second);
    for (int i = 0; i < 254; ++i) {
      wire.who_has("10.0.0.1", host(i));
      if (answers && i % 10 == 0) wire.is_at(host(i), "10.0.0.1");
      wire.pass(10 * millisecond);
    }
    wire.rest();
    CHECK(wire.told() == Texts{"arp-sweep start", "arp-sweep end"});
  }
}

TEST_CASE("ONVIF discovery is no ARP sweep, however the ticks fall and however often it comes") {
  Wire wire;
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 254; ++i) {
      wire.who_has("10.0.0.1", host(i));
      wire.pass(2 * millisecond);
      if (i % 9 != 0) continue;
      wire.is_at(host(i), "10.0.0.1");
      wire.ip(ipv4("10.0.0.1", host(i), 17, udp(48'000, 3'702, Bytes(600))));
    }
    for (int i = 0; i < 700; ++i) {
      wire.who_has("10.0.0.1", host(i % 28 * 9));
      wire.is_at(host(i % 28 * 9), "10.0.0.1");
      wire.pass(second);
    }
  }
  CHECK(wire.told().empty());
}

TEST_CASE("a SYN flood from one source: one alarm, progress ever more seldom, then the end") {
  Wire wire;
  for (int i = 0; i < 35'000; ++i) {
    wire.syn("10.0.0.66", std::uint16_t(1'024 + i % 60'000), "10.0.0.2", 80);
    wire.pass(millisecond);
  }
  wire.rest();
  CHECK(wire.told() == Texts{"flood start", "flood progress", "flood progress", "flood end"});
  std::uint64_t fresh = 0;
  for (const auto& alarm : wire.alarms)
    fresh += alarm.fresh;
  CHECK(fresh == 35'000);
  CHECK(wire.alarms.back().port == 80);
  CHECK(wire.alarms.back().tries == 35'000);
  CHECK(wire.flows.size() < 300);
}

TEST_CASE("a scan and then a flood of the same host are two alarms") {
  Wire wire;
  for (int port = 1; port <= 100; ++port)
    wire.syn("10.0.0.66", 50'000, "10.0.0.2", std::uint16_t(port));
  wire.pass(2 * second);
  for (int i = 0; i < 2'000; ++i) {
    wire.syn("10.0.0.66", std::uint16_t(1'024 + i), "10.0.0.2", 8'080);
    wire.pass(millisecond);
  }
  wire.pass(2 * second);
  CHECK(wire.told() == Texts{"port-scan start", "flood start"});
}

TEST_CASE("a flood with forged sources is one alarm about its victim") {
  Wire wire;
  for (std::uint32_t i = 0; i < 30'000; ++i) {
    auto source = to_string(IpAddress::v4(0x0b000000U + i * 7919U));
    wire.syn(source, std::uint16_t(1'024 + i % 60'000), "10.0.0.2", 48'082);
    if (i % 10 == 0) wire.pass(millisecond);
  }
  wire.rest();
  REQUIRE(wire.told() == Texts{"distributed-flood start", "distributed-flood end"});
  CHECK(wire.alarms.back().distinct == Approx(30'000).epsilon(0.15));
  CHECK(wire.alarms.back().src == IpAddress{});
  CHECK(to_string(wire.alarms.back().dst) == "10.0.0.2");
  CHECK(wire.flows.size() < 400);

  Party victim;
  victim.kind = EntityKind::service;
  victim.name = "edgex-core-command";
  auto finding = finding_of(wire.alarms.back(), {}, victim);
  CHECK(finding.entity.name == "edgex-core-command");
  CHECK(finding.peer.kind == EntityKind::unknown);
  CHECK(finding.detector == "network.flood");
  CHECK(finding.act.find("is being flooded on TCP port 48082 by about") == 0);
}

TEST_CASE("regression: a forged flood over random ports is one alarm about its victim") {
  for (bool udp_too : {false, true}) {
    Wire wire;
    for (std::uint32_t i = 0; i < 20'000; ++i) {
      auto source = to_string(IpAddress::v4(0x0b000000U + i * 7919U));
      auto port = std::uint16_t(1 + i * 104'729U % 65'535U);
      if (udp_too && i % 2 == 0)
        wire.ip(ipv4(source, "10.0.0.2", 17, udp(std::uint16_t(1'024 + i), port, Bytes(20))));
      else
        wire.syn(source, std::uint16_t(1'024 + i % 60'000), "10.0.0.2", port);
      if (i % 10 == 0) wire.pass(millisecond);
    }
    wire.rest();
    REQUIRE(wire.told() == Texts{"distributed-flood start", "distributed-flood end"});
    CHECK(wire.alarms.back().distinct == Approx(20'000).epsilon(0.15));
    CHECK(to_string(wire.alarms.back().dst) == "10.0.0.2");
    CHECK(wire.alarms.back().port == 0);
    CHECK(finding_of(wire.alarms[0], {}, {}).act.find("is being flooded on many ports by") == 0);
    CHECK(wire.flows.size() < 1'000);
  }
}

TEST_CASE("regression: a forged flood over a whole network leaves room for other alarms") {
  Wire wire;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    auto source = to_string(IpAddress::v4(0x0b000000U + i * 7919U));
    auto target = to_string(IpAddress::v4(0x0a000100U + i % 100));
    wire.ip(ipv4(source, target, 17,
                 udp(std::uint16_t(1'024 + i), std::uint16_t(1 + i * 31U % 65'535), Bytes(9))));
    if (i % 25 == 0) wire.pass(millisecond);
  }
  for (int port = 1; port <= 20; ++port)
    wire.syn("10.0.0.1", 50'000, "10.0.0.2", std::uint16_t(port));
  wire.pass(2 * second);
  auto started = [&](TrafficKind kind) {
    return std::count_if(wire.alarms.begin(), wire.alarms.end(), [&](const TrafficAlarm& alarm) {
      return alarm.kind == kind && alarm.stage == AlarmStage::start;
    });
  };
  CHECK(started(TrafficKind::distributed_flood) == 9);
  CHECK(started(TrafficKind::port_scan) == 1);
  CHECK(wire.watch.stats().suppressed == 0);
  wire.rest();
  auto last = std::find_if(wire.alarms.rbegin(), wire.alarms.rend(), [](const TrafficAlarm& alarm) {
    return alarm.kind == TrafficKind::distributed_flood && alarm.dst == IpAddress{};
  });
  REQUIRE(last != wire.alarms.rend());
  CHECK(last->stage == AlarmStage::end);
  CHECK(last->distinct == Approx(92).epsilon(0.1));
  auto finding = finding_of(*last, {}, {});
  CHECK(finding.entity.name == "the network");
  CHECK(finding.act.find("is being flooded at about") == 0);
  CHECK(wire.flows.size() < 100'000);
}

TEST_CASE("packet floods: UDP in one flow, UDP over random ports, ICMP") {
  SECTION("one flow") {
    Wire wire;
    for (int i = 0; i < 5'000; ++i) {
      wire.ip(ipv4("10.0.0.66", "10.0.0.2", 17, udp(50'000, 161, Bytes(40))));
      wire.pass(millisecond / 2);
    }
    wire.rest();
    CHECK(wire.told() == Texts{"flood start", "flood end"});
    CHECK(wire.alarms.back().packets > 4'500);
  }
  SECTION("random source ports") {
    Wire wire;
    for (int i = 0; i < 5'000; ++i) {
      wire.ip(ipv4("10.0.0.66", "10.0.0.2", 17, udp(std::uint16_t(1'024 + i * 7), 161, Bytes(40))));
      wire.pass(millisecond / 2);
    }
    wire.rest();
    CHECK(wire.told() == Texts{"flood start", "flood end"});
  }
  SECTION("ICMP, answered") {
    Wire wire;
    for (int i = 0; i < 3'000; ++i) {
      wire.ip(ipv4("10.0.0.66", "10.0.0.2", 1, icmp(8, 0)));
      wire.ip(ipv4("10.0.0.2", "10.0.0.66", 1, icmp(0, 0)));
      wire.pass(millisecond);
    }
    wire.rest();
    CHECK(wire.told() == Texts{"flood start", "flood end"});
    CHECK(to_string(wire.alarms[0].src) == "10.0.0.66");
  }
}

TEST_CASE("what is healthy raises nothing") {
  Wire wire;
  SECTION("a busy service whose connections complete") {
    for (int i = 0; i < 5'000; ++i) {
      wire.talk("10.0.0.1", std::uint16_t(1'024 + i), "10.0.0.2", 48'080);
      wire.pass(millisecond);
    }
  }
  SECTION("a registry that polls its services every 10 s, one of them down") {
    for (int round = 0; round < 30; ++round) {
      for (int i = 0; i < 15; ++i) {
        wire.talk("172.18.0.2", std::uint16_t(20'000 + round * 20 + i), "172.18.0." + std::to_string(10 + i),
                  std::uint16_t(48'060 + i));
      }
      wire.syn("172.18.0.2", std::uint16_t(30'000 + round), "172.18.0.99", 48'099);
      wire.pass(10 * second);
    }
  }
  SECTION("fifteen clients of a dead service that try again each second") {
    for (int round = 0; round < 60; ++round)
      for (int i = 0; i < 15; ++i) {
        auto source = "172.18.0." + std::to_string(10 + i);
        auto sport = std::uint16_t(1'024 + round * 15 + i);
        wire.syn(source, sport, "172.18.0.2", 27'017);
        wire.ip(ipv4("172.18.0.2", source, 6, tcp(27'017, sport, tcp_flag::rst | ACK)));
        wire.pass(second / 15);
      }
  }
  SECTION("ACKs of unknown connections") {
    for (int i = 0; i < 20; ++i) {
      wire.ip(ipv4("203.0.113.9", "198.51.100.7", 6,
                   tcp(std::uint16_t(40'000 + i), std::uint16_t(3'000 + i), ACK)));
      wire.pass(second);
    }
  }
  SECTION("BACnet Who-Is broadcasts") {
    for (int i = 0; i < 500; ++i) {
      wire.ip(ipv4("10.0.0.21", "10.0.0.255", 17, udp(47'808, 47'808, Bytes(12))));
      wire.pass(100 * millisecond);
    }
  }
  SECTION("a camera's stream of 2,000 large packets a second") {
    for (int i = 0; i < 10'000; ++i) {
      wire.ip(ipv4("10.0.0.40", "10.0.0.2", 17, udp(6'970, 40'000, Bytes(1'200))));
      wire.pass(second / 2'000);
    }
  }
  SECTION("traceroute") {
    for (int i = 0; i < 90; ++i) {
      wire.ip(ipv4("10.0.0.1", "198.51.100.7", 17, udp(40'000, std::uint16_t(33'434 + i), Bytes(32))));
      wire.pass(50 * millisecond);
    }
  }
  wire.rest();
  CHECK(wire.told().empty());
}

TEST_CASE("DHCP requests that drain the pool, by one sender and by many") {
  auto request = [](std::uint8_t client) {
    Bytes payload(240);
    payload[28] = client;
    return ethernet(0x0800, ipv4("0.0.0.0", "255.255.255.255", 17, udp(68, 67, payload)));
  };
  Wire wire;
  auto send = [&](Bytes frame, std::uint8_t mac) {
    frame[11] = mac;
    PacketView view;
    REQUIRE(frames::decode(link_type::ethernet, frame, view) == Decoded::ip);
    wire.watch.dhcp(view, wire.now);
    wire.pass(10 * millisecond);
  };
  SECTION("one") {
    for (int i = 0; i < 250; ++i)
      send(request(std::uint8_t(i)), 7);
    REQUIRE(wire.told() == Texts{"dhcp-flood start"});
    auto finding = finding_of(wire.alarms[0], {}, {});
    CHECK(finding.entity.name == "02:00:00:00:00:07");
    CHECK(finding.detector == "network.flood");
  }
  SECTION("many") {
    for (int i = 0; i < 250; ++i)
      send(request(std::uint8_t(i)), std::uint8_t(i));
    REQUIRE(wire.told() == Texts{"dhcp-flood start"});
    CHECK(wire.alarms[0].mac == MacAddress{});
  }
  SECTION("a site that wakes up") {
    for (int i = 0; i < 80; ++i)
      send(request(std::uint8_t(i)), std::uint8_t(i));
    CHECK(wire.told().empty());
  }
}

TEST_CASE("the same alarm has the same cause, and reads as a sentence") {
  Wire wire;
  for (int i = 0; i < 3'000; ++i) {
    wire.syn("10.0.0.66", std::uint16_t(1'024 + i), "10.0.0.2", 48'082);
    wire.pass(millisecond);
  }
  wire.rest();
  REQUIRE(wire.alarms.size() == 2);
  Party tower;
  tower.kind = EntityKind::device;
  tower.name = "patlite-tower";
  Party gateway;
  gateway.kind = EntityKind::gateway;
  auto first = finding_of(wire.alarms[0], tower, gateway);
  auto last = finding_of(wire.alarms[1], tower, gateway);
  CHECK(first.cause == "flood 10.0.0.66 > 10.0.0.2 48082/6");
  CHECK(first.cause == last.cause);
  CHECK(first.entity.name == "patlite-tower");
  CHECK(first.peer.kind == EntityKind::gateway);
  CHECK(first.peer.port == 48'082);
  CHECK(first.act == "floods {peer} on TCP port 48082");
  CHECK(first.attack == Texts{"T1498", "T0814"});
  CHECK(first.count + last.count == 3'000);
  CHECK(last.observed.find("3,000 packets") != std::string::npos);
  CHECK(last.score > first.score);
}

TEST_CASE("more suspects than there is room for neither grow nor hide a later scan") {
  Wire wire;
  for (std::uint32_t i = 0; i < 60'000; ++i) {
    auto source = to_string(IpAddress::v4(0x0b000000U + i));
    wire.syn(source, 1'024, to_string(IpAddress::v4(0x0c000000U + i * 31U)), 80);
    if (i % 20 == 0) wire.pass(millisecond);
  }
  wire.pass(2 * second);
  CHECK(wire.watch.stats().evicted > 10'000);
  for (int port = 1; port <= 20; ++port)
    wire.syn("10.0.0.1", 50'000, "10.0.0.2", std::uint16_t(port));
  wire.pass(2 * second);
  CHECK(wire.told() == Texts{"port-scan start"});
}
