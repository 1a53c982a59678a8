#include "core/net/fragment_table.hpp"

#include <cstdlib>

namespace iris {

bool FragmentTable::resolve(PacketView& view, Timestamp now, std::uint32_t& early) {
  auto mixed = (seed_ ^ view.fragment_id ^ IpAddressHash{}(view.src)) * 0x9e3779b97f4a7c15ULL;
  mixed ^= IpAddressHash{}(view.dst) * 0xc2b2ae3d27d4eb4fULL;
  auto* set = &entries_[((mixed >> 40) % sets) * ways];
  // RFC 791 tells datagrams apart by protocol as well, RFC 8200 does not.
  auto protocol = view.src.is_v4() ? view.protocol : std::uint8_t{0};
  Entry* known = nullptr;
  auto* oldest = set;
  for (std::size_t i = 0; i < ways; ++i) {
    auto& entry = set[i];
    if (entry.used && entry.id == view.fragment_id && entry.protocol == protocol && entry.src == view.src &&
        entry.dst == view.dst && std::llabs(now - entry.at) < lifetime) {
      known = &entry;
      break;
    }
    if (!entry.used || (oldest->used && entry.at < oldest->at)) oldest = &entry;
  }
  early = 0;
  if (view.first_fragment) {
    if (!view.ports_known) return true;
    if (known != nullptr && !known->first) {
      early = known->early;
      view.ip_length += known->early_bytes;
      view.payload_length += known->early_payload;
      if (known->flags_known && !view.flags_known && view.protocol == ip_protocol::tcp) {
        view.tcp_flags = known->tcp_flags;
        view.flags_known = true;
      }
    }
    auto& entry = known != nullptr ? *known : *oldest;
    entry = Entry{view.src, view.dst, now, view.fragment_id};
    entry.sport = view.sport;
    entry.dport = view.dport;
    entry.protocol = protocol;
    entry.transport = view.protocol;
    entry.used = entry.first = true;
    return true;
  }
  if (known != nullptr && known->first) {
    view.sport = known->sport;
    view.dport = known->dport;
    view.protocol = known->transport;
    view.ports_known = true;
    return true;
  }
  if (known == nullptr) {
    known = oldest;
    *known = Entry{view.src, view.dst, now, view.fragment_id};
    known->protocol = protocol;
    known->used = true;
  }
  ++known->early;
  known->early_bytes += view.ip_length;
  known->early_payload += view.payload_length;
  if (view.flags_known) {
    known->tcp_flags = view.tcp_flags;
    known->flags_known = true;
  }
  return false;
}

} // namespace iris
