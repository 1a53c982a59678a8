#include "core/base/hash.hpp"
#include "node/evidence/evidence_answer.hpp"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace iris;
using Json = nlohmann::json;

namespace {

constexpr Timestamp start = 1'800'000'000 * second;
const IpAddress service = *parse_ip("172.18.0.2"), peer = *parse_ip("198.51.100.7"),
                other = *parse_ip("10.0.0.7");

ProcessBatch run(char container, const std::string& program, Timestamp at) {
  ProcessStart started;
  started.process.exe = program;
  started.process.args = {program};
  return {{{std::string(64, container), at, 0, started}}};
}

FlowBatch flow(const IpAddress& src, const IpAddress& dst, Timestamp at) {
  Flow one;
  one.src = src;
  one.dst = dst;
  one.dport = 443;
  one.protocol = 6;
  one.first = one.last = at;
  FlowBatch batch;
  batch.interface = "br-edgex";
  batch.flows = {one};
  return batch;
}

EvidenceQuestion question(Timestamp first, Timestamp last) {
  EvidenceQuestion wanted;
  wanted.first = first;
  wanted.last = last;
  wanted.container = std::string(64, 'a');
  wanted.addresses = {service};
  wanted.peers = {peer};
  return wanted;
}

std::vector<Json> lines_of(const QueryAnswer& answer, const std::string& kind) {
  std::vector<Json> found;
  for (const auto& line : answer.lines)
    if (auto json = Json::parse(line); json["kind"] == kind) found.push_back(std::move(json));
  return found;
}

/// A TCP packet of 60 bytes of content, as a capture of `snapshot` bytes gives it to a ring.
void packet(PacketRing& ring, const IpAddress& src, const IpAddress& dst, Timestamp at) {
  std::vector<std::uint8_t> frame(14 + 20 + 20 + 60, 's'); // secret content
  frame[12] = 8;
  frame[13] = 0;
  auto* ip = frame.data() + 14;
  std::fill(ip, ip + 40, std::uint8_t{0});
  ip[0] = 0x45;
  ip[3] = 100;
  ip[8] = 64;
  ip[9] = 6;
  for (int i = 0; i < 4; ++i) {
    ip[12 + i] = std::uint8_t(src.v4_number() >> (24 - 8 * i));
    ip[16 + i] = std::uint8_t(dst.v4_number() >> (24 - 8 * i));
  }
  ip[20] = 100;
  ip[23] = 80;
  ip[32] = 0x50;
  PacketView view;
  REQUIRE(decode(1, frame, std::uint32_t(frame.size()), view) == Decoded::ip);
  ring.begin();
  ring.frame({1, frame, std::uint32_t(frame.size()), at, &view});
  ring.end(at);
}

} // namespace

TEST_CASE("evidence is what the alert's container did around it, and what was between its two sides") {
  EvidenceRing ring;
  const Duration shift = 7;
  const auto put = [&](const auto& batch, Timestamp at) { ring.take({at, shift}, batch); };
  put(run('a', "/bin/long-before", start - 120 * second), start - 120 * second);
  put(run('a', "/usr/bin/nmap", start), start);
  put(run('b', "/bin/of-another", start), start);
  put(flow(service, peer, start), start);
  put(flow(other, service, start + second), start + second);
  put(flow(other, peer, start), start);
  put(HealthBatch{{{"process", "dropped", 4, start, "ring full"}}, start}, start);
  const auto answer = answer_evidence(ring, question(start, start + second), start + 10 * second, shift);
  CHECK(answer.status == 0);
  CHECK(answer.message == "");
  const auto processes = lines_of(answer, "process");
  REQUIRE(processes.size() == 1);
  CHECK(processes[0]["exe"] == "/usr/bin/nmap");
  CHECK(processes[0]["at"] == rfc3339(start + shift));
  const auto flows = lines_of(answer, "flow");
  REQUIRE(flows.size() == 2);
  CHECK((flows[0]["between"] == true && flows[0]["dst"] == "198.51.100.7"));
  CHECK((flows[1]["between"] == false && flows[1]["src"] == "10.0.0.7"));
  CHECK(lines_of(answer, "health").size() == 1);
  const auto head = lines_of(answer, "evidence");
  REQUIRE(head.size() == 1);
  CHECK(head[0]["observations"] == 4);
  CHECK(head[0]["left_out"] == 0);
}

TEST_CASE("evidence that is gone is said to be gone, for its age or for the room") {
  EvidenceRing ring{4'096};
  const auto ask = [&](Timestamp first, Timestamp now) {
    return answer_evidence(ring, question(first, first + second), now, 0).message;
  };
  CHECK(ask(start, start + 10 * second) == "gone already: the alert was 9 s ago, nothing is kept yet");
  ring.take({start, 0}, run('a', "/bin/a", start));
  CHECK(ask(start, start + 10 * second) == "");
  CHECK(ask(start - 30 * second, start + 10 * second).find("gone already") != std::string::npos);
  for (int i = 1; i < 40; ++i)
    ring.take({start + i * second, 0}, run('b', std::string(300, char('a' + i % 26)), start));
  CHECK(ring.figures().bytes <= 4'096);
  CHECK(ring.figures().shed > 0);
  CHECK(ask(start, start + 50 * second).find("gone already: the alert was 49 s ago") != std::string::npos);
  const auto shed = ring.figures().shed;
  ring.take({start + 2 * EvidenceRing::age, 0}, run('a', "/bin/a", start));
  CHECK(ring.figures().frames == 1); // all others are too old
  CHECK(ring.figures().aged > 0);
  CHECK(ring.figures().shed == shed);
}

TEST_CASE("an answer holds what tells most, and counts the rest") {
  EvidenceRing ring;
  for (int i = 0; i < 3'000; ++i)
    ring.take({start + i * millisecond, 0}, flow(other, service, start + i * millisecond));
  for (int i = 0; i < 20; ++i)
    ring.take({start + 3 * second, 0}, flow(service, peer, start + 3 * second));
  const auto answer =
      answer_evidence(ring, question(start + 3 * second, start + 3 * second), start + 10 * second, 0);
  const auto flows = lines_of(answer, "flow");
  CHECK(flows.size() == evidence_lines_limit);
  CHECK(std::count_if(flows.begin(), flows.end(), [](const Json& one) { return one["between"] == true; }) ==
        20);
  CHECK(flows.front()["at"] == rfc3339(start + 2'020 * millisecond)); // the nearest in time
  CHECK(lines_of(answer, "evidence")[0]["left_out"] == 3'020 - evidence_lines_limit);
}

TEST_CASE("a packet ring keeps headers only, a share for everyone, and thins out a flood") {
  PacketRing ring{"br-edgex"};
  packet(ring, service, peer, start);
  packet(ring, peer, service, start + 1);
  packet(ring, other, peer, start + 2);
  std::vector<PacketHeader> found;
  ring.find(start - second, start + second, {service}, {peer}, found);
  REQUIRE(found.size() == 2);
  CHECK(found[0].size == 54);
  CHECK(found[0].wire_length == 114);
  found.clear();
  ring.find(start + second, start + 2 * second, {service}, {}, found);
  CHECK(found.empty());
  CHECK(ring.oldest() == start);

  // From made-up sources, all of whose groups are written: others lose theirs only slowly.
  for (std::uint32_t i = 0; i < 100'000; ++i)
    packet(ring, IpAddress::v4(0x0a000000 + i * 7), *parse_ip("172.18.0.9"), start + second);
  CHECK(ring.counters().packets == 3 + PacketRing::pace);
  CHECK(ring.counters().thinned == 100'000 - PacketRing::pace);
  ring.find(start - second, start + second, {service}, {peer}, found);
  CHECK(found.size() == 2);

  // One who talks to many overwrites his own.
  for (std::uint32_t i = 0; i < 5'000; ++i)
    packet(ring, other, IpAddress::v4(0x0a010000 + i), start + second);
  found.clear();
  ring.find(start, start + 2 * second, {other}, {}, found);
  CHECK(found.size() == PacketRing::share);
}

TEST_CASE("heads of packets are part of the answer where they are asked for") {
  EvidenceRing ring;
  packet(*ring.packets_of("br-edgex"), service, peer, start);
  CHECK(ring.packets_of("br-edgex") == ring.packets_of("br-edgex"));
  auto wanted = question(start, start);
  CHECK(lines_of(answer_evidence(ring, wanted, start, 5), "packet").empty());
  wanted.packets = true;
  const auto packets = lines_of(answer_evidence(ring, wanted, start, 5), "packet");
  REQUIRE(packets.size() == 1);
  CHECK(packets[0]["ns"] == start + 5);
  CHECK(packets[0]["interface"] == "br-edgex");
  CHECK(from_hex(packets[0]["header"].get<std::string>()).size() == 54);
  for (int i = 0; i < 40; ++i)
    (void)ring.packets_of("veth" + std::to_string(i));
  CHECK(ring.rings().size() == EvidenceRing::interfaces_limit);
}

TEST_CASE("a question for evidence is checked word by word") {
  const auto ok = parse_evidence_question(
      {"first=5", "last=6", "container=abc", "address=10.0.0.1", "peer=2001:db8::1", "packets=1"});
  REQUIRE(ok.ok());
  CHECK((ok->first == 5 && ok->last == 6 && ok->packets && ok->peers.size() == 1));
  for (const std::vector<std::string>& bad : {std::vector<std::string>{},
                                              {"first=5"},
                                              {"first=6", "last=5"},
                                              {"first=x", "last=5"},
                                              {"first=1", "last=9223372036854775807"},
                                              {"first=-1", "last=5"},
                                              {"first=1", "last=2", "address=nobody"},
                                              {"first=1", "last=2", "packets=2"},
                                              {"first=1", "last=2", "container=" + std::string(65, 'a')},
                                              std::vector<std::string>{"A-1"}}) {
    CHECK(parse_evidence_question(bad).error().code == Errc::invalid);
  }
}
