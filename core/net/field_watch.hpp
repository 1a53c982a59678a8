#pragma once
#include "core/base/observation.hpp"
#include "core/field/field_request.hpp"
#include "core/net/packet.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace iris {

struct FieldWatchStats {
  std::uint64_t requests = 0; ///< seen
  std::uint64_t unread = 0;   ///< payloads on a field port that were not of the protocol, cut, or a fragment
  std::uint64_t evicted = 0;  ///< functions that were told of early, to make room for newer ones
  std::uint64_t dropped = 0;  ///< requests that were not told of, since one harvest had no room
};

/// What is asked of field devices, by whom, and how often: at once the first time, then once a pace. Fixed
/// memory (about 330 KiB): where it is full, of four functions the one that was used longest ago gives way.
/// Allocates where it tells, never by packet. One thread.
class FieldWatch {
public:
  static constexpr std::size_t ways = 4, sets = 1'024;
  static constexpr Duration pace = 10 * second;
  static constexpr std::size_t harvest_limit = 1'024; ///< entries of `out`

  explicit FieldWatch(std::uint64_t seed);
  ~FieldWatch();

  /// To be called with each TCP or UDP packet; looks at the ports first.
  void packet(const PacketView& view, Timestamp at, std::vector<FieldCommand>& out) {
    const auto protocol = protocol_of(view);
    if (protocol == 0) return;
    if (view.fragment)
      ++stats_.unread;
    else if (view.payload != nullptr && view.payload_captured != 0)
      read(FieldProtocol{protocol}, view, at, out);
  }
  /// Tells what was counted; cheap where the pace is not over yet.
  void advance(Timestamp now, std::vector<FieldCommand>& out);
  /// Tells all that was counted.
  void flush(std::vector<FieldCommand>& out);
  [[nodiscard]] const FieldWatchStats& stats() const { return stats_; }

private:
  struct Slot;
  struct Table;

  /// By the port that is asked: 0 for none.
  [[nodiscard]] static std::uint8_t protocol_of(const PacketView& view) {
    if (view.protocol == ip_protocol::tcp) return view.dport == 502 ? std::uint8_t(FieldProtocol::modbus) : 0;
    if (view.protocol != ip_protocol::udp) return 0;
    if (view.dport == 161 || view.dport == 162) return std::uint8_t(FieldProtocol::snmp);
    return view.dport >= 47'808 && view.dport <= 47'823 ? std::uint8_t(FieldProtocol::bacnet) : 0;
  }
  void read(FieldProtocol protocol, const PacketView& view, Timestamp at, std::vector<FieldCommand>& out);
  void count(const PacketView& view, const FieldRequest& request, Timestamp at,
             std::vector<FieldCommand>& out);
  void tell(Slot& slot, std::vector<FieldCommand>& out);

  std::uint64_t seed_;
  std::unique_ptr<Table> table_;
  std::vector<FieldRequest> found_; ///< of one packet
  FieldWatchStats stats_;
  Timestamp next_ = 0;
};

} // namespace iris
