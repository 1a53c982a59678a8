// What a flow remembers of its TCP packets: what happened in which order, and what had to be sent again.
#include "core/net/flow_entry.hpp"

#include <bit>
#include <limits>

namespace iris {

namespace {

/// Two bits each: of the side that opened, and of the other one. As Zeek's history, but bounded.
constexpr char letters[] = "SsHhAaDdFfRrTt";
enum Event : std::uint16_t {
  opening = 1,
  opening_answer = 1 << 2,
  acknowledgement = 1 << 4,
  content = 1 << 6,
  end = 1 << 8,
  reset = 1 << 10,
  again = 1 << 12,
};
constexpr std::uint16_t of_one_side = 0x5555;

} // namespace

/// @param outward sent by the side that opened it.
void FlowTable::remember_tcp(Entry& entry, const PacketView& view, bool outward) {
  if (!view.flags_known || view.fragment) return;
  const auto flags = view.tcp_flags;
  const bool syn = (flags & tcp_flag::syn) != 0, fin = (flags & tcp_flag::fin) != 0;
  unsigned events = 0;
  if (syn) events = (flags & tcp_flag::ack) != 0 ? opening_answer : opening;
  if (fin) events |= end;
  if ((flags & tcp_flag::rst) != 0) events |= reset;
  if (view.payload_length != 0)
    events |= content;
  else if (events == 0)
    events |= acknowledgement;

  const auto side = unsigned(outward ? of_one_side : of_one_side << 1);
  auto& next = outward ? entry.next_out : entry.next_in;
  const auto behind = view.tcp_sequence + view.payload_length + std::uint32_t(syn) + std::uint32_t(fin);
  if ((entry.history_seen & side) == 0) {
    next = behind;
  } else if ((flags & tcp_flag::rst) == 0) {
    const auto old = std::int32_t(view.tcp_sequence - next) < 0;
    const bool probe = view.payload_length <= 1 && !syn && view.tcp_sequence + 1 == next; // keep-alive
    if (old && !probe && (view.payload_length != 0 || syn)) {
      events |= again;
      auto& count = outward ? entry.again_out : entry.again_in;
      if (count != std::numeric_limits<std::uint16_t>::max()) ++count;
      ++stats_.retransmitted;
    }
    if (std::int32_t(behind - next) > 0) next = behind;
  }
  events = (outward ? events : events << 1) & ~unsigned(entry.history_seen);
  for (; events != 0; events &= events - 1) {
    entry.history |= std::uint64_t(std::countr_zero(events)) << 4 * entry.history_size++;
    entry.history_seen = std::uint16_t(entry.history_seen | (events & (0U - events)));
  }
}

void FlowTable::Entry::write_history(std::array<char, 16>& to) const {
  for (unsigned i = 0; i < history_size; ++i)
    to[i] = letters[history >> 4 * i & 15];
}

void FlowTable::name(std::uint32_t place, const PacketView& view, std::string_view name,
                     std::vector<Flow>& out) {
  auto& entry = entries_[place];
  const auto* opener = entry.has(Entry::swapped) ? entry.key.b : entry.key.a;
  const auto port = entry.has(Entry::swapped) ? entry.key.port_b : entry.key.port_a;
  if (entry.name != 0 || port != view.sport || std::memcmp(opener, view.src.bytes.data(), 16) != 0) return;
  entry.name = names_.keep(name);
  if (entry.name == 0) ++stats_.names_full;
  if (entry.harvest == harvest_ && entry.report_index < out.size())
    out[entry.report_index].server_name = names_.of(entry.name);
}

} // namespace iris
