#include "node/evidence/evidence_ring.hpp"

#include <algorithm>

namespace iris {
namespace {

/// What a frame costs beside its bytes: its place in the deque and the allocator's share.
constexpr std::size_t overhead = 128;
/// A batch tells of flows that began so much earlier, or of what was waited for.
constexpr Duration reach = 60 * second;

} // namespace

void EvidenceRing::put(FrameMoment moment, std::vector<EncodedFrame> frames) {
  std::vector<std::shared_ptr<const Kept>> packed;
  for (const auto& frame : frames) {
    auto bytes = pack_frame(frame);
    bytes.shrink_to_fit();
    packed.push_back(std::make_shared<const Kept>(Kept{moment, std::move(bytes)}));
  }
  const std::lock_guard lock{mutex_};
  for (auto& kept : packed) {
    bytes_ += kept->packed.size() + overhead;
    frames_.push_back(std::move(kept));
  }
  while (!frames_.empty() && (bytes_ > limit_ || frames_.front()->moment.at < moment.at - age)) {
    ++(bytes_ > limit_ ? shed_ : aged_);
    bytes_ -= frames_.front()->packed.size() + overhead;
    frames_.pop_front();
  }
}

std::shared_ptr<PacketRing> EvidenceRing::packets_of(const std::string& interface) {
  const std::lock_guard lock{mutex_};
  for (const auto& ring : rings_)
    if (ring->interface() == interface) return ring;
  if (rings_.size() >= interfaces_limit) rings_.pop_front();
  rings_.push_back(std::make_shared<PacketRing>(interface));
  return rings_.back();
}

std::vector<std::shared_ptr<PacketRing>> EvidenceRing::rings() const {
  const std::lock_guard lock{mutex_};
  return {rings_.begin(), rings_.end()};
}

void EvidenceRing::read(Timestamp from, Timestamp until,
                        const std::function<void(const RecordedFrame&)>& each) const {
  std::vector<std::shared_ptr<const Kept>> wanted; // so that the router does not wait for what is decoded
  {
    const std::lock_guard lock{mutex_};
    for (const auto& kept : frames_)
      if (const auto at = kept->moment.at + kept->moment.shift; at >= from - second && at <= until + reach)
        wanted.push_back(kept);
  }
  for (const auto& kept : wanted)
    if (const auto frame = decode_packed_frame(kept->packed)) each(*frame);
}

EvidenceRing::Figures EvidenceRing::figures() const {
  const std::lock_guard lock{mutex_};
  const auto oldest = frames_.empty() ? 0 : frames_.front()->moment.at + frames_.front()->moment.shift;
  return {frames_.size(), bytes_, aged_, shed_, oldest};
}

} // namespace iris
