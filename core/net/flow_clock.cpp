// The part of the flow table that time moves: reports, expiry, and the list of flows that give way first.
#include "core/net/flow_entry.hpp"

#include <algorithm>

namespace iris {

namespace {

/// A tick is 2^25 ns = 33.6 ms; the wheel spans 550 s, longer than every timeout.
constexpr int tick_bits = 25;
std::int64_t tick_of(Timestamp at) { return at >> tick_bits; }

void add_to(Flow& report, const Flow& later) {
  report.state = later.state;
  report.last_report = later.last_report;
  report.packets_out += later.packets_out;
  report.packets_in += later.packets_in;
  report.bytes_out += later.bytes_out;
  report.bytes_in += later.bytes_in;
  report.payload_out += later.payload_out;
  report.payload_in += later.payload_in;
  report.last = later.last;
  if (!later.application.empty()) report.application = later.application;
  if (later.server_name) report.server_name = later.server_name;
  report.retransmitted_out += later.retransmitted_out;
  report.retransmitted_in += later.retransmitted_in;
  report.history = later.history;
}

} // namespace

Flow FlowTable::flow_of(const Entry& entry) const {
  Flow flow;
  const auto& key = entry.key;
  bool swapped = entry.has(Entry::swapped);
  std::memcpy(flow.src.bytes.data(), swapped ? key.b : key.a, 16);
  std::memcpy(flow.dst.bytes.data(), swapped ? key.a : key.b, 16);
  flow.protocol = key.protocol;
  bool icmp = key.protocol == ip_protocol::icmp || key.protocol == ip_protocol::icmp6;
  flow.sport = icmp ? 0 : swapped ? key.port_b : key.port_a;
  flow.dport = swapped ? key.port_a : key.port_b;
  flow.state = entry.state;
  flow.first_report = !entry.has(Entry::read);
  flow.initiator_known = entry.has(Entry::known);
  flow.packets_out = entry.packets_out;
  flow.packets_in = entry.packets_in;
  flow.bytes_out = entry.bytes_out;
  flow.bytes_in = entry.bytes_in;
  flow.payload_out = entry.payload_out;
  flow.payload_in = entry.payload_in;
  flow.first = entry.empty_delta() ? entry.last : entry.first;
  flow.last = entry.last;
  flow.interface = options_.interface;
  if (entry.application != 0 && name_of_ != nullptr)
    flow.application = name_of_(name_context_, entry.application);
  if (entry.name != 0) flow.server_name = names_.of(entry.name);
  flow.retransmitted_out = entry.again_out;
  flow.retransmitted_in = entry.again_in;
  entry.write_history(flow.history);
  return flow;
}

Flow FlowTable::first_sender_first(const Entry& entry) const {
  auto flow = flow_of(entry);
  if (entry.has(Entry::flipped)) {
    std::swap(flow.src, flow.dst);
    std::swap(flow.sport, flow.dport);
    std::swap(flow.packets_out, flow.packets_in);
    std::swap(flow.bytes_out, flow.bytes_in);
    std::swap(flow.payload_out, flow.payload_in);
    std::swap(flow.retransmitted_out, flow.retransmitted_in);
    for (auto& letter : flow.history)
      if (letter != 0) letter = char(letter ^ 0x20); // the other case
  }
  return flow;
}

/// A last ACK is added to the report of its flow as long as that was not taken. Content that comes later goes
/// into a report of its own: a reset or an ICMP error can be forged, and must not hide what is still sent.
void FlowTable::count_straggler(Entry& entry, std::uint32_t place, const PacketView& view, bool outward,
                                Timestamp at, std::vector<Flow>& out) {
  if (entry.harvest != harvest_ || entry.report_index >= out.size()) {
    bool speaks = view.payload_length != 0 && (view.tcp_flags & (tcp_flag::syn | tcp_flag::rst)) == 0;
    if (!speaks && entry.empty_delta()) {
      ++stats_.stragglers;
      return;
    }
    if (entry.empty_delta() && entry.has(Entry::told_last)) ++stats_.resumed;
    count(entry, place, view, outward, at);
    if (entry.packets_out != 0 && entry.packets_in != 0) entry.set(Entry::completed);
    if (entry.has(Entry::completed)) entry.state = FlowState::established;
    return;
  }
  auto& report = out[entry.report_index];
  ++(outward ? report.packets_out : report.packets_in);
  (outward ? report.bytes_out : report.bytes_in) += view.ip_length;
  (outward ? report.payload_out : report.payload_in) += view.payload_length;
  report.last = std::max(report.last, at);
}

Duration FlowTable::idle_of(const Entry& entry) const {
  if (entry.key.protocol != ip_protocol::tcp) return options_.udp_idle;
  return entry.has(Entry::completed) ? options_.tcp_idle : options_.opening_idle;
}

void FlowTable::tell_failed(Entry& entry, Failure how, Timestamp now) {
  entry.set(Entry::told_failed);
  if (events_ == nullptr) return;
  events_->failed(first_sender_first(entry), how, entry.burst_packets, entry.burst_bytes, now);
  entry.burst_packets = entry.burst_answers = 0;
  entry.burst_bytes = 0;
  entry.burst_start = now;
}

void FlowTable::report(Entry& entry, bool last, std::vector<Flow>& out) {
  auto flow = flow_of(entry);
  // One datagram each way is mostly all there will be. Should more follow, it is told as later parts.
  bool exchange = entry.key.protocol != ip_protocol::tcp && entry.packets_total <= 2 &&
                  entry.packets_out <= 1 && entry.packets_in <= 1;
  flow.last_report = last || exchange;
  if (flow.last_report)
    entry.set(Entry::told_last);
  else
    entry.clear(Entry::told_last);
  bool fruitless = !entry.has(Entry::completed) || !entry.has(Entry::content);
  // What was hushed once stays so when the alarm is over and the flow merely runs out.
  bool hushed_before = entry.has(Entry::reported) && !entry.has(Entry::read);
  if (fruitless && (hushed_before || (events_ != nullptr && events_->covers(first_sender_first(entry))))) {
    ++stats_.hushed;
  } else {
    ++stats_.reports;
    entry.set(Entry::read);
    if (entry.harvest == harvest_ && entry.report_index < out.size()) {
      add_to(out[entry.report_index], flow);
    } else {
      entry.harvest = harvest_;
      entry.report_index = std::uint32_t(out.size());
      out.push_back(std::move(flow));
    }
  }
  entry.set(Entry::reported);
  entry.packets_out = entry.packets_in = 0;
  entry.bytes_out = entry.bytes_in = entry.payload_out = entry.payload_in = 0;
  entry.again_out = entry.again_in = 0;
}

void FlowTable::finish(Entry& entry, std::uint32_t place, Timestamp now, std::vector<Flow>& out) {
  bool tcp = entry.key.protocol == ip_protocol::tcp;
  if (entry.state == FlowState::refused) {
    // An opening that was told as unanswered and is refused later stays one failure.
    if (!entry.has(Entry::told_failed)) tell_failed(entry, Failure::refused, now);
  } else if (tcp && (entry.has(Entry::completed) || entry.has(Entry::syn_ack))) {
    if (entry.state == FlowState::closed && !entry.has(Entry::content) && !entry.has(Entry::told_failed))
      tell_failed(entry, Failure::barren, now);
  } else if (!entry.has(Entry::completed) && !entry.has(Entry::told_failed)) {
    tell_failed(entry, tcp && !entry.has(Entry::known) ? Failure::stray : Failure::unanswered, now);
  }
  if (!entry.has(Entry::told_last) || !entry.empty_delta()) report(entry, true, out);
  entry.set(Entry::done);
  push_half_open(entry, place);
}

/// Tells what was not told yet and frees the place.
void FlowTable::leave(std::uint32_t place, Timestamp now, std::vector<Flow>& out) {
  auto& entry = entries_[place];
  if (!entry.has(Entry::done))
    finish(entry, place, now, out);
  else if (!entry.has(Entry::told_last) || !entry.empty_delta())
    report(entry, true, out);
  erase(place);
}

void FlowTable::on_deadline(std::uint32_t place, Timestamp now, std::vector<Flow>& out) {
  auto& entry = entries_[place];
  if (entry.has(Entry::done)) {
    if (entry.empty_delta()) return leave(place, now, out);
    report(entry, false, out);
    return arm(entry, place, now + options_.tombstone);
  }

  auto expiry = entry.last + idle_of(entry);
  if (now >= expiry) {
    finish(entry, place, now, out);
    return erase(place);
  }
  bool tcp = entry.key.protocol == ip_protocol::tcp;
  auto next = expiry;
  if (!entry.has(Entry::reported)) {
    auto due = entry.first + (tcp && !entry.has(Entry::completed) ? options_.unanswered : options_.unreplied);
    if (now >= due) {
      if (!entry.has(Entry::completed)) // else its first content was waited for
        tell_failed(entry, tcp && !entry.has(Entry::known) ? Failure::stray : Failure::unanswered, now);
      report(entry, false, out);
    } else {
      next = due;
    }
  } else if (!entry.empty_delta()) {
    auto due = entry.first + options_.window;
    if (now >= due)
      report(entry, false, out);
    else
      next = std::min(next, due);
  }
  arm(entry, place, next);
}

// -- timer wheel: an entry sits in one slot and is looked at again when that comes; packets do not move it
// ----------

void FlowTable::start_clock(Timestamp at) {
  now_ = at;
  tick_ = tick_of(at);
  next_tick_ = (tick_ + 1) << tick_bits;
}

void FlowTable::arm(Entry& entry, std::uint32_t place, Timestamp deadline) {
  auto tick = std::clamp(tick_of(deadline), tick_, tick_ + std::int64_t(wheel_slots) - 1);
  auto slot = std::uint32_t(tick) & (wheel_slots - 1);
  if (entry.has(Entry::armed)) {
    auto armed_in = (entry.timer_slot - std::uint32_t(tick_)) & (wheel_slots - 1);
    if (armed_in <= std::uint32_t(tick - tick_)) return;
    disarm(entry);
  }
  entry.set(Entry::armed);
  entry.timer_slot = slot;
  entry.timer_previous = none;
  entry.timer_next = wheel_[slot];
  if (entry.timer_next != none) entries_[entry.timer_next].timer_previous = place;
  wheel_[slot] = place;
}

void FlowTable::disarm(Entry& entry) {
  if (!entry.has(Entry::armed)) return;
  entry.clear(Entry::armed);
  if (entry.timer_previous != none)
    entries_[entry.timer_previous].timer_next = entry.timer_next;
  else
    wheel_[entry.timer_slot] = entry.timer_next;
  if (entry.timer_next != none) entries_[entry.timer_next].timer_previous = entry.timer_previous;
}

void FlowTable::run_wheel(Timestamp now, std::vector<Flow>& out) {
  if (now_ == 0) return start_clock(now);
  now_ = std::max(now_, now);
  auto end = tick_of(now);
  while (tick_ < end) {
    if (stats_.active == 0) {
      tick_ = end;
      break;
    }
    auto slot = std::uint32_t(tick_) & (wheel_slots - 1);
    auto due = ++tick_ << tick_bits;
    while (wheel_[slot] != none) {
      auto place = wheel_[slot];
      disarm(entries_[place]);
      on_deadline(place, due, out);
    }
  }
  next_tick_ = (tick_ + 1) << tick_bits;
}

void FlowTable::flush(std::vector<Flow>& out) {
  for (std::uint32_t slot = 0; slot < wheel_slots; ++slot) {
    // From the next tick on, so that flows end in the order in which they would have been looked at.
    auto at = (std::uint32_t(tick_) + slot) & (wheel_slots - 1);
    while (wheel_[at] != none) {
      auto place = wheel_[at];
      leave(place, now_, out);
    }
  }
}

// -- flows that nobody answered, oldest first
// -----------------------------------------------------------------------

void FlowTable::push_half_open(Entry& entry, std::uint32_t place) {
  if (entry.has(Entry::half_open)) return;
  entry.set(Entry::half_open);
  entry.half_open_next = none;
  entry.half_open_previous = half_open_last_;
  (half_open_last_ != none ? entries_[half_open_last_].half_open_next : half_open_first_) = place;
  half_open_last_ = place;
}

void FlowTable::drop_half_open(Entry& entry) {
  if (!entry.has(Entry::half_open)) return;
  entry.clear(Entry::half_open);
  (entry.half_open_previous != none ? entries_[entry.half_open_previous].half_open_next : half_open_first_) =
      entry.half_open_next;
  (entry.half_open_next != none ? entries_[entry.half_open_next].half_open_previous : half_open_last_) =
      entry.half_open_previous;
}

} // namespace iris
