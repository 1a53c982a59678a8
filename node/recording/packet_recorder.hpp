#pragma once
#include "node/recording/recorder.hpp"
#include "node/sources/packet_tap.hpp"

#include <functional>
#include <memory>
#include <string>

namespace iris {

inline constexpr int recorded_frame =
    65'536; ///< bytes kept of a packet: all of it, segments merged on receipt too

/// Gives the packets of one interface to a recorder, as many at a time as its buffers hold.
class PacketRecorder final : public PacketTap {
public:
  static constexpr std::size_t buffer_bytes = 1U << 20;
  static constexpr std::size_t buffer_packets = 16'384;
  static constexpr Duration pace = second; ///< what waits is handed on this often at least

  PacketRecorder(std::shared_ptr<Recorder> recorder, std::string interface, std::function<Duration()> shift);
  ~PacketRecorder() override { hand_on(latest_); }
  void frame(const TappedFrame& frame) override;
  void end(Timestamp now) override;

private:
  void hand_on(Timestamp now);

  std::shared_ptr<Recorder> recorder_;
  std::function<Duration()> shift_;
  RecordedPackets waiting_;
  Timestamp latest_ = 0, next_ = 0;
};

} // namespace iris
