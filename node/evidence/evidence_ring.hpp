#pragma once
#include "node/evidence/packet_ring.hpp"
#include "node/recording/frame.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace iris {

/// What of the ring belongs to an alert. Times are the wall's.
struct EvidenceQuestion {
  Timestamp first = 0, last = 0;    ///< of the alert; what was around it belongs to it
  std::string container;            ///< its processes and what happened to it; "" for no container
  std::vector<IpAddress> addresses; ///< of whom it is about: flows, names and packets
  std::vector<IpAddress> peers;     ///< whom it dealt with; what is between both comes first
  bool packets = false;             ///< heads of packets too
};

/// The last hour of what the router took, packed, and the heads of the last packets: what an alert rests on,
/// and what was around it. In memory, since an hour of a gateway is a few MiB that a flash disk would have to
/// write all the time; so it is gone with the process. The oldest goes first, at the age or at the bytes.
/// Thread-safe.
class EvidenceRing {
public:
  static constexpr Duration age = 3'600 * second;
  static constexpr std::size_t default_bytes = 8U << 20; ///< of observations
  static constexpr std::size_t interfaces_limit = 16; ///< rings of packets, about 1 MiB each; the oldest goes
  struct Figures {
    std::size_t frames = 0, bytes = 0;
    std::uint64_t aged = 0, shed = 0; ///< frames that went for their age, and for the bytes
    Timestamp oldest = 0;             ///< wall time; 0 for none
  };

  explicit EvidenceRing(std::size_t bytes = default_bytes) : limit_{bytes} {}

  void take(FrameMoment moment, const ProcessBatch& batch) { put(moment, encode_frames(moment, batch)); }
  void take(FrameMoment moment, const FlowBatch& batch) { put(moment, encode_frames(moment, batch)); }
  void take(FrameMoment moment, const ContainerBatch& batch) { put(moment, {encode_frame(moment, batch)}); }
  void take(FrameMoment moment, const HealthBatch& batch) { put(moment, {encode_frame(moment, batch)}); }
  /// What else reaches the router is no evidence of anything.
  template <class Other>
  void take(FrameMoment, const Other&) {}

  /// The ring of an interface's packets, for its capture.
  [[nodiscard]] std::shared_ptr<PacketRing> packets_of(const std::string& interface);

  /// Calls `each` for every frame kept that may hold something of this span, the oldest first.
  void read(Timestamp from, Timestamp until, const std::function<void(const RecordedFrame&)>& each) const;
  [[nodiscard]] std::vector<std::shared_ptr<PacketRing>> rings() const;
  [[nodiscard]] Figures figures() const;

private:
  struct Kept {
    FrameMoment moment;
    std::vector<char> packed;
  };
  void put(FrameMoment moment, std::vector<EncodedFrame> frames);

  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const Kept>> frames_;
  std::size_t bytes_ = 0;
  std::uint64_t aged_ = 0, shed_ = 0;
  std::deque<std::shared_ptr<PacketRing>> rings_;
};

} // namespace iris
