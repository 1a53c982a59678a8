#pragma once
#include "core/net/flow_table.hpp"

#include <cstdint>
#include <memory>

namespace iris {

struct LabellerStats {
  std::uint64_t labelled = 0; ///< flows whose protocol was found
  std::uint64_t unknown = 0;  ///< flows given up after their first packets
  std::uint64_t no_room = 0;  ///< flows that were not looked at because all states were in use
  std::size_t states = 0;     ///< in use now
};

/// Names the application protocol of flows from their first eight packets: nDPI, and our own recognisers for
/// what it does not know. At most `limit` flows are looked at once; the others stay without a label and are
/// counted. One flow table, one thread.
class ApplicationLabeller {
public:
  static constexpr std::uint32_t packet_limit = 8;
  explicit ApplicationLabeller(FlowTable& flows, std::size_t limit = 1'024);
  ~ApplicationLabeller();
  ApplicationLabeller(const ApplicationLabeller&) = delete;
  ApplicationLabeller& operator=(const ApplicationLabeller&) = delete;

  /// To be called with each packet that FlowTable::add() gave a place.
  void packet(std::uint32_t place, const PacketView& view, Timestamp at);
  [[nodiscard]] LabellerStats stats() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace iris
