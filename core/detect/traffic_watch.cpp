#include "core/detect/traffic_watch.hpp"

#include "core/detect/traffic_state.hpp"

#include <algorithm>

namespace iris {

namespace {

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

IpAddress as_address(const MacAddress& mac) {
  IpAddress address;
  std::copy(mac.begin(), mac.end(), address.bytes.begin());
  return address;
}

} // namespace

TrafficWatch::TrafficWatch(const TrafficLimits& limits, std::uint16_t interface, std::uint64_t seed)
    : state_{std::make_unique<State>(limits, interface, seed)} {}
TrafficWatch::~TrafficWatch() = default;

namespace {

TrafficEvent event_of(const Flow& flow, std::uint32_t packets, std::uint64_t bytes) {
  TrafficEvent event;
  event.flow = {flow.src,
                flow.dst,
                flow.sport,
                flow.dport,
                flow.packets_out + flow.packets_in,
                std::uint32_t(flow.bytes_out),
                std::uint32_t(flow.bytes_in),
                flow.first,
                flow.last,
                flow.retransmitted_out + flow.retransmitted_in,
                flow.history};
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
  if (flow.protocol == ip_protocol::udp && flow.dport == 3702) probed_for_onvif(flow, now);
  auto event = event_of(flow, packets, bytes);
  event.refused = how == Failure::refused;
  event.barren = how == Failure::barren;
  bool scanning = how != Failure::stray && !is_silent_by_design(flow);
  if (!state.watch_victim(event, flow.protocol, now)) state.watch_source(event, flow.protocol, scanning, now);
}

void TrafficWatch::completed(const Flow& flow, Timestamp now) {
  auto& state = *state_;
  if (flow.protocol == ip_protocol::udp && flow.dport == 3702) probed_for_onvif(flow, now);
  auto answer = [&](SuspectTable& table, const SuspectKey& key) {
    if (auto* suspect = table.find(key)) ++suspect->window.answered;
  };
  answer(state.sources, {flow.src, flow.dst, flow.dport, flow.protocol, TrafficKind::flood});
  answer(state.sources, {flow.src, flow.dst, 0, flow.protocol, TrafficKind::port_scan});
  answer(state.sources, {flow.src, {}, flow.dport, flow.protocol, TrafficKind::host_sweep});
  answer(state.targets, {flow.dst, {}, flow.dport, flow.protocol, TrafficKind::distributed_flood});
  answer(state.targets, State::host_key(flow.dst));
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
  return state.is_victim(flow) ||
         told(state.sources, {flow.src, flow.dst, flow.dport, flow.protocol, flood}) ||
         told(state.sources, {flow.src, flow.dst, 0, flow.protocol, flood}) ||
         told(state.sources, {flow.src, flow.dst, 0, flow.protocol, port_scan}) ||
         told(state.sources, State::roaming_key(flow.src)) ||
         told(state.sources, {flow.src, {}, flow.dport, flow.protocol, host_sweep}) ||
         (flow.sport == 0 && told(state.sources, {flow.src, {}, 0, flow.protocol, ping_sweep}));
}

void TrafficWatch::probed_for_onvif(const Flow& flow, Timestamp now) {
  auto& state = *state_;
  auto* discovery = state.discovery_by(flow.src); // none where it asked for nobody
  if (discovery == nullptr) return;
  discovery->probed.insert(mix(flow.dst, state.seed));
  discovery->last = now;
}

void TrafficWatch::arp(const PacketView& view, Timestamp now) {
  auto& state = *state_;
  if (view.src == view.dst) return;
  if (!view.arp_request) {
    if (auto* asker = state.discovery_by(view.dst)) asker->answered.insert(mix(view.src, state.seed));
    return;
  }
  ++state.stats.events;
  auto sender = view.src == IpAddress::v4(0) ? as_address(view.mac) : view.src;
  auto* suspect = state.suspect_of(state.sources, {sender, {}, 0, 0, TrafficKind::arp_sweep}, now);
  if (suspect == nullptr) return;
  TrafficEvent event;
  event.flow = {view.src, view.dst, 0, 0, 1, 28, 0, now, now};
  event.item = mix(view.dst, state.seed);
  event.packets = 1;
  event.bytes = 28;
  suspect->mac = view.mac;
  state.note(*suspect, event, now);
  auto asked = suspect->recent.count_since(now - state.limits.scan_window);
  state.discovery_of(sender, 2 * asked > state.limits.arp_hosts, now).asked.insert(event.item);
  if (asked < state.limits.arp_hosts) return;
  if (suspect->alarmed() || state.neighbours_used == state.neighbours.size()) return;
  // Judged a second later: by then a discovery that needs the neighbours has shown itself.
  auto* end = state.neighbours.begin() + state.neighbours_used;
  if (std::none_of(state.neighbours.begin(), end, [&](const auto& one) { return one.suspect == suspect; }))
    state.neighbours[state.neighbours_used++] = {suspect, now};
}

void TrafficWatch::dhcp(const PacketView& view, Timestamp now) {
  auto& state = *state_;
  ++state.stats.events;
  TrafficEvent event;
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
  std::size_t kept = 0;
  for (std::size_t i = 0; i < state.neighbours_used; ++i) {
    if (!state.ending && now - state.neighbours[i].since < second && now >= state.neighbours[i].since) {
      state.neighbours[kept++] = state.neighbours[i];
      continue;
    }
    auto& suspect = *state.neighbours[i].suspect;
    if (suspect.key.kind != TrafficKind::arp_sweep || suspect.alarmed()) continue;
    const auto* known = state.discovery_by(suspect.key.a);
    if (known != nullptr && known->explains()) continue;
    if (suspect.samples_used == 0 ||
        suspect.recent.count_since(suspect.last - state.limits.scan_window) < state.limits.arp_hosts)
      continue;
    TrafficEvent event;
    event.flow = suspect.samples[suspect.samples_used - 1U];
    event.flow.last = suspect.last;
    state.start(suspect, event, now);
    if (known != nullptr && suspect.alarmed()) state.active[suspect.alarm]->distinct = known->asked;
  }
  state.neighbours_used = kept;
  if (state.stats.active == 0) return;
  for (std::size_t i = 0; i < State::alarm_limit; ++i) {
    if (!state.active[i]) continue;
    auto& record = *state.active[i];
    auto total = is_flood(record.alarm.kind)
                     ? record.suspect->packets
                     : std::uint64_t(record.suspect->window.unanswered) + record.suspect->window.refused;
    if (now - record.suspect->last >= state.limits.quiet || now < record.suspect->last - state.limits.quiet)
      state.end(i, now);
    else if (now - record.told_at >= record.pace && total > record.told &&
             now - record.suspect->last < 2 * second) // else it may be over: the end will say
      state.tell(record, AlarmStage::progress, now);
  }
}

void TrafficWatch::flush(Timestamp now) {
  auto& state = *state_;
  state.next_tick = 0;
  state.ending = true;
  advance(now);
  state.ending = false;
  for (std::size_t i = 0; i < State::alarm_limit; ++i)
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
