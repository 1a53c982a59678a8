#include "node/evidence/packet_ring.hpp"

#include <algorithm>
#include <cstring>

namespace iris {
namespace {

std::size_t group_of(const IpAddress& address) { return IpAddressHash{}(address) % PacketRing::groups; }

bool holds(const std::vector<IpAddress>& list, const IpAddress& address) {
  return std::find(list.begin(), list.end(), address) != list.end();
}

} // namespace

PacketRing::PacketRing(std::string interface)
    : interface_{std::move(interface)}, headers_{
                                            std::make_unique_for_overwrite<PacketHeader[]>(groups * share)} {}

void PacketRing::frame(const TappedFrame& frame) {
  if (frame.view == nullptr) return; // no address that a question could name
  const auto& view = *frame.view;
  auto& destination = groups_[group_of(view.dst)];
  if (const auto now = frame.at / second; destination.counted != now) {
    destination.counted = now;
    destination.taken = 0;
  }
  if (++destination.taken > pace) {
    ++counters_.thinned;
    return;
  }
  const auto number = group_of(view.src);
  auto& group = groups_[number];
  auto& kept = headers_[number * share + group.next];
  group.next = (group.next + 1) % share;
  group.used = std::min<std::uint32_t>(group.used + 1, share);
  ++counters_.packets;
  const auto* end = view.payload != nullptr ? view.payload : frame.captured.data() + frame.captured.size();
  kept.at = frame.at;
  kept.wire_length = frame.wire_length;
  kept.link = frame.link;
  kept.size =
      std::uint16_t(std::min<std::size_t>(std::size_t(end - frame.captured.data()), PacketHeader::limit));
  std::memcpy(kept.bytes.data(), frame.captured.data(), kept.size);
}

void PacketRing::find(Timestamp from, Timestamp until, const std::vector<IpAddress>& these,
                      const std::vector<IpAddress>& others, std::vector<PacketHeader>& out) const {
  const std::lock_guard lock{mutex_};
  PacketView view;
  for (std::size_t number = 0; number < groups; ++number)
    for (std::size_t i = 0; i < groups_[number].used; ++i) {
      const auto& kept = headers_[number * share + i];
      if (kept.at < from || kept.at > until) continue;
      view.reset();
      if (decode(kept.link, {kept.bytes.data(), kept.size}, kept.wire_length, view) != Decoded::ip) continue;
      const auto fits = [&](const IpAddress& one, const IpAddress& other) {
        return holds(these, one) && (others.empty() || holds(others, other));
      };
      if (fits(view.src, view.dst) || fits(view.dst, view.src)) out.push_back(kept);
    }
}

Timestamp PacketRing::oldest() const {
  const std::lock_guard lock{mutex_};
  Timestamp oldest = 0;
  for (std::size_t number = 0; number < groups; ++number)
    for (std::size_t i = 0; i < groups_[number].used; ++i)
      if (const auto at = headers_[number * share + i].at; oldest == 0 || at < oldest) oldest = at;
  return oldest;
}

PacketRing::Counters PacketRing::counters() const {
  const std::lock_guard lock{mutex_};
  return counters_;
}

} // namespace iris
