#pragma once
#include "core/base/result.hpp"
#include "core/learn/baseline.hpp"
#include "node/messages.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace iris {

class IndicatorSet;

/// Nothing happened for a while, but someone was watching.
struct RecordedTick {};
/// A program begins to write: what it was told, as far as judging needs it.
struct RecordedStart {
  std::string gateway, version;
  std::vector<Cidr> local;
};
/// Packets of one interface, in the order in which they were captured.
struct RecordedPackets {
  struct Head {
    Timestamp at = 0;
    std::uint32_t wire_length = 0, captured = 0;
  };
  std::string interface;
  int link = 0; ///< as pcap_datalink()
  std::vector<Head> heads;
  std::vector<char> bytes; ///< what was captured of each, one after the other
};
/// What could not be written since it was last told.
struct RecordedLoss {
  std::uint64_t batches = 0, packets = 0;
};
struct RecordedEnd {
  std::string why;
};

/// One frame of a recording: what reached the router, and when it took it, on the gateway's own time line.
struct RecordedFrame {
  Timestamp at = 0;
  Duration shift = 0; ///< what makes a time of the line the wall's (ClockLine::shift)
  std::variant<RecordedTick, RecordedStart, ProcessBatch, FlowBatch, ContainerBatch, UsageBatch, DeviceList,
               HostAddresses, HealthBatch, RecordedPackets, BaselinePtr, std::shared_ptr<const IndicatorSet>,
               TimeScale, RecordedLoss, RecordedEnd>
      what;
};

/// Largest encoded frame, bytes. Batches of processes and flows become several; another that is larger is not
/// recorded.
inline constexpr std::size_t frame_limit = 16U << 20;
/// Times of a frame are within these, so that sums and differences of them do not overflow; ns.
inline constexpr Timestamp frame_earliest = -(std::int64_t{1} << 60), frame_latest = std::int64_t{1} << 62;

using EncodedFrame = std::vector<char>; ///< recording.capnp Frame, flat with its segment table
struct FrameMoment {
  Timestamp at = 0;
  Duration shift = 0;
};

[[nodiscard]] std::vector<EncodedFrame> encode_frames(FrameMoment moment, const ProcessBatch& batch);
[[nodiscard]] std::vector<EncodedFrame> encode_frames(FrameMoment moment, const FlowBatch& batch);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const ContainerBatch& batch);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const UsageBatch& batch);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const DeviceList& list);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const HostAddresses& addresses);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const HealthBatch& batch);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const RecordedTick&);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const RecordedStart& start);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const RecordedPackets& packets);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const Baseline& baseline);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const IndicatorSet& indicators);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const TimeScale& scale);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const RecordedLoss& loss);
[[nodiscard]] EncodedFrame encode_frame(FrameMoment moment, const RecordedEnd& end);

/// Takes bytes of anyone: every length, enum and time is checked.
[[nodiscard]] Result<RecordedFrame> decode_frame(std::span<const char> bytes);

/// Cap'n Proto's packing, about half as large: for memory.
[[nodiscard]] std::vector<char> pack_frame(const EncodedFrame& frame);
[[nodiscard]] Result<RecordedFrame> decode_packed_frame(std::span<const char> packed);

} // namespace iris
