#include "node/recording/packet_recorder.hpp"

#include <algorithm>

namespace iris {

PacketRecorder::PacketRecorder(std::shared_ptr<Recorder> recorder, std::string interface,
                               std::function<Duration()> shift)
    : recorder_{std::move(recorder)}, shift_{std::move(shift)} {
  waiting_.interface = std::move(interface);
  waiting_.heads.reserve(buffer_packets);
  waiting_.bytes.reserve(buffer_bytes);
}

void PacketRecorder::frame(const TappedFrame& frame) {
  const auto size = frame.captured.size();
  if (size > buffer_bytes || size > frame.wire_length) return; // no snapshot is that long
  if (waiting_.heads.size() == buffer_packets || waiting_.bytes.size() + size > buffer_bytes ||
      frame.link != waiting_.link)
    hand_on(latest_);
  waiting_.link = frame.link;
  waiting_.heads.push_back({frame.at, frame.wire_length, std::uint32_t(size)});
  waiting_.bytes.insert(waiting_.bytes.end(), frame.captured.begin(), frame.captured.end());
  latest_ = std::max(latest_, frame.at);
}

void PacketRecorder::end(Timestamp now) {
  latest_ = now;
  if (now < next_ && now > next_ - 2 * pace) return;
  next_ = now + pace;
  hand_on(now);
}

void PacketRecorder::hand_on(Timestamp now) {
  if (waiting_.heads.empty()) return;
  recorder_->take_packets({now, shift_()}, waiting_);
  waiting_.heads.clear();
  waiting_.bytes.clear();
}

} // namespace iris
