#include "core/detect/traffic_watch.hpp"

#include "core/detect/suspects.hpp"

#include <algorithm>

namespace iris {

namespace {

constexpr std::size_t alarm_limit = 256;

/// Ports on which silence is usual. 3702: ONVIF discovery sends WS-Discovery probes to every address of a
/// network, hourly. 33434 and on: each step of a traceroute takes the next port.
bool is_silent_by_design(const Flow& flow) {
  return flow.protocol == ip_protocol::udp &&
         (flow.dport == 3702 || (flow.dport >= 33'434 && flow.dport < 33'534));
}

/// To nobody in particular, so that no answer means nothing. Masks are not known here: x.x.x.255 is taken for
/// one.
bool is_group(const IpAddress& address) {
  auto scope = scope_of(address);
  return scope == AddressScope::multicast || scope == AddressScope::broadcast ||
         (address.is_v4() && address.bytes[15] == 255);
}

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

IpAddress as_address(const MacAddress& mac) {
  IpAddress address;
  std::copy(mac.begin(), mac.end(), address.bytes.begin());
  return address;
}

bool is_flood(TrafficKind kind) {
  return kind == TrafficKind::flood || kind == TrafficKind::distributed_flood ||
         kind == TrafficKind::dhcp_flood;
}

struct Event {
  Sample flow{};
  std::uint32_t item = 0; ///< hash of what is counted distinct
  std::uint32_t packets = 0;
  std::uint64_t bytes = 0;
  bool a_try = true; ///< false: only more packets of a try that was counted
  bool refused = false;
  bool barren = false; ///< had been counted as answered
};

struct Active {
  TrafficAlarm alarm;
  DistinctCounter distinct;
  Suspect* suspect = nullptr;
  Timestamp told_at = 0;
  std::uint64_t told = 0;
};

} // namespace

struct TrafficWatch::State {
  TrafficLimits limits;
  std::uint16_t interface;
  std::uint64_t seed;
  SuspectTable sources, targets;
  std::vector<std::unique_ptr<Active>> active; ///< null = free place
  std::vector<TrafficAlarm> out;
  std::array<Suspect*, 16> neighbours{}; ///< to be judged at the next tick
  std::size_t neighbours_used = 0;
  Timestamp next_tick = 0;
  TrafficWatchStats stats;

  State(const TrafficLimits& given, std::uint16_t index, std::uint64_t salt) : limits{given}, interface {
    index
  }, seed{salt}, sources{salt}, targets{salt + 1} {
    active.resize(alarm_limit);
  }

  [[nodiscard]] Duration window_of(TrafficKind kind) const {
    return is_flood(kind) ? limits.flood_window : limits.scan_window;
  }

  Suspect* suspect_of(SuspectTable& table, const SuspectKey& key, Timestamp now) {
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

  void note(Suspect& suspect, const Event& event, Timestamp now) {
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

  static void add_sample(TrafficAlarm& alarm, std::uint8_t protocol, const Sample& flow) {
    if (alarm.samples.size() >= Finding::evidence_limit) return;
    for (const auto& known : alarm.samples)
      if (known.src == flow.src && known.dst == flow.dst && known.sport == flow.sport &&
          known.dport == flow.dport)
        return;
    alarm.samples.push_back({flow.src, flow.dst, flow.sport, flow.dport, protocol, flow.packets,
                             flow.bytes_out, flow.bytes_in, flow.first, flow.last});
  }

  void start(Suspect& suspect, const Event& event, Timestamp now) {
    auto free = std::find(active.begin(), active.end(), nullptr);
    if (free == active.end()) {
      ++stats.suppressed;
      return;
    }
    *free = std::make_unique<Active>();
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
    if (!many) alarm.dst = event.flow.dst;
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

  void tell(Active& record, AlarmStage stage, Timestamp now) {
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
    out.push_back(alarm);
  }

  void end(std::size_t place, Timestamp now) {
    auto& record = *active[place];
    auto& suspect = *record.suspect;
    tell(record, AlarmStage::end, now);
    suspect.alarm = Suspect::no_alarm;
    suspect.window = {now};
    suspect.packets = suspect.bytes = 0;
    suspect.samples_used = 0;
    suspect.recent.clear();
    active[place].reset();
    --stats.active;
  }

  /// Distinct targets enough, and most of the tries in vain?
  [[nodiscard]] bool is_scan(const Suspect& suspect, std::uint32_t limit, Timestamp now) const {
    if (suspect.recent.size() < limit || suspect.recent.count_since(now - limits.scan_window) < limit)
      return false;
    return mostly_failed(suspect);
  }
  [[nodiscard]] bool mostly_failed(const Suspect& suspect) const {
    double failed = double(suspect.window.unanswered) + suspect.window.refused;
    return failed >= limits.failed_share * (failed + suspect.window.answered);
  }
  [[nodiscard]] bool is_flooded(const Suspect& suspect, std::uint32_t limit) const {
    auto weight = std::max(1U, limits.flood_refused / std::max(1U, limits.flood_unanswered));
    return suspect.window.unanswered + suspect.window.refused / weight >= limit && mostly_failed(suspect);
  }
  /// A scan tries each port a few times, with little content; a flood over many ports does not care.
  [[nodiscard]] bool is_many_port_flood(const Suspect& flood, const Suspect& scan) const {
    if (flood.window.unanswered + flood.window.refused < 10 * limits.flood_unanswered) return false;
    auto tries = scan.window.unanswered + scan.window.refused;
    return tries > 4 * active[scan.alarm]->distinct.estimate() ||
           scan.bytes > scan.packets * limits.small_packet;
  }
  /// Who scans many ports of many hosts is one cause, not one a host and one a port.
  [[nodiscard]] static SuspectKey roaming_key(const IpAddress& src) {
    return {src, {}, 0, 0, TrafficKind::host_sweep};
  }
  void start_scan(Suspect& suspect, const Event& event, Timestamp now) {
    constexpr std::uint32_t scans_told_apart = 2;
    auto* roaming = suspect_of(sources, roaming_key(event.flow.src), now);
    if (roaming == nullptr) return start(suspect, event, now);
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

  bool watch_victim(const Event& event, std::uint8_t protocol, Timestamp now);
  void watch_source(const Event& event, std::uint8_t protocol, bool scanning, Timestamp now);
};

/// @returns true when a distributed flood explains the event, so that its sources need no room of their own.
bool TrafficWatch::State::watch_victim(const Event& given, std::uint8_t protocol, Timestamp now) {
  auto event = given;
  event.item = mix(event.flow.src, seed);
  auto* victim = suspect_of(
      targets, {event.flow.dst, {}, event.flow.dport, protocol, TrafficKind::distributed_flood}, now);
  if (victim == nullptr) return false;
  note(*victim, event, now);
  if (victim->alarmed()) return true;
  if (!is_flooded(*victim, limits.flood_distributed)) return false;
  if (victim->recent.count_since(now - limits.flood_window) < limits.flood_sources) return false;
  start(*victim, event, now);
  return victim->alarmed();
}

void TrafficWatch::State::watch_source(const Event& given, std::uint8_t protocol, bool scanning,
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

TrafficWatch::TrafficWatch(const TrafficLimits& limits, std::uint16_t interface, std::uint64_t seed)
    : state_{std::make_unique<State>(limits, interface, seed)} {}
TrafficWatch::~TrafficWatch() = default;

namespace {

Event event_of(const Flow& flow, std::uint32_t packets, std::uint64_t bytes) {
  Event event;
  event.flow = {flow.src,
                flow.dst,
                flow.sport,
                flow.dport,
                flow.packets_out + flow.packets_in,
                std::uint32_t(flow.bytes_out),
                std::uint32_t(flow.bytes_in),
                flow.first,
                flow.last};
  event.packets = packets;
  event.bytes = bytes;
  return event;
}

} // namespace

void TrafficWatch::failed(const Flow& flow, Failure how, std::uint32_t packets, std::uint64_t bytes,
                          Timestamp now) {
  auto& state = *state_;
  ++state.stats.events;
  bool echo = flow.protocol == ip_protocol::icmp || flow.protocol == ip_protocol::icmp6;
  if (echo || is_group(flow.dst)) return; // echo requests were counted when they began; the rest by burst()
  if (flow.protocol == ip_protocol::udp && flow.dport == 3702) tolerate_neighbours(flow.src, now);
  auto event = event_of(flow, packets, bytes);
  event.refused = how == Failure::refused;
  event.barren = how == Failure::barren;
  bool scanning = how != Failure::stray && !is_silent_by_design(flow);
  if (!state.watch_victim(event, flow.protocol, now)) state.watch_source(event, flow.protocol, scanning, now);
}

void TrafficWatch::completed(const Flow& flow, Timestamp now) {
  auto& state = *state_;
  if (flow.protocol == ip_protocol::udp && flow.dport == 3702) tolerate_neighbours(flow.src, now);
  auto answer = [&](SuspectTable& table, const SuspectKey& key) {
    if (auto* suspect = table.find(key)) ++suspect->window.answered;
  };
  answer(state.sources, {flow.src, flow.dst, flow.dport, flow.protocol, TrafficKind::flood});
  answer(state.sources, {flow.src, flow.dst, 0, flow.protocol, TrafficKind::port_scan});
  answer(state.sources, {flow.src, {}, flow.dport, flow.protocol, TrafficKind::host_sweep});
  answer(state.targets, {flow.dst, {}, flow.dport, flow.protocol, TrafficKind::distributed_flood});
}

void TrafficWatch::echo(const Flow& flow, Timestamp now) {
  auto& state = *state_;
  ++state.stats.events;
  auto event = event_of(flow, 1, flow.bytes_out);
  if (!is_group(flow.dst) && state.watch_victim(event, flow.protocol, now)) return;
  event.item = mix(flow.dst, state.seed);
  auto* sweep =
      state.suspect_of(state.sources, {flow.src, {}, 0, flow.protocol, TrafficKind::ping_sweep}, now);
  if (sweep == nullptr) return;
  state.note(*sweep, event, now);
  if (!sweep->alarmed() &&
      sweep->recent.count_since(now - state.limits.scan_window) >= state.limits.ping_hosts)
    state.start(*sweep, event, now);
}

void TrafficWatch::burst(const Flow& flow, std::uint32_t packets, std::uint64_t bytes, Duration span,
                         Timestamp now) {
  auto& state = *state_;
  ++state.stats.events;
  bool icmp = flow.protocol == ip_protocol::icmp || flow.protocol == ip_protocol::icmp6;
  bool small = bytes <= std::uint64_t(packets) * state.limits.small_packet;
  double limit = icmp ? state.limits.icmp_rate : small ? state.limits.small_rate : state.limits.large_rate;
  auto rate = [](std::uint64_t count, Duration time) {
    return double(count) * second / double(std::max<Duration>(time, 1));
  };
  if (rate(packets, span) < limit / 4) return;
  auto* flood = state.suspect_of(state.sources,
                                 {flow.src, flow.dst, flow.dport, flow.protocol, TrafficKind::flood}, now);
  if (flood == nullptr) return;
  auto event = event_of(flow, packets, bytes);
  event.item = mix(flow.sport, state.seed);
  event.a_try = false;
  state.note(*flood, event, now);
  if (flood->alarmed()) return;
  if (flood->rate_start == 0 || now - flood->rate_start > 2 * second) {
    flood->rate_start = now - span;
    flood->rate_packets = 0;
  }
  flood->rate_packets += packets;
  auto elapsed = now - flood->rate_start;
  bool sudden = elapsed <= second && double(flood->rate_packets) >= limit;
  bool steady = elapsed >= second / 2 && rate(flood->rate_packets, elapsed) >= limit;
  if (sudden || steady) state.start(*flood, event, now);
}

bool TrafficWatch::covers(const Flow& flow) const {
  auto& state = *state_;
  if (state.stats.active == 0) return false;
  auto told = [](SuspectTable& table, const SuspectKey& key) {
    auto* suspect = table.find(key);
    return suspect != nullptr && suspect->alarmed();
  };
  using enum TrafficKind;
  return told(state.targets, {flow.dst, {}, flow.dport, flow.protocol, distributed_flood}) ||
         told(state.sources, {flow.src, flow.dst, flow.dport, flow.protocol, flood}) ||
         told(state.sources, {flow.src, flow.dst, 0, flow.protocol, flood}) ||
         told(state.sources, {flow.src, flow.dst, 0, flow.protocol, port_scan}) ||
         told(state.sources, State::roaming_key(flow.src)) ||
         told(state.sources, {flow.src, {}, flow.dport, flow.protocol, host_sweep}) ||
         (flow.sport == 0 && told(state.sources, {flow.src, {}, 0, flow.protocol, ping_sweep}));
}

void TrafficWatch::tolerate_neighbours(const IpAddress& src, Timestamp now) {
  auto& state = *state_;
  auto* suspect = state.suspect_of(state.sources, {src, {}, 0, 0, TrafficKind::arp_sweep}, now);
  if (suspect != nullptr) suspect->tolerated_until = now + 30 * second;
}

void TrafficWatch::arp(const PacketView& view, Timestamp now) {
  auto& state = *state_;
  if (!view.arp_request || view.src == view.dst) return;
  ++state.stats.events;
  auto sender = view.src == IpAddress::v4(0) ? as_address(view.mac) : view.src;
  auto* suspect = state.suspect_of(state.sources, {sender, {}, 0, 0, TrafficKind::arp_sweep}, now);
  if (suspect == nullptr) return;
  Event event;
  event.flow = {view.src, view.dst, 0, 0, 1, 28, 0, now, now};
  event.item = mix(view.dst, state.seed);
  event.packets = 1;
  event.bytes = 28;
  suspect->mac = view.mac;
  state.note(*suspect, event, now);
  if (suspect->alarmed() || state.neighbours_used == state.neighbours.size()) return;
  if (suspect->recent.count_since(now - state.limits.scan_window) < state.limits.arp_hosts) return;
  // Judged at the next tick: by then a discovery that needs the neighbours has shown itself.
  auto* end = state.neighbours.begin() + state.neighbours_used;
  if (std::find(state.neighbours.begin(), end, suspect) == end)
    state.neighbours[state.neighbours_used++] = suspect;
}

void TrafficWatch::dhcp(const PacketView& view, Timestamp now) {
  auto& state = *state_;
  ++state.stats.events;
  Event event;
  event.flow = {view.src, view.dst, view.sport, view.dport, 1, view.ip_length, 0, now, now};
  event.packets = 1;
  event.bytes = view.ip_length;
  event.item = mix(view.src, state.seed);
  if (view.payload_captured >= 34) { // RFC 2131: the client's hardware address is at 28
    std::uint64_t client = 0;
    std::memcpy(&client, view.payload + 28, 6);
    event.item = mix(client, state.seed);
  }
  auto key = [&](const MacAddress& mac) {
    return SuspectKey{as_address(mac), {}, 67, ip_protocol::udp, TrafficKind::dhcp_flood};
  };
  auto count = [&](const MacAddress& mac, std::uint32_t limit) {
    auto* suspect = state.suspect_of(state.sources, key(mac), now);
    if (suspect == nullptr) return false;
    suspect->mac = mac;
    state.note(*suspect, event, now);
    if (!suspect->alarmed() && suspect->window.unanswered >= limit) state.start(*suspect, event, now);
    return suspect->alarmed();
  };
  bool one = view.mac != MacAddress{} && count(view.mac, state.limits.dhcp_requests);
  if (!one) count(MacAddress{}, 2 * state.limits.dhcp_requests);
}

void TrafficWatch::advance(Timestamp now) {
  auto& state = *state_;
  if (now < state.next_tick && now > state.next_tick - 2 * second) return;
  state.next_tick = now + second / 2;
  for (std::size_t i = 0; i < state.neighbours_used; ++i) {
    auto& suspect = *state.neighbours[i];
    if (suspect.key.kind != TrafficKind::arp_sweep || suspect.alarmed() || now < suspect.tolerated_until)
      continue;
    if (suspect.samples_used == 0 ||
        suspect.recent.count_since(suspect.last - state.limits.scan_window) < state.limits.arp_hosts)
      continue;
    Event event;
    event.flow = suspect.samples[suspect.samples_used - 1U];
    event.flow.last = suspect.last;
    state.start(suspect, event, now);
  }
  state.neighbours_used = 0;
  if (state.stats.active == 0) return;
  for (std::size_t i = 0; i < alarm_limit; ++i) {
    if (!state.active[i]) continue;
    auto& record = *state.active[i];
    auto total = is_flood(record.alarm.kind)
                     ? record.suspect->packets
                     : std::uint64_t(record.suspect->window.unanswered) + record.suspect->window.refused;
    if (now - record.suspect->last >= state.limits.quiet || now < record.suspect->last - state.limits.quiet)
      state.end(i, now);
    else if (now - record.told_at >= state.limits.progress && total > record.told &&
             now - record.suspect->last < 2 * second) // else it may be over: the end will say
      state.tell(record, AlarmStage::progress, now);
  }
}

void TrafficWatch::flush(Timestamp now) {
  auto& state = *state_;
  state.next_tick = 0;
  advance(now);
  for (std::size_t i = 0; i < alarm_limit; ++i)
    if (state.active[i]) state.end(i, now);
}

void TrafficWatch::take(std::vector<TrafficAlarm>& out) {
  auto& from = state_->out;
  if (from.empty()) return;
  std::move(from.begin(), from.end(), std::back_inserter(out));
  from.clear();
}

const TrafficWatchStats& TrafficWatch::stats() const { return state_->stats; }

} // namespace iris
