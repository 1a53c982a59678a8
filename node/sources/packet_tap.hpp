#pragma once
#include "core/base/time.hpp"
#include "core/net/packet.hpp"

#include <cstdint>
#include <span>

namespace iris {

/// One frame as a capture saw it.
struct TappedFrame {
  int link = 0; ///< as pcap_datalink()
  std::span<const std::uint8_t> captured;
  std::uint32_t wire_length = 0;
  Timestamp at = 0;
  const PacketView* view = nullptr; ///< decoded; null where it is no IP packet
};

/// Sees every frame of one capture, in the capture's thread. Must neither allocate, lock nor wait for a
/// frame.
class PacketTap {
public:
  virtual ~PacketTap() = default;
  virtual void begin() {} ///< frames come now, thousands perhaps
  virtual void frame(const TappedFrame& frame) = 0;
  virtual void end(Timestamp now) = 0; ///< no more for now; at least ten times a second
};

} // namespace iris
