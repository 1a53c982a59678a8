#pragma once
#include "core/net/flow_table.hpp"

namespace iris {

/// Both ends in canonical order, so that either direction finds the same flow.
struct FlowTable::Key {
  std::uint64_t a[2], b[2];
  std::uint16_t port_a, port_b;
  std::uint8_t protocol, zero;
  std::uint16_t zeros;
  friend bool operator==(const Key& left, const Key& right) {
    return std::memcmp(&left, &right, sizeof(Key)) == 0;
  }
};

struct FlowTable::Slot {
  std::uint32_t hash = 0;
  std::uint32_t place = none;
};

struct FlowTable::Entry {
  enum Flag : std::uint16_t {
    known = 1,   ///< the beginning was seen
    swapped = 2, ///< b opened it
    flipped = 4, ///< the ports say that the first sender answers
    syn = 8,
    syn_ack = 16,
    completed = 32, ///< handshake done, or both sides have spoken
    fin_out = 64,
    fin_in = 128,
    content = 256, ///< some payload in either direction
    reported = 512,
    told_failed = 1024,
    told_last = 2048, ///< the newest report said that it is the last
    done = 4096,      ///< last report made; absorbs stragglers
    half_open = 8192, ///< on the list of those that give way first
    armed = 16384,
    read = 32768, ///< a report was emitted, not only counted
  };
  Key key;
  std::uint32_t hash;
  std::uint16_t flags;
  FlowState state;
  std::uint8_t history_size;
  Timestamp first, last;                 ///< first of the current delta; last ever
  std::uint32_t packets_out, packets_in; ///< of the current delta, as are the bytes
  std::uint64_t bytes_out, bytes_in, payload_out, payload_in;
  Timestamp burst_start;
  std::uint32_t burst_packets, burst_answers; ///< since the last event, by the first sender and by the other
  std::uint64_t burst_bytes;
  std::uint32_t packets_total;
  std::uint16_t application, name;                      ///< 0 for none; `name` is of FlowNames
  std::uint32_t next_out, next_in;                      ///< TCP: sequence number behind what was sent
  std::uint16_t again_out, again_in;                    ///< TCP: retransmitted, of the current delta
  std::uint16_t history_seen;                           ///< a bit for each of 14 events, see flow_history.cpp
  std::uint64_t history;                                ///< four bits an event, the first one lowest
  std::uint32_t timer_slot, timer_next, timer_previous; ///< timer_next links the free list as well
  std::uint32_t half_open_next, half_open_previous;
  std::uint32_t harvest, report_index; ///< where its report waits to be taken

  [[nodiscard]] bool has(Flag flag) const { return (flags & flag) != 0; }
  void set(Flag flag) { flags = std::uint16_t(flags | flag); }
  void clear(Flag flag) { flags = std::uint16_t(flags & ~flag); }
  void write_history(std::array<char, 16>& to) const;
  [[nodiscard]] bool empty_delta() const { return packets_out == 0 && packets_in == 0; }
};

} // namespace iris
