#pragma once
#include "node/sources/packet_tap.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace iris {

/// The head of one packet: its link, network and transport headers, none of what they carry.
struct PacketHeader {
  static constexpr std::size_t limit = 108; ///< Ethernet with a tag, IPv6 and a full TCP header have 118
  Timestamp at = 0;                         ///< on the gateway's line
  std::uint32_t wire_length = 0;
  std::int32_t link = 0;
  std::uint16_t size = 0;
  std::array<std::uint8_t, limit> bytes;
};

/// The heads of the last packets of one interface, in memory that never grows: a share for the sources of
/// each of 256 groups of addresses, so that one who talks much overwrites his own. A destination that is
/// flooded, from made-up sources perhaps, gets so many a second; further ones are counted.
class PacketRing final : public PacketTap {
public:
  static constexpr std::size_t groups = 256, share = 32;
  static constexpr std::uint32_t pace = 128; ///< packets a second to the destinations of one group

  struct Counters {
    std::uint64_t packets = 0, thinned = 0; ///< kept once; left out beyond `pace`
  };

  explicit PacketRing(std::string interface);

  /// The lock is held for as long as a capture hands over what it has.
  void begin() override { mutex_.lock(); }
  void frame(const TappedFrame& frame) override;
  void end(Timestamp) override { mutex_.unlock(); }

  /// Appends those between any of `these` and, unless that is empty, any of `others`, in no order.
  void find(Timestamp from, Timestamp until, const std::vector<IpAddress>& these,
            const std::vector<IpAddress>& others, std::vector<PacketHeader>& out) const;
  [[nodiscard]] Timestamp oldest() const; ///< of those kept; 0 for none
  [[nodiscard]] Counters counters() const;
  [[nodiscard]] const std::string& interface() const { return interface_; }

private:
  struct Group {
    std::uint32_t next = 0, used = 0;
    std::uint32_t taken = 0; ///< of `pace`, as a destination, in second `counted`
    std::int64_t counted = 0;
  };

  const std::string interface_;
  mutable std::mutex mutex_;
  std::array<Group, groups> groups_{};
  std::unique_ptr<PacketHeader[]> headers_; ///< memory is used as it fills
  Counters counters_;
};

} // namespace iris
