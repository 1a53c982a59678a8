#include "core/net/fragment_table.hpp"

#include <cstdlib>

namespace iris {

bool FragmentTable::resolve(PacketView& view, Timestamp now) {
  auto mixed = (seed_ ^ view.fragment_id ^ IpAddressHash{}(view.src)) * 0x9e3779b97f4a7c15ULL;
  mixed ^= IpAddressHash{}(view.dst) * 0xc2b2ae3d27d4eb4fULL;
  auto* set = &entries_[((mixed >> 40) % sets) * ways];
  auto* oldest = set;
  for (std::size_t i = 0; i < ways; ++i) {
    auto& entry = set[i];
    if (entry.used && entry.id == view.fragment_id && entry.protocol == view.protocol &&
        entry.src == view.src && entry.dst == view.dst && std::llabs(now - entry.at) < lifetime) {
      if (view.first_fragment) {
        oldest = &entry;
        break;
      }
      view.sport = entry.sport;
      view.dport = entry.dport;
      view.ports_known = true;
      return true;
    }
    if (!entry.used || (oldest->used && entry.at < oldest->at)) oldest = &entry;
  }
  if (!view.first_fragment) return false;
  if (view.ports_known)
    *oldest = {view.src, view.dst, now, view.fragment_id, view.sport, view.dport, view.protocol, true};
  return true;
}

} // namespace iris
