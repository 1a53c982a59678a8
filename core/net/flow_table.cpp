#include "core/net/flow_table.hpp"
#include "core/net/flow_entry.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace iris {

namespace {

constexpr Duration jump_limit = 60 * second;

std::uint64_t fold(std::uint64_t left, std::uint64_t right) {
  auto product = static_cast<unsigned __int128>(left) * right;
  return std::uint64_t(product) ^ std::uint64_t(product >> 64);
}

/// Ports of which the first packet of content names the peer better than its address does, so that the flow
/// is reported with it: HTTPS, DNS over TLS, MQTT over TLS, LDAPS, IMAPS.
bool awaits_hello(std::uint16_t server_port) {
  return server_port == 443 || server_port == 8'443 || server_port == 853 || server_port == 8'883 ||
         server_port == 636 || server_port == 993;
}

/// An echo reply belongs to its request (RFC 792, RFC 4443).
std::uint16_t echo_port(const PacketView& view, bool& reply) {
  if (view.protocol == ip_protocol::icmp && view.icmp_type() == 0) return reply = true, std::uint16_t(8 << 8);
  if (view.protocol == ip_protocol::icmp6 && view.icmp_type() == 129)
    return reply = true, std::uint16_t(128 << 8);
  return view.dport;
}

/// @returns true when the sender is side a.
template <class Key>
bool make_key(Key& key, const IpAddress& src, const IpAddress& dst, std::uint16_t sport, std::uint16_t dport,
              std::uint8_t protocol) {
  std::uint64_t from[2], to[2];
  std::memcpy(from, src.bytes.data(), 16);
  std::memcpy(to, dst.bytes.data(), 16);
  bool from_a = from[1] != to[1] ? from[1] < to[1] : from[0] != to[0] ? from[0] < to[0] : sport <= dport;
  std::memcpy(key.a, from_a ? from : to, 16);
  std::memcpy(key.b, from_a ? to : from, 16);
  key.port_a = from_a ? sport : dport;
  key.port_b = from_a ? dport : sport;
  key.protocol = protocol;
  key.zero = 0;
  key.zeros = 0;
  return from_a;
}

/// Both directions of an echo have the port of the request.
template <class Key>
bool key_of(const PacketView& view, Key& key) {
  bool reply = false;
  auto dport = view.is_icmp() ? echo_port(view, reply) : view.dport;
  return make_key(key, view.src, view.dst, view.is_icmp() ? dport : view.sport, dport, view.protocol);
}

} // namespace

FlowTable::FlowTable(const FlowTableOptions& options, FlowEvents* events)
    : options_{options}, events_{events}, fragments_{options.seed} {
  options_.capacity = std::clamp<std::size_t>(options_.capacity, 16, 1U << 24);
  auto slots = std::bit_ceil(std::uint32_t(options_.capacity) * 2);
  entries_ = std::make_unique_for_overwrite<Entry[]>(options_.capacity);
  slots_ = std::make_unique<Slot[]>(slots);
  slot_mask_ = slots - 1;
  wheel_ = std::make_unique_for_overwrite<std::uint32_t[]>(wheel_slots);
  std::fill_n(wheel_.get(), wheel_slots, none);
}

FlowTable::~FlowTable() = default;

std::uint32_t FlowTable::hash_of(const Key& key) const {
  auto seed = options_.seed;
  auto ports = std::uint64_t(key.port_a) << 32 | std::uint64_t(key.port_b) << 16 | key.protocol;
  auto mixed = fold(key.a[0] ^ seed ^ 0xa0761d6478bd642fULL, key.a[1] ^ 0xe7037ed1a0b428dbULL) ^
               fold(key.b[0] ^ seed ^ 0x8ebc6af09c88c6e3ULL, key.b[1] ^ 0x589965cc75374cc3ULL);
  mixed = fold(mixed ^ ports, seed ^ 0x1d8e4e27c47d124fULL);
  return std::uint32_t(mixed ^ mixed >> 32);
}

std::uint32_t FlowTable::find(const Key& key, std::uint32_t hash) const {
  for (auto at = hash & slot_mask_;; at = (at + 1) & slot_mask_) {
    const auto& slot = slots_[at];
    if (slot.place == none) return none;
    if (slot.hash == hash && entries_[slot.place].key == key) return slot.place;
  }
}

std::uint32_t FlowTable::create(const Key& key, std::uint32_t hash, Timestamp at, std::vector<Flow>& out) {
  if (free_ == none && fresh_ == options_.capacity) evict(out);
  std::uint32_t place = free_;
  if (place != none)
    free_ = entries_[place].timer_next;
  else
    place = fresh_++;
  auto& entry = entries_[place];
  entry = Entry{};
  entry.key = key;
  entry.hash = hash;
  entry.first = entry.last = entry.burst_start = at;
  auto slot = hash & slot_mask_;
  while (slots_[slot].place != none)
    slot = (slot + 1) & slot_mask_;
  slots_[slot] = {hash, place};
  ++stats_.flows;
  ++stats_.active;
  return place;
}

void FlowTable::erase(std::uint32_t place) {
  auto& entry = entries_[place];
  disarm(entry);
  drop_half_open(entry);
  if (released_ != nullptr) released_(released_context_, place);
  names_.release(entry.name);
  auto hole = entry.hash & slot_mask_;
  while (slots_[hole].place != place)
    hole = (hole + 1) & slot_mask_;
  // Backward shift: no tombstones in the index, so it never degrades.
  for (auto at = (hole + 1) & slot_mask_; slots_[at].place != none; at = (at + 1) & slot_mask_) {
    auto ideal = slots_[at].hash & slot_mask_;
    if (((at - ideal) & slot_mask_) >= ((at - hole) & slot_mask_)) {
      slots_[hole] = slots_[at];
      hole = at;
    }
  }
  slots_[hole].place = none;
  entry.timer_next = free_;
  free_ = place;
  --stats_.active;
}

void FlowTable::evict(std::vector<Flow>& out) {
  auto victim = half_open_first_;
  if (victim != none) {
    ++stats_.evicted_half_open;
  } else {
    // Every entry is in use here. The least recent of eight in a row is near enough to the least recent of
    // all; but flows of a few packets go first, so that a flood that is answered does not drive out quiet
    // connections that are older.
    constexpr std::uint32_t few = 8;
    auto order = [](const Entry& entry) { return std::pair{entry.packets_total > few, entry.last}; };
    for (int i = 0; i < 8; ++i) {
      sweep_ = (sweep_ + 1) % std::uint32_t(options_.capacity);
      if (victim == none || order(entries_[sweep_]) < order(entries_[victim])) victim = sweep_;
    }
    ++stats_.evicted_active;
  }
  leave(victim, now_, out);
}

/// Decides who opened the flow.
void FlowTable::begin(Entry& entry, const PacketView& view, bool from_a) {
  bool by_sender = true;
  bool known = true;
  auto flags = view.tcp_flags;
  bool reply = false;
  echo_port(view, reply);
  if (view.protocol == ip_protocol::tcp) {
    entry.state = FlowState::opening;
    if ((flags & tcp_flag::syn) != 0 && (flags & tcp_flag::ack) != 0) {
      by_sender = false;
      entry.set(Entry::syn);
    } else if ((flags & tcp_flag::syn) == 0) {
      known = false;
      // What a tiny fragment hides is taken for an opening until the next one shows the flags.
      bool opening = view.is_tiny_fragment() && roles_.rank(view.protocol, view.sport) < 3;
      if (opening)
        known = true;
      else
        entry.state = FlowState::one_way;
      auto from = roles_.rank(view.protocol, view.sport);
      auto to = roles_.rank(view.protocol, view.dport);
      by_sender = opening || (from != to ? from < to : view.sport >= view.dport);
    }
  } else {
    entry.state = FlowState::one_way;
    if (view.is_icmp()) {
      by_sender = !reply;
      known = !reply;
    } else if (view.sport != view.dport) {
      auto from = roles_.rank(view.protocol, view.sport);
      auto to = roles_.rank(view.protocol, view.dport);
      bool answers = (from >= 3 && to < 3) || (view.sport == 67 && view.dport == 68);
      by_sender = known = !answers;
    }
  }
  if (known) entry.set(Entry::known);
  if (!by_sender && !known) entry.set(Entry::flipped);
  if (by_sender != from_a) entry.set(Entry::swapped);
}

std::uint32_t FlowTable::add(PacketView& view, Timestamp at, std::vector<Flow>& out) {
  if (at + jump_limit < now_) {
    ++stats_.clock_jumps;
    flush(out);
    now_ = 0;
  }
  if (now_ == 0) start_clock(at);
  now_ = std::max(now_, at);
  ++stats_.packets;
  stats_.bytes += view.ip_length;
  if (view.fragment) {
    if (view.is_tiny_fragment()) ++stats_.tiny_fragments;
    std::uint32_t early = 0;
    if (!fragments_.resolve(view, at, early)) return ++stats_.fragments_lost, none;
    stats_.fragments_lost -= early;
  }
  if (!view.ports_known) return ++stats_.portless, none;
  if (view.hidden) ++stats_.hidden;
  if (view.quotes && refuse_quoted(view, at, out)) return none;

  Key key;
  bool from_a = key_of(view, key);
  auto hash = hash_of(key);
  auto place = find(key, hash);
  bool tcp = view.protocol == ip_protocol::tcp;
  if (place != none && tcp && (view.tcp_flags & (tcp_flag::syn | tcp_flag::ack)) == tcp_flag::syn &&
      (entries_[place].flags & (Entry::completed | Entry::done)) != 0) {
    leave(place, at, out); // the port is used again
    place = none;
  }
  bool fresh = place == none;
  if (fresh) {
    bool content = view.payload_length > 0 && !view.fragment;
    if (tcp && ((view.tcp_flags & tcp_flag::rst) != 0 || ((view.tcp_flags & tcp_flag::fin) != 0 && !content)))
      return ++stats_.orphans, none;
    place = create(key, hash, at, out);
    auto& entry = entries_[place];
    begin(entry, view, from_a);
    push_half_open(entry, place);
    arm(entry, place, at + (tcp ? options_.unanswered : options_.unreplied));
  }
  auto& entry = entries_[place];
  bool outward = from_a != entry.has(Entry::swapped);
  if (entry.has(Entry::done)) {
    count_straggler(entry, place, view, outward, at, out);
    return none;
  }
  count(entry, place, view, outward, at);
  if (tcp) {
    remember_tcp(entry, view, outward);
    follow_tcp(entry, place, view, outward, at, out);
  } else if (fresh) {
    bool echo = (view.protocol == ip_protocol::icmp && view.icmp_type() == 8) ||
                (view.protocol == ip_protocol::icmp6 && view.icmp_type() == 128);
    if (events_ != nullptr && echo) events_->echo(flow_of(entry), at);
  } else if (!entry.has(Entry::completed) && outward == entry.has(Entry::flipped)) {
    entry.set(Entry::completed);
    entry.state = FlowState::established;
    drop_half_open(entry);
    if (!view.is_icmp() && entry.has(Entry::known))
      roles_.learn(view.protocol, outward ? view.dport : view.sport);
    if (events_ != nullptr) events_->completed(flow_of(entry), at);
    report(entry, false, out);
  }
  return place;
}

void FlowTable::count(Entry& entry, std::uint32_t place, const PacketView& view, bool outward, Timestamp at) {
  if (entry.empty_delta()) {
    entry.first = at;
    if (entry.has(Entry::reported)) arm(entry, place, at + options_.window);
  }
  entry.last = std::max(entry.last, at);
  ++entry.packets_total;
  auto payload = view.payload_length;
  if (payload != 0) entry.set(Entry::content);
  if (outward) {
    ++entry.packets_out;
    entry.bytes_out += view.ip_length;
    entry.payload_out += payload;
  } else {
    ++entry.packets_in;
    entry.bytes_in += view.ip_length;
    entry.payload_in += payload;
  }
  if (outward == entry.has(Entry::flipped)) {
    ++entry.burst_answers;
    return;
  }
  entry.burst_bytes += view.ip_length;
  if (++entry.burst_packets < options_.burst) return;
  bool tcp_content = view.protocol == ip_protocol::tcp && entry.has(Entry::content);
  if (events_ != nullptr && !tcp_content &&
      (view.is_icmp() || entry.burst_answers * 20 < entry.burst_packets))
    events_->burst(first_sender_first(entry), entry.burst_packets, entry.burst_bytes, at - entry.burst_start,
                   at);
  entry.burst_packets = entry.burst_answers = 0;
  entry.burst_bytes = 0;
  entry.burst_start = at;
}

void FlowTable::follow_tcp(Entry& entry, std::uint32_t place, const PacketView& view, bool outward,
                           Timestamp at, std::vector<Flow>& out) {
  auto flags = view.tcp_flags;
  if (!view.flags_known && entry.has(Entry::known)) return; // a part of a segment says nothing new
  if ((flags & tcp_flag::rst) != 0) {
    bool never_answered = !entry.has(Entry::syn_ack) && !entry.has(Entry::completed);
    if (never_answered && outward == entry.has(Entry::flipped)) {
      entry.state = FlowState::refused;
      finish(entry, place, at, out);
      arm(entry, place, at + options_.tombstone);
    } else {
      close(entry, place, at, out);
    }
    return;
  }
  if ((flags & tcp_flag::syn) != 0) {
    if ((flags & tcp_flag::ack) == 0) {
      if (outward) entry.set(Entry::syn);
    } else if (!outward) {
      entry.set(Entry::syn_ack);
    }
    return;
  }
  if (!entry.has(Entry::completed)) {
    bool handshake = (entry.has(Entry::syn) || entry.has(Entry::known)) && entry.has(Entry::syn_ack);
    if (!handshake && !entry.has(Entry::syn)) entry.clear(Entry::known); // no opening after all
    // Content both of whose ends speak needs no handshake: its answer was missed, or the SYN was forged.
    bool content = entry.payload_out + entry.payload_in != 0;
    bool midstream = (!entry.has(Entry::known) || content) && entry.packets_out != 0 && entry.packets_in != 0;
    if (handshake || midstream) {
      entry.set(Entry::completed);
      entry.state = FlowState::established;
      drop_half_open(entry);
      if (handshake) roles_.learn(view.protocol, outward ? view.dport : view.sport);
      if (events_ != nullptr) events_->completed(flow_of(entry), at);
      if (handshake && !content && awaits_hello(outward ? view.dport : view.sport))
        arm(entry, place, at + options_.unreplied);
      else
        report(entry, false, out);
    }
  } else if (!entry.has(Entry::reported) && entry.has(Entry::content)) {
    report(entry, false, out);
  }
  if ((flags & tcp_flag::fin) != 0) entry.set(outward ? Entry::fin_out : Entry::fin_in);
  if (entry.has(Entry::fin_out) && entry.has(Entry::fin_in)) close(entry, place, at, out);
}

void FlowTable::close(Entry& entry, std::uint32_t place, Timestamp at, std::vector<Flow>& out) {
  entry.state = FlowState::closed;
  finish(entry, place, at, out);
  arm(entry, place, at + options_.tombstone);
}

/// An ICMP unreachable ends the flow whose datagram it quotes, if that one was not answered yet.
bool FlowTable::refuse_quoted(const PacketView& view, Timestamp at, std::vector<Flow>& out) {
  bool unreachable = view.protocol == ip_protocol::icmp ? view.icmp_type() == 3 : view.icmp_type() == 1;
  if (!unreachable) return false;
  Key key;
  const auto& quoted = view.quoted;
  bool icmp = quoted.protocol == ip_protocol::icmp || quoted.protocol == ip_protocol::icmp6;
  bool from_a = make_key(key, quoted.src, quoted.dst, icmp ? quoted.dport : quoted.sport, quoted.dport,
                         quoted.protocol);
  auto place = find(key, hash_of(key));
  if (place == none) return false;
  auto& entry = entries_[place];
  if (entry.has(Entry::done)) return true;
  bool outward = from_a != entry.has(Entry::swapped);
  if (entry.has(Entry::completed) || outward == entry.has(Entry::flipped)) return false;
  entry.state = FlowState::refused;
  entry.last = std::max(entry.last, at);
  finish(entry, place, at, out);
  arm(entry, place, at + options_.tombstone);
  return true;
}

std::uint32_t FlowTable::packets_of(std::uint32_t place) const { return entries_[place].packets_total; }
bool FlowTable::completed(std::uint32_t place) const { return entries_[place].has(Entry::completed); }
void FlowTable::label(std::uint32_t place, std::uint16_t application) {
  entries_[place].application = application;
}

} // namespace iris
