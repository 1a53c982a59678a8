#pragma once
#include "core/net/flow_events.hpp"
#include "core/net/flow_names.hpp"
#include "core/net/fragment_table.hpp"
#include "core/net/packet.hpp"
#include "core/net/port_roles.hpp"

#include <memory>
#include <vector>

namespace iris {

struct FlowTableOptions {
  std::size_t capacity = 65'536;          ///< flows at once; about 240 B each, touched only when used
  Duration window = 10 * second;          ///< a long flow reports its deltas this often (TimeScale::window)
  Duration unanswered = second;           ///< TCP: an opening that nobody answered for this long is reported
  Duration unreplied = 200 * millisecond; ///< the same for UDP, ICMP and others
  Duration tcp_idle = 300 * second;
  Duration udp_idle = 60 * second;
  Duration opening_idle = 30 * second; ///< an unanswered TCP opening is forgotten

  Duration tombstone = 2 * second;         ///< after the last report, for stragglers not to begin a flow anew
  std::uint32_t burst = 256;               ///< packets of one flow that make one burst() event
  std::uint16_t interface = 0;             ///< goes into every Flow
  std::uint64_t seed = 0x1b873593cc9e2d51; ///< random in live use, so that nobody can aim at one hash slot
};

struct FlowTableStats {
  std::uint64_t packets = 0, bytes = 0; ///< IP packets that were accounted to a flow
  std::uint64_t flows = 0;              ///< ever begun
  std::uint64_t reports = 0;            ///< Flow observations emitted
  std::uint64_t hushed = 0;             ///< reports that an alarm already told of
  std::uint64_t evicted_half_open = 0;  ///< table full: an unanswered flow gave way
  std::uint64_t evicted_active = 0;     ///< table full: an answered flow gave way
  std::uint64_t fragments_lost = 0;     ///< later fragments whose first one was not seen (yet)
  std::uint64_t tiny_fragments = 0;     ///< first fragments of TCP that end before the flags: an evasion
  std::uint64_t portless = 0;           ///< cut before the ports
  std::uint64_t hidden = 0;        ///< counted by their addresses only: cut within IPv6 extension headers
  std::uint64_t orphans = 0;       ///< FIN or RST of no known flow
  std::uint64_t stragglers = 0;    ///< packets without content after a flow's last report was taken
  std::uint64_t resumed = 0;       ///< flows that went on after a reset or an ICMP error
  std::uint64_t retransmitted = 0; ///< TCP segments that came again or out of order
  std::uint64_t names_full = 0;    ///< TLS names that were left out because there are too many at once
  std::uint64_t clock_jumps = 0;   ///< time went back by more than a minute: all flows ended
  std::uint64_t active = 0;        ///< flows in the table now
};

/// Bidirectional flows of one interface: bounded, no allocation a packet, no clock of its own.
/// Reports a flow as soon as it can be judged (TCP: established, refused or unanswered; others: at the first
/// answer or unreplied), then its deltas every window, and a last time when it ends.
class FlowTable {
public:
  explicit FlowTable(const FlowTableOptions& options, FlowEvents* events = nullptr);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  static constexpr std::uint32_t none = 0xffff'ffff;
  /// Accounts one decoded IP packet; resolves the ports of fragments in `view`.
  /// @returns the flow's place in the table, below capacity; `none` where the packet belongs to no flow.
  std::uint32_t add(PacketView& view, Timestamp at, std::vector<Flow>& out);
  /// Lets time pass: reports and expires what is due. Cheap to call for every packet.
  void advance(Timestamp now, std::vector<Flow>& out) {
    if (now >= next_tick_) run_wheel(now, out);
  }
  /// Replaces FlowTableOptions::window; a flow that waits for the end of its present one reports then.
  void set_window(Duration window) { options_.window = window; }
  /// To be called when the caller has emptied `out`. Until then a flow has one report in it, to which later
  /// ones are added: a short connection that begins and ends between two harvests is one observation.
  void harvested() { ++harvest_; }
  /// Ends every flow, as at the end of a capture.
  void flush(std::vector<Flow>& out);

  /// For labelling: packets of the flow in both directions so far, and whether its label is settled.
  [[nodiscard]] std::uint32_t packets_of(std::uint32_t place) const;
  /// Whether the handshake is done, or both sides have spoken.
  [[nodiscard]] bool completed(std::uint32_t place) const;
  void label(std::uint32_t place, std::uint16_t application);
  /// The TLS name that `view`, a packet of this flow, asked for; the first one of the opening side counts.
  void name(std::uint32_t place, const PacketView& view, std::string_view name, std::vector<Flow>& out);
  /// Names for labels; called when a flow with a label other than 0 is reported.
  void set_label_names(const char* (*name_of)(void* context, std::uint16_t), void* context) {
    name_of_ = name_of;
    name_context_ = context;
  }
  /// Called with the place of a flow that is gone, before the place is used again.
  void set_released(void (*released)(void* context, std::uint32_t place), void* context) {
    released_ = released;
    released_context_ = context;
  }

  [[nodiscard]] const FlowTableStats& stats() const { return stats_; }

private:
  static constexpr std::uint32_t wheel_slots = 16'384;
  struct Key;
  struct Entry;
  struct Slot;

  [[nodiscard]] std::uint32_t hash_of(const Key& key) const;
  [[nodiscard]] std::uint32_t find(const Key& key, std::uint32_t hash) const;
  std::uint32_t create(const Key& key, std::uint32_t hash, Timestamp at, std::vector<Flow>& out);
  void erase(std::uint32_t place);
  void evict(std::vector<Flow>& out);
  void begin(Entry& entry, const PacketView& view, bool from_a);
  void count(Entry& entry, std::uint32_t place, const PacketView& view, bool outward, Timestamp at);
  void follow_tcp(Entry& entry, std::uint32_t place, const PacketView& view, bool outward, Timestamp at,
                  std::vector<Flow>& out);
  void remember_tcp(Entry& entry, const PacketView& view, bool outward);
  void close(Entry& entry, std::uint32_t place, Timestamp at, std::vector<Flow>& out);
  void count_straggler(Entry& entry, std::uint32_t place, const PacketView& view, bool outward, Timestamp at,
                       std::vector<Flow>& out);
  void leave(std::uint32_t place, Timestamp now, std::vector<Flow>& out);
  bool refuse_quoted(const PacketView& view, Timestamp at, std::vector<Flow>& out);
  void report(Entry& entry, bool last, std::vector<Flow>& out);
  void finish(Entry& entry, std::uint32_t place, Timestamp now, std::vector<Flow>& out);
  void tell_failed(Entry& entry, Failure how, Timestamp now);
  [[nodiscard]] Flow flow_of(const Entry& entry) const;
  [[nodiscard]] Flow first_sender_first(const Entry& entry) const;
  [[nodiscard]] Duration idle_of(const Entry& entry) const;

  void start_clock(Timestamp at);
  void arm(Entry& entry, std::uint32_t place, Timestamp deadline);
  void disarm(Entry& entry);
  void run_wheel(Timestamp now, std::vector<Flow>& out);
  void on_deadline(std::uint32_t place, Timestamp now, std::vector<Flow>& out);
  void push_half_open(Entry& entry, std::uint32_t place);
  void drop_half_open(Entry& entry);

  FlowTableOptions options_;
  FlowEvents* events_;
  const char* (*name_of_)(void*, std::uint16_t) = nullptr;
  void* name_context_ = nullptr;
  void (*released_)(void*, std::uint32_t) = nullptr;
  void* released_context_ = nullptr;
  std::unique_ptr<Entry[]> entries_;
  std::unique_ptr<Slot[]> slots_; ///< open addressing, linear probing, at most half full
  std::uint32_t slot_mask_ = 0;
  std::uint32_t fresh_ = 0;   ///< entries from here on were never used
  std::uint32_t free_ = none; ///< list of used and freed entries
  std::uint32_t sweep_ = 0;   ///< where the next eviction of an answered flow looks
  std::uint32_t half_open_first_ = none, half_open_last_ = none;
  std::unique_ptr<std::uint32_t[]> wheel_;
  std::uint32_t harvest_ = 1;
  std::int64_t tick_ = 0; ///< the next that was not looked at
  Timestamp next_tick_ = 0, now_ = 0;
  FragmentTable fragments_;
  PortRoles roles_;
  FlowNames names_;
  FlowTableStats stats_;
};

} // namespace iris
