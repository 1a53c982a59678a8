// How an alarm reads to a person.
#include "core/detect/traffic_watch.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace iris {

const char* to_string(TrafficKind kind) {
  switch (kind) {
  case TrafficKind::port_scan:
    return "port-scan";
  case TrafficKind::host_sweep:
    return "host-sweep";
  case TrafficKind::ping_sweep:
    return "ping-sweep";
  case TrafficKind::arp_sweep:
    return "arp-sweep";
  case TrafficKind::flood:
    return "flood";
  case TrafficKind::distributed_flood:
    return "distributed-flood";
  case TrafficKind::dhcp_flood:
    return "dhcp-flood";
  }
  return "unknown";
}

namespace {

/// 1234567 -> "1,234,567".
std::string grouped(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto at = std::ptrdiff_t(text.size()) - 3; at > 0; at -= 3)
    text.insert(std::size_t(at), 1, ',');
  return text;
}

std::string counted(std::uint64_t number, const char* one, const char* many) {
  return grouped(number) + " " + (number == 1 ? one : many);
}

/// Exact up to 32; above, an estimate that says so.
std::string about(std::uint64_t distinct) { return (distinct > 32 ? "about " : "") + grouped(distinct); }

std::string protocol_name(std::uint8_t protocol) {
  switch (protocol) {
  case ip_protocol::icmp:
  case ip_protocol::icmp6:
    return "ICMP";
  case ip_protocol::tcp:
    return "TCP";
  case ip_protocol::udp:
    return "UDP";
  case ip_protocol::sctp:
    return "SCTP";
  default:
    return "protocol " + std::to_string(protocol);
  }
}

std::string mac_text(const MacAddress& mac) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
                mac[5]);
  return text;
}

/// "TCP port 502"; "ICMP" has none.
std::string port_text(const TrafficAlarm& alarm) {
  auto text = protocol_name(alarm.protocol);
  bool icmp = alarm.protocol == ip_protocol::icmp || alarm.protocol == ip_protocol::icmp6;
  if (alarm.protocol == 0) return "many ports";
  return alarm.port == 0 || icmp ? text : text + " port " + std::to_string(alarm.port);
}

bool is_inside(const Party& party) {
  return party.kind == EntityKind::service || party.kind == EntityKind::device ||
         party.kind == EntityKind::gateway;
}

std::string volume_of(const TrafficAlarm& alarm) {
  return counted(alarm.packets, "packet", "packets") + " (" + human_bytes(alarm.bytes) + ") in " +
         human_duration(std::max<Duration>(alarm.last - alarm.first, millisecond));
}

std::string stage_text(const TrafficAlarm& alarm) {
  switch (alarm.stage) {
  case AlarmStage::start:
    return "";
  case AlarmStage::progress:
    return " It goes on.";
  case AlarmStage::end:
    return " It has ended.";
  }
  return "";
}

} // namespace

std::string cause_of(const TrafficAlarm& alarm) {
  std::string text = to_string(alarm.kind);
  auto port = std::to_string(alarm.port) + "/" + std::to_string(alarm.protocol);
  switch (alarm.kind) {
  case TrafficKind::port_scan:
    return text + " " + to_string(alarm.src) + " > " + to_string(alarm.dst) + " " +
           std::to_string(alarm.protocol);
  case TrafficKind::host_sweep:
    return text + " " + to_string(alarm.src) + " " + port;
  case TrafficKind::ping_sweep:
    return text + " " + to_string(alarm.src);
  case TrafficKind::arp_sweep:
    return text + " " + mac_text(alarm.mac);
  case TrafficKind::flood:
    return text + " " + to_string(alarm.src) + " > " + to_string(alarm.dst) + " " + port;
  case TrafficKind::distributed_flood:
    return text + " " + to_string(alarm.dst) + " " + port;
  case TrafficKind::dhcp_flood:
    return text + " " + mac_text(alarm.mac);
  }
  return text;
}

Finding finding_of(const TrafficAlarm& alarm, Party src, Party dst, const TrafficLimits& limits) {
  Finding finding;
  finding.cause = cause_of(alarm);
  finding.first = alarm.first;
  finding.last = alarm.last;
  finding.count = alarm.fresh;
  finding.flows = alarm.samples;
  if (finding.flows.size() > Finding::evidence_limit) finding.flows.resize(Finding::evidence_limit);
  finding.detector = "network.scan";
  finding.attack = {"T1046", "T0846"};
  finding.entity = std::move(src);
  auto window = human_duration(limits.scan_window);
  auto answered =
      alarm.answered == 0 ? std::string{"none was answered"} : grouped(alarm.answered) + " were answered";
  double excess = 1;
  switch (alarm.kind) {
  case TrafficKind::port_scan:
    finding.severity = is_inside(finding.entity) ? Severity::high : Severity::medium;
    finding.act =
        "probed " + about(alarm.distinct) + " " + protocol_name(alarm.protocol) + " ports of {peer}";
    finding.expected = "At most " + std::to_string(limits.scan_ports - 1) +
                       " ports of one host are tried in vain within " + window + ".";
    finding.observed = about(alarm.distinct) + " ports of " + to_string(alarm.dst) + " were tried, " +
                       answered + ": " + counted(alarm.tries, "try", "tries") + ", " + volume_of(alarm) + ".";
    finding.peer = std::move(dst);
    excess = double(alarm.distinct) / limits.scan_ports;
    break;
  case TrafficKind::host_sweep:
    finding.severity = is_inside(finding.entity) ? Severity::high : Severity::medium;
    finding.act = "tried " + port_text(alarm) + " of " + about(alarm.distinct) + " hosts";
    finding.expected = "At most " + std::to_string(limits.sweep_hosts - 1) +
                       " hosts are tried in vain on one port within " + window + ".";
    finding.observed = port_text(alarm) + " of " + about(alarm.distinct) + " hosts was tried, " + answered +
                       ": " + counted(alarm.tries, "try", "tries") + ", " + volume_of(alarm) + ".";
    excess = double(alarm.distinct) / limits.sweep_hosts;
    break;
  case TrafficKind::ping_sweep:
    finding.severity = is_inside(finding.entity) ? Severity::high : Severity::medium;
    finding.act = "pinged " + about(alarm.distinct) + " hosts";
    finding.expected =
        "At most " + std::to_string(limits.ping_hosts - 1) + " hosts are pinged within " + window + ".";
    finding.observed = about(alarm.distinct) + " hosts were sent an echo request: " + volume_of(alarm) + ".";
    finding.attack = {"T1018", "T0846"};
    excess = double(alarm.distinct) / limits.ping_hosts;
    break;
  case TrafficKind::arp_sweep:
    finding.severity = Severity::medium;
    finding.act = "asked for " + about(alarm.distinct) + " neighbours by ARP";
    finding.expected = "At most " + std::to_string(limits.arp_hosts - 1) +
                       " neighbours are asked for within " + window + ".";
    finding.observed = mac_text(alarm.mac) + " asked for " + about(alarm.distinct) + " addresses with " +
                       counted(alarm.tries, "request", "requests") + ".";
    finding.attack = {"T1018", "T0846"};
    excess = double(alarm.distinct) / limits.arp_hosts;
    break;
  case TrafficKind::flood:
    finding.severity = Severity::high;
    finding.act = "floods {peer} on " + (alarm.port == 0 && alarm.protocol != ip_protocol::icmp
                                             ? "many " + protocol_name(alarm.protocol) + " ports"
                                             : port_text(alarm));
    finding.expected = "Less than " + std::to_string(limits.flood_unanswered) + " tries in vain within " +
                       human_duration(limits.flood_window) + ", and less than " + grouped(limits.small_rate) +
                       " packets a second that nobody answers.";
    finding.observed = to_string(alarm.src) + " sent " + volume_of(alarm) + " to " + to_string(alarm.dst) +
                       ", " + counted(alarm.tries, "try", "tries") + " of which " + grouped(alarm.answered) +
                       " answered.";
    finding.peer = std::move(dst);
    excess =
        std::max(double(alarm.tries) / limits.flood_unanswered, double(alarm.packets) / limits.small_rate);
    break;
  case TrafficKind::distributed_flood:
    finding.severity = Severity::critical;
    finding.entity = std::move(dst);
    if (alarm.dst == IpAddress{}) {
      finding.entity = Party{};
      finding.entity.kind = EntityKind::device;
      finding.entity.name = "the network";
      finding.act =
          "is being flooded at " + about(alarm.distinct) + (alarm.distinct == 1 ? " host" : " hosts");
      finding.expected =
          "No more than " + std::to_string(limits.flood_victims) + " hosts under a flood at once.";
      finding.observed =
          "Beside floods that are told each by itself, " + about(alarm.distinct) +
          (alarm.distinct == 1 ? " host was" : " hosts were") + " sent " + volume_of(alarm) +
          " by many addresses, most of them surely forged: " + counted(alarm.tries, "try", "tries") + ", " +
          answered + ".";
      excess = double(alarm.tries) / limits.flood_distributed;
      break;
    }
    finding.act = "is being flooded on " + port_text(alarm) + " by " + about(alarm.distinct) + " addresses";
    finding.expected = "Less than " +
                       std::to_string((alarm.protocol == 0 ? 2U : 1U) * limits.flood_distributed) +
                       " tries in vain by " + std::to_string(limits.flood_sources) +
                       " or more addresses within " + human_duration(limits.flood_window) + ".";
    finding.observed = about(alarm.distinct) + " addresses, most of them surely forged, sent " +
                       volume_of(alarm) + " to " + to_string(alarm.dst) + ": " +
                       counted(alarm.tries, "try", "tries") + ", " + answered + ".";
    excess = double(alarm.tries) / limits.flood_distributed;
    break;
  case TrafficKind::dhcp_flood: {
    bool one = alarm.mac != MacAddress{};
    finding.severity = Severity::high;
    bool nameless = alarm.src == IpAddress{} || alarm.src == IpAddress::v4(0);
    if (nameless || finding.entity.kind == EntityKind::unknown) {
      finding.entity = Party{};
      finding.entity.kind = EntityKind::device;
      finding.entity.name = one ? mac_text(alarm.mac) : "the network";
    }
    finding.act = "floods DHCP servers with requests for " + about(alarm.distinct) +
                  (alarm.distinct == 1 ? " client" : " clients");
    finding.expected = "Less than " + std::to_string(one ? limits.dhcp_requests : 2 * limits.dhcp_requests) +
                       " requests within " + human_duration(limits.flood_window) + ".";
    finding.observed = (one ? mac_text(alarm.mac) + " sent " : "Many link addresses sent ") +
                       counted(alarm.tries, "request", "requests") + " in " +
                       human_duration(std::max<Duration>(alarm.last - alarm.first, millisecond)) + ".";
    excess = double(alarm.tries) / limits.dhcp_requests;
    break;
  }
  }
  if (alarm.kind == TrafficKind::flood || alarm.kind == TrafficKind::distributed_flood ||
      alarm.kind == TrafficKind::dhcp_flood) {
    finding.detector = "network.flood";
    finding.attack = {"T1498", "T0814"};
  }
  if (finding.peer.kind != EntityKind::unknown) {
    finding.peer.port = alarm.port;
    finding.peer.protocol = alarm.protocol;
  }
  finding.observed += stage_text(alarm);
  // No baseline gives the surprise: 10 bits at the limit, one more for each doubling above it.
  finding.score = std::min(40.0, 10 + std::log2(std::max(1.0, excess)));
  return finding;
}

} // namespace iris
