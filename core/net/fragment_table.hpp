#pragma once
#include "core/base/time.hpp"
#include "core/net/packet.hpp"

#include <array>

namespace iris {

/// Remembers the ports of first fragments, so that the later ones are counted with their flow.
/// 64 sets of 4; the oldest of a set gives way; an entry lives for 30 s (RFC 791's reassembly time).
class FragmentTable {
public:
  explicit FragmentTable(std::uint64_t seed) : seed_{seed} {}
  /// Fills in the ports of a later fragment, remembers those of a first one.
  /// @returns false when the flow of a later fragment is not known.
  bool resolve(PacketView& view, Timestamp now);

private:
  static constexpr std::size_t sets = 64;
  static constexpr std::size_t ways = 4;
  static constexpr Duration lifetime = 30 * second;
  struct Entry {
    IpAddress src, dst;
    Timestamp at = 0;
    std::uint32_t id = 0;
    std::uint16_t sport = 0, dport = 0;
    std::uint8_t protocol = 0;
    bool used = false;
  };
  std::uint64_t seed_;
  std::array<Entry, sets * ways> entries_{};
};

} // namespace iris
