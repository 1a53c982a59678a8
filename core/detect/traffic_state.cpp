// What is suspected, when it becomes an alarm, and what an alarm says.
#include "core/detect/traffic_state.hpp"

#include <algorithm>

namespace iris {

std::uint32_t mix(std::uint64_t value, std::uint64_t seed) {
  value = (value ^ seed) * 0x9e3779b97f4a7c15ULL;
  value = (value ^ value >> 32) * 0xd6e8feb86659fd93ULL;
  return std::uint32_t(value >> 32);
}

std::uint32_t mix(const IpAddress& address, std::uint64_t seed) {
  std::uint64_t parts[2];
  std::memcpy(parts, address.bytes.data(), 16);
  return mix(parts[0] + std::uint64_t(mix(parts[1], seed)) * 0x9e3779b97f4a7c15ULL, seed);
}

bool is_flood(TrafficKind kind) {
  return kind == TrafficKind::flood || kind == TrafficKind::distributed_flood ||
         kind == TrafficKind::dhcp_flood;
}

TrafficWatch::State::State(const TrafficLimits& given, std::uint16_t index, std::uint64_t salt)
    : limits{given}, interface(index), seed{salt}, sources{salt}, targets{salt + 1} {
  active.resize(alarm_limit);
  discoveries.resize(discovery_limit);
}

Discovery* TrafficWatch::State::discovery_by(const IpAddress& sender) {
  auto known = std::find_if(discoveries.begin(), discoveries.end(), [&](const Discovery& discovery) {
    return discovery.last != 0 && discovery.sender == sender;
  });
  return known == discoveries.end() ? nullptr : &*known;
}

/// @param in_a_sweep what was counted belongs together and is kept.
Discovery& TrafficWatch::State::discovery_of(const IpAddress& sender, bool in_a_sweep, Timestamp now) {
  auto* known = discovery_by(sender);
  bool over = known != nullptr && !in_a_sweep && now - known->first > limits.scan_window;
  if (known == nullptr || over || now < known->first) {
    if (known == nullptr)
      known = &*std::min_element(
          discoveries.begin(), discoveries.end(),
          [](const Discovery& left, const Discovery& right) { return left.last < right.last; });
    *known = Discovery{};
    known->sender = sender;
    known->first = now;
  }
  known->last = now;
  return *known;
}

Suspect* TrafficWatch::State::suspect_of(SuspectTable& table, const SuspectKey& key, Timestamp now) {
  auto* suspect = table.find_or_make(key, now, stats.evicted);
  if (suspect == nullptr || suspect->alarmed()) return suspect;
  auto age = now - suspect->window.start;
  if (age >= window_of(key.kind) || age < 0) {
    suspect->window = {now};
    suspect->packets = suspect->bytes = 0;
    suspect->samples_used = 0;
  }
  return suspect;
}

namespace {

void add_sample(TrafficAlarm& alarm, std::uint8_t protocol, const Sample& flow) {
  if (alarm.samples.size() >= Finding::evidence_limit) return;
  for (const auto& known : alarm.samples)
    if (known.src == flow.src && known.dst == flow.dst && known.sport == flow.sport &&
        known.dport == flow.dport)
      return;
  alarm.samples.push_back({flow.src,
                           flow.dst,
                           flow.sport,
                           flow.dport,
                           protocol,
                           flow.packets,
                           flow.bytes_out,
                           flow.bytes_in,
                           flow.first,
                           flow.last,
                           flow.retransmitted,
                           flow.history.data(),
                           {}});
}

} // namespace

void TrafficWatch::State::note(Suspect& suspect, const TrafficEvent& event, Timestamp now) {
  suspect.last = std::max(suspect.last, now);
  suspect.packets += event.packets;
  suspect.bytes += event.bytes;
  if (event.a_try) ++(event.refused ? suspect.window.refused : suspect.window.unanswered);
  if (event.barren && suspect.window.answered > 0) --suspect.window.answered;
  if (event.a_try) suspect.recent.insert(event.item, now);
  if (suspect.alarmed()) {
    auto& alarm = active[suspect.alarm]->alarm;
    if (event.a_try) active[suspect.alarm]->distinct.insert(event.item);
    add_sample(alarm, suspect.key.protocol, event.flow);
    alarm.last = std::max(alarm.last, event.flow.last);
    if (alarm.src != IpAddress{} && alarm.src != event.flow.src) alarm.src = {};
  } else if (suspect.samples_used < Suspect::sample_limit) {
    suspect.samples[suspect.samples_used++] = event.flow;
  }
}

void TrafficWatch::State::start(Suspect& suspect, const TrafficEvent& event, Timestamp now) {
  auto free = std::find(active.begin(), active.end(), nullptr);
  if (free == active.end()) {
    ++stats.suppressed;
    return;
  }
  *free = std::make_unique<ActiveAlarm>();
  auto& record = **free;
  auto& alarm = record.alarm;
  const auto& key = suspect.key;
  auto from = now - window_of(key.kind);
  alarm.kind = key.kind;
  alarm.protocol = key.protocol;
  alarm.port = key.port;
  alarm.interface = interface;
  alarm.mac = suspect.mac;
  if (key.kind != TrafficKind::distributed_flood) alarm.src = event.flow.src;
  bool many = key.kind == TrafficKind::host_sweep || key.kind == TrafficKind::ping_sweep ||
              key.kind == TrafficKind::arp_sweep;
  if (!many && key != network_key()) alarm.dst = event.flow.dst;
  if (key.kind == TrafficKind::distributed_flood && key != network_key()) ++victims;
  alarm.first = event.flow.first;
  alarm.last = event.flow.last;
  alarm.samples.reserve(Finding::evidence_limit);
  for (std::size_t i = 0; i < suspect.samples_used; ++i) {
    const auto& flow = suspect.samples[i];
    add_sample(alarm, key.protocol, flow);
    alarm.first = std::min(alarm.first, flow.first);
    if (alarm.src != IpAddress{} && alarm.src != flow.src) alarm.src = {};
  }
  alarm.distinct = suspect.recent.count_since(from);
  for (std::size_t i = 0; i < suspect.recent.size(); ++i)
    if (suspect.recent.is_since(i, from)) record.distinct.insert(suspect.recent.hash(i));
  record.suspect = &suspect;
  suspect.alarm = std::uint16_t(free - active.begin());
  ++stats.alarms;
  ++stats.active;
  tell(record, AlarmStage::start, now);
}

void TrafficWatch::State::start_scan(Suspect& suspect, const TrafficEvent& event, Timestamp now) {
  constexpr std::uint32_t scans_told_apart = 2;
  auto* roaming = suspect_of(sources, roaming_key(event.flow.src), now);
  if (roaming == nullptr) return start(suspect, event, now);
  if (roaming == &suspect) return; // it had to give way to make room
  roaming->last = now;
  roaming->recent.insert(mix(suspect.key.b, seed) + suspect.key.port, now);
  if (roaming->recent.count_since(now - limits.scan_window) <= scans_told_apart)
    return start(suspect, event, now);
  roaming->recent.clear();
  roaming->window = {now};
  roaming->packets = roaming->bytes = 0;
  auto first = event;
  first.item = mix(event.flow.dst, seed);
  note(*roaming, first, now);
  start(*roaming, first, now);
}

void TrafficWatch::State::tell(ActiveAlarm& record, AlarmStage stage, Timestamp now) {
  auto& alarm = record.alarm;
  const auto& suspect = *record.suspect;
  alarm.stage = stage;
  alarm.tries = std::uint64_t(suspect.window.unanswered) + suspect.window.refused + suspect.window.answered;
  alarm.answered = suspect.window.answered;
  alarm.packets = suspect.packets;
  alarm.bytes = suspect.bytes;
  if (stage != AlarmStage::start)
    alarm.distinct = std::max(alarm.distinct, std::min(record.distinct.estimate(), alarm.tries));
  auto total = is_flood(alarm.kind) ? alarm.packets : alarm.tries;
  alarm.fresh = total - record.told;
  record.told = total;
  record.told_at = now;
  record.pace =
      stage == AlarmStage::start ? limits.progress : std::min(2 * record.pace, limits.slowest_progress);
  out.push_back(alarm);
}

void TrafficWatch::State::end(std::size_t place, Timestamp now) {
  auto& record = *active[place];
  auto& suspect = *record.suspect;
  tell(record, AlarmStage::end, now);
  if (suspect.key.kind == TrafficKind::distributed_flood && suspect.key != network_key()) --victims;
  suspect.alarm = Suspect::no_alarm;
  suspect.window = {now};
  suspect.packets = suspect.bytes = 0;
  suspect.samples_used = 0;
  suspect.recent.clear();
  active[place].reset();
  --stats.active;
}

/// Distinct targets enough, and most of the tries in vain?
bool TrafficWatch::State::is_scan(const Suspect& suspect, std::uint32_t limit, Timestamp now) const {
  if (suspect.recent.size() < limit || suspect.recent.count_since(now - limits.scan_window) < limit)
    return false;
  return mostly_failed(suspect);
}

bool TrafficWatch::State::mostly_failed(const Suspect& suspect) const {
  double failed = double(suspect.window.unanswered) + suspect.window.refused;
  return failed >= limits.failed_share * (failed + suspect.window.answered);
}

bool TrafficWatch::State::is_flooded(const Suspect& suspect, std::uint32_t limit) const {
  auto weight = std::max(1U, limits.flood_refused / std::max(1U, limits.flood_unanswered));
  return suspect.window.unanswered + suspect.window.refused / weight >= limit && mostly_failed(suspect);
}

/// A scan tries each port a few times, with little content; a flood over many ports does not care.
bool TrafficWatch::State::is_many_port_flood(const Suspect& flood, const Suspect& scan) const {
  if (flood.window.unanswered + flood.window.refused < 10 * limits.flood_unanswered) return false;
  auto tries = scan.window.unanswered + scan.window.refused;
  return tries > 4 * active[scan.alarm]->distinct.estimate() ||
         scan.bytes > scan.packets * limits.small_packet;
}

bool TrafficWatch::State::watch_victim(const TrafficEvent& given, std::uint8_t protocol, Timestamp now) {
  auto event = given;
  event.item = mix(event.flow.src, seed);
  const auto& dst = event.flow.dst;
  // Whoever forges the sources can spread the ports as well.
  auto* host = suspect_of(targets, host_key(dst), now);
  if (host != nullptr) {
    note(*host, event, now);
    if (host->alarmed()) return true;
  }
  SuspectKey key{dst, {}, event.flow.dport, protocol, TrafficKind::distributed_flood};
  if (auto* port = suspect_of(targets, key, now)) {
    note(*port, event, now);
    if (port->alarmed() || judge_victim(*port, event, limits.flood_distributed, now)) return true;
  }
  host = targets.find(host_key(dst)); // it may have had to give way to the port
  return host != nullptr && judge_victim(*host, event, 2 * limits.flood_distributed, now);
}

bool TrafficWatch::State::judge_victim(Suspect& victim, const TrafficEvent& event, std::uint32_t limit,
                                       Timestamp now) {
  bool flooded = is_flooded(victim, limit) &&
                 victim.recent.count_since(now - limits.flood_window) >= limits.flood_sources;
  if (flooded && victims < limits.flood_victims) {
    start(victim, event, now);
    return victim.alarmed();
  }
  if (!flooded && now >= victim.covered_until) return false;
  // One alarm for all further hosts, instead of one each until there is no room for any other alarm.
  auto one = event;
  one.item = mix(event.flow.dst, seed);
  auto* network = suspect_of(targets, network_key(), now);
  if (network == nullptr || network == &victim) return false;
  note(*network, one, now);
  if (flooded) {
    victim.covered_until = now + limits.flood_window;
    if (!network->alarmed()) start(*network, one, now);
  }
  return network->alarmed();
}

bool TrafficWatch::State::is_victim(const Flow& flow) {
  auto told = [&](const SuspectKey& key) {
    const auto* suspect = targets.find(key);
    return suspect != nullptr && (suspect->alarmed() || suspect->covered_until > flow.last);
  };
  return told({flow.dst, {}, flow.dport, flow.protocol, TrafficKind::distributed_flood}) ||
         told(host_key(flow.dst));
}

void TrafficWatch::State::watch_source(const TrafficEvent& given, std::uint8_t protocol, bool scanning,
                                       Timestamp now) {
  const auto& flow = given.flow;
  auto event = given;
  event.item = mix(flow.sport, seed);
  // Port 0 stands for many ports below; nothing listens on the real one.
  auto* flood =
      flow.dport == 0
          ? nullptr
          : suspect_of(sources, {flow.src, flow.dst, flow.dport, protocol, TrafficKind::flood}, now);
  if (flood != nullptr) {
    note(*flood, event, now);
    if (!flood->alarmed() && is_flooded(*flood, limits.flood_unanswered)) start(*flood, event, now);
  }
  if (!scanning || (flood != nullptr && flood->alarmed())) return;
  if (auto* roaming = sources.find(roaming_key(flow.src)); roaming != nullptr && roaming->alarmed()) {
    event.item = mix(flow.dst, seed);
    return note(*roaming, event, now);
  }
  event.item = mix(flow.dport, seed);
  if (auto* pair = suspect_of(sources, {flow.src, flow.dst, 0, protocol, TrafficKind::port_scan}, now)) {
    note(*pair, event, now);
    if (!pair->alarmed() && is_scan(*pair, limits.scan_ports, now)) start_scan(*pair, event, now);
    auto* many = pair->alarmed()
                     ? suspect_of(sources, {flow.src, flow.dst, 0, protocol, TrafficKind::flood}, now)
                     : nullptr;
    if (many != nullptr) {
      note(*many, event, now);
      if (!many->alarmed() && is_many_port_flood(*many, *pair)) start(*many, event, now);
    }
  }
  event.item = mix(flow.dst, seed);
  if (auto* sweep = suspect_of(sources, {flow.src, {}, flow.dport, protocol, TrafficKind::host_sweep}, now)) {
    note(*sweep, event, now);
    if (!sweep->alarmed() && is_scan(*sweep, limits.sweep_hosts, now)) start_scan(*sweep, event, now);
  }
}

} // namespace iris
