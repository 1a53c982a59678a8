#pragma once
#include "core/base/observation.hpp"

#include <cstdint>

namespace iris {

/// How an attempt to reach someone came to nothing.
enum class Failure : std::uint8_t {
  unanswered, ///< no answer in time, or the handshake was never completed
  refused,    ///< RST or ICMP unreachable
  barren,     ///< TCP: connected and closed without one byte of content
  stray,      ///< TCP packets of no known connection that nobody answers
};

/// What the flow table tells whoever judges traffic patterns. One call a flow or a burst, never one a packet.
class FlowEvents {
public:
  virtual ~FlowEvents() = default;
  /// @param packets, bytes what was sent out in it and not yet told by failed() or burst().
  virtual void failed(const Flow& flow, Failure how, std::uint32_t packets, std::uint64_t bytes,
                      Timestamp now) = 0;
  /// The other side answered: a handshake was completed, or a datagram was replied to.
  virtual void completed(const Flow& flow, Timestamp now) = 0;
  /// A first ICMP echo request between two hosts, answered or not.
  virtual void echo(const Flow& flow, Timestamp now) = 0;
  /// One flow sent this many packets out within `span` while next to nothing (or, for ICMP, anything) came
  /// back.
  virtual void burst(const Flow& flow, std::uint32_t packets, std::uint64_t bytes, Duration span,
                     Timestamp now) = 0;
  /// True for a flow that an alarm already tells of: it is then counted instead of reported.
  [[nodiscard]] virtual bool covers(const Flow& flow) const = 0;
};

} // namespace iris
