#include "node/replay/replay.hpp"

#include "tests/captures/gateway_traffic.hpp"
#include "tests/captures/pcap_writer.hpp"
#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace iris;

namespace {

/// Real captures lie beside the source tree and are not part of it.
std::string captures() {
  if (const auto* given = std::getenv("IRIS_CAPTURES")) return given;
  return IRIS_SOURCE_DIR "/../shared/data/captures";
}

bool have(const std::string& name) {
  if (std::filesystem::exists(captures() + "/" + name)) return true;
  WARN("skipped: no " << name << " in " << captures() << " (set IRIS_CAPTURES to a folder that has it)");
  return false;
}

std::vector<Alert> run(const std::string& name, ReplayStats& stats) {
  ReplayOptions options;
  options.captures = {captures() + "/" + name};
  std::vector<std::string> notes;
  auto alerts = replay(options, stats, [&](const std::string& line) { notes.push_back(line); });
  REQUIRE(alerts);
  CHECK(notes.empty());
  return *alerts;
}

/// Scan and flood alerts of a capture.
std::vector<Alert> traffic_alerts(const std::string& name) {
  ReplayStats stats;
  auto alerts = run(name, stats);
  std::erase_if(alerts, [](const Alert& alert) {
    return alert.finding.detector != "network.scan" && alert.finding.detector != "network.flood";
  });
  return alerts;
}

} // namespace

TEST_CASE("scans and floods of real captures: one alert each, not thousands") {
  struct Case {
    const char* capture;
    const char* detector;
    std::uint64_t least;
    const char* act;
  };
  for (const auto& expected :
       std::initializer_list<Case>{{"esnet_masscan_tcp_0_1000.pcap", "network.scan", 900, "probed about"},
                                   {"maltrail_port_scan.pcap", "network.scan", 20, "probed 20 TCP ports"},
                                   {"slips_test12-icmp-portscan.pcap", "network.scan", 18, "pinged 18 hosts"},
                                   {"stopddos_pkt.TCP.synflood.spoofed.pcap", "network.flood", 37'000,
                                    "is being flooded on TCP port 25565"},
                                   {"zeek_dhcp_flood.pcap", "network.flood", 200, "floods DHCP servers"}}) {
    INFO(expected.capture);
    if (!have(expected.capture)) continue;
    auto alerts = traffic_alerts(expected.capture);
    REQUIRE(alerts.size() == 1);
    const auto& finding = alerts[0].finding;
    CHECK(finding.detector == expected.detector);
    CHECK(finding.act.find(expected.act) == 0);
    CHECK(finding.count >= expected.least);
    CHECK(!finding.flows.empty());
    CHECK(finding.flows.size() <= Finding::evidence_limit);
    CHECK(!finding.expected.empty());
    CHECK(!finding.observed.empty());
    CHECK(!finding.attack.empty());
  }
}

TEST_CASE("healthy captures raise neither scan nor flood") {
  for (const char* capture :
       {"maltrail_ack_sweep_no_fp.pcap", "iotsentinel_HueBridge_Setup-A-1-STA.pcap",
        "iotsentinel_TP-LinkPlugHS110_Setup-A-1-STA.pcap", "iotsentinel_Withings_Setup-A-1-STA.pcap",
        "lemay_characterization_modbus_6RTU_with_operate.pcap", "lemay_moving_two_files_modbus_6RTU.pcap",
        "ndpi_bacnet.pcap", "ndpi_coap_mqtt.pcap", "ndpi_dns_exfiltration.pcap", "ndpi_modbus.pcap",
        "ndpi_mongo_false_positive.pcapng", "ndpi_mongodb.pcap", "ndpi_mqtt.pcap", "ndpi_snmp.pcap",
        "slips_cc-semiperiodic-2-3s.pcap", "zeek_5-pings.pcap", "zeek_redis-pubsub-resp3.pcap",
        "zeek_snmpwalk-short.pcap", "esnet_nmap_80_all.pcap"}) {
    INFO(capture);
    if (have(capture)) CHECK(traffic_alerts(capture).empty());
  }
}

TEST_CASE("the same capture gives the same alerts, byte for byte, in bounded memory") {
  const char* capture = "stopddos_pkt.TCP.synflood.spoofed.pcap";
  if (!have(capture)) return;
  ReplayStats first;
  ReplayStats second;
  auto one = run(capture, first);
  auto other = run(capture, second);
  REQUIRE(one.size() == other.size());
  for (std::size_t i = 0; i < one.size(); ++i)
    CHECK(to_json(one[i]) == to_json(other[i]));
  CHECK(first.packets == 37'841);
  CHECK(first.flows > 37'000);
  CHECK(first.observations < 1'000);
#ifndef __SANITIZE_ADDRESS__ // whose own memory would be measured
  CHECK(second.peak_rss_kib < 200 * 1'024);
#endif
}

namespace {

/// A minute of a gateway's life; at its end 172.18.0.12 opens a connection to a device that it never talked
/// to.
struct Life {
  std::string folder;
  std::string capture = folder + "/life.pcap", inventory = folder + "/names", list = folder + "/list";

  explicit Life(bool attack)
      : folder{
            (std::filesystem::temp_directory_path() / ("iris-replay-" + std::to_string(getpid()))).string() +
            (attack ? "-attack" : "-quiet")} {
    std::filesystem::create_directory(folder);
    std::ofstream{inventory}
        << "172.18.0.12 edgex-support-logging service\n10.77.0.99 kmc-thermostat device\n";
    std::ofstream{list} << "203.0.113.66\nnot an address\n";
    GatewayTraffic traffic;
    PcapWriter writer{capture};
    Timestamp last = 0;
    for (int i = 0; i < 200'000; ++i) {
      auto frame = traffic.next();
      writer.write(frame.bytes, last = frame.at);
    }
    if (attack) {
      talk(writer, "10.77.0.99", last + 20 * millisecond);
      talk(writer, "203.0.113.66", last + 40 * millisecond);
    }
    REQUIRE(writer.close());
  }
  ~Life() { std::filesystem::remove_all(folder); }

  static void talk(PcapWriter& writer, const char* peer, Timestamp at) {
    using namespace frames;
    constexpr const char* service = "172.18.0.12";
    auto out = [&](std::uint8_t flags, std::size_t content) {
      writer.write(ethernet(0x0800, ipv4(service, peer, 6, tcp(45'000, 8'443, flags, content))),
                   at += millisecond);
    };
    auto in = [&](std::uint8_t flags, std::size_t content) {
      writer.write(ethernet(0x0800, ipv4(peer, service, 6, tcp(8'443, 45'000, flags, content))),
                   at += millisecond);
    };
    out(tcp_flag::syn, 0);
    in(tcp_flag::syn | tcp_flag::ack, 0);
    out(tcp_flag::ack, 100);
    in(tcp_flag::ack, 50);
    out(tcp_flag::fin | tcp_flag::ack, 0);
    in(tcp_flag::fin | tcp_flag::ack, 0);
  }

  /// 172.18.0.12 looks NAME.example up, and is told an address.
  static void ask(PcapWriter& writer, const std::string& name, const IpAddress& is, Timestamp at) {
    using namespace frames;
    Bytes question{std::uint8_t(name.size())};
    append(question, Bytes(name.begin(), name.end()));
    append(question, {7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 1, 0, 1});
    Bytes query{0, 9, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0}, answer{0, 9, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0};
    append(query, question);
    append(answer, question);
    append(answer, {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4});
    append(answer, Bytes(is.bytes.begin() + 12, is.bytes.end()));
    writer.write(ethernet(0x0800, ipv4("172.18.0.12", "10.77.0.1", 17, udp(41'000, 53, query))), at);
    writer.write(ethernet(0x0800, ipv4("10.77.0.1", "172.18.0.12", 17, udp(53, 41'000, answer))),
                 at + millisecond);
  }

  [[nodiscard]] std::vector<Alert> alerts(double learn_until, bool with_list,
                                          std::vector<std::string>& notes) const {
    ReplayOptions options;
    options.captures = {capture};
    options.learn_until = learn_until;
    options.inventory = inventory;
    if (with_list) options.intel = list;
    ReplayStats stats;
    auto alerts = replay(options, stats, [&](const std::string& line) { notes.push_back(line); });
    REQUIRE(alerts);
    return *alerts;
  }
};

} // namespace

TEST_CASE("what was learned is quiet, what is new is told by name") {
  std::vector<std::string> notes;
  CHECK(Life{false}.alerts(40, false, notes).empty());
  auto alerts = Life{true}.alerts(40, false, notes);
  std::vector<std::string> titles;
  for (const auto& alert : alerts)
    titles.push_back(alert.finding.detector + ": " + title_of(alert));
  INFO(titles.size() << " alerts, the first: " << (titles.empty() ? "" : titles[0]));
  REQUIRE(alerts.size() == 2);
  CHECK(alerts[0].finding.detector == "network.lateral");
  CHECK(alerts[0].finding.entity.name == "edgex-support-logging");
  CHECK(alerts[0].finding.peer.name == "kmc-thermostat");
  CHECK(alerts[1].finding.detector == "network.destination");
  CHECK(notes.empty());
}

TEST_CASE("a name is learned, and another one is told by the lookup and the call in one alert") {
  Life life{false};
  auto ours = *parse_ip("203.0.113.50"), theirs = *parse_ip("203.0.113.67");
  auto write = [&](bool attack) {
    PcapWriter writer{life.capture};
    Timestamp at = 1'800'000'000 * second;
    for (int i = 0; i < 60; ++i, at += second) {
      Life::ask(writer, "vendor", ours, at);
      Life::talk(writer, "203.0.113.50", at + 10 * millisecond);
    }
    if (attack) {
      Life::ask(writer, "evil", theirs, at);
      Life::talk(writer, "203.0.113.67", at + 10 * millisecond);
    }
    REQUIRE(writer.close());
  };
  std::vector<std::string> notes;
  write(false);
  CHECK(life.alerts(40, false, notes).empty());
  write(true);
  auto alerts = life.alerts(40, false, notes);
  std::erase_if(alerts, [](const Alert& alert) { return alert.finding.detector != "network.destination"; });
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].finding.peer.name == "evil.example");
  CHECK(alerts[0].finding.count == 2);
  CHECK(alerts[0].finding.flows.size() == 1);
  CHECK(alerts[0].finding.cause.starts_with("destination:evil.example"));
}

TEST_CASE("a listed address is told without anything learned, and a broken line of the list is named") {
  std::vector<std::string> notes;
  auto alerts = Life{true}.alerts(0, true, notes);
  REQUIRE(alerts.size() == 1);
  CHECK(alerts[0].finding.detector == "network.known-bad");
  CHECK(to_string(alerts[0].finding.peer.address) == "203.0.113.66");
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("list:2") != std::string::npos);
}

TEST_CASE("learning that outlasts the capture is an error, not a silence") {
  Life life{true};
  ReplayOptions options;
  options.captures = {life.capture};
  options.inventory = life.inventory;
  ReplayStats stats;
  for (double seconds : {999'999.0, 1e30, -1.0, std::nan("")}) {
    CAPTURE(seconds);
    options.learn_until = seconds;
    auto alerts = replay(options, stats, [](const std::string&) {});
    REQUIRE_FALSE(alerts);
    CHECK(alerts.error().code == Errc::invalid);
    CHECK(alerts.error().message.find("--learn-until") != std::string::npos);
  }
  // Another capture to learn from does not use up the first capture's time.
  Life quiet{false};
  options.learn = {quiet.capture};
  options.learn_until = 40;
  auto alerts = replay(options, stats, [](const std::string&) {});
  REQUIRE(alerts);
  CHECK(alerts->size() == 2);
}

TEST_CASE("what cannot be read is one clear line") {
  ReplayOptions options;
  options.captures = {"/nonexistent.pcap"};
  ReplayStats stats;
  auto alerts = replay(options, stats, [](const std::string&) {});
  REQUIRE_FALSE(alerts);
  CHECK(alerts.error().message == "cannot open capture /nonexistent.pcap: No such file or directory");
  options.local = {"10.0.0.0/99"};
  CHECK(replay(options, stats, [](const std::string&) {}).error().code == Errc::invalid);
}

TEST_CASE("wrong usage exits with 2, a missing file with 1") {
  auto exit_code = [](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "iris-node replay");
    std::vector<char*> raw;
    for (auto& argument : arguments)
      raw.push_back(argument.data());
    return replay_main(int(raw.size()), raw.data());
  };
  CHECK(exit_code({}) == 2);
  CHECK(exit_code({"--pcap", "x", "--no-such-flag"}) == 2);
  CHECK(exit_code({"--pcap", "x", "--learning-day", "long"}) == 2);
  CHECK(exit_code({"--pcap", "x", "--learn-until", "1e30"}) == 2);
  CHECK(exit_code({"--pcap", "/nonexistent.pcap"}) == 1);
}

TEST_CASE("every real capture is read to its end, and gives the same alerts each time") {
  // Also what `make sanitize` runs under the sanitizers.
  if (!std::filesystem::is_directory(captures())) {
    WARN("skipped: no folder " << captures() << " (set IRIS_CAPTURES to one with captures)");
    return;
  }
  std::size_t read = 0;
  for (const auto& entry : std::filesystem::directory_iterator{captures()}) {
    if (!entry.path().extension().string().starts_with(".pcap")) continue;
    const auto path = entry.path().string();
    INFO(path);
    auto told = [&](bool labels, bool learn) {
      ReplayOptions options;
      options.captures = {path};
      if (learn) options.learn = {path};
      options.label_applications = labels;
      ReplayStats stats;
      auto alerts = replay(options, stats, [&](const std::string& line) { UNSCOPED_INFO(line); });
      REQUIRE(alerts);
      CHECK(stats.packets > 0);
      std::string all;
      for (const auto& alert : *alerts)
        all += to_json(alert) + to_text(alert);
      return all;
    };
    CHECK(told(false, false) == told(false, false));
    CHECK(told(true, true) == told(true, true));
    ++read;
  }
  CHECK(read > 0);
}
