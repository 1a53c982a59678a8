#pragma once
#include "core/base/time.hpp"
#include "core/net/packet.hpp"

#include <array>

namespace iris {

/// Remembers the ports of first fragments, so that the later ones are counted with their flow, and what came
/// before its first fragment, so that the order in which someone sends hides nothing.
/// 64 sets of 4; the oldest of a set gives way; an entry lives for 30 s (RFC 791's reassembly time).
class FragmentTable {
public:
  explicit FragmentTable(std::uint64_t seed) : seed_{seed} {}
  /// Fills in the ports of a later fragment, remembers those of a first one and adds to it what came early.
  /// @param early set to the fragments that were added.
  /// @returns false when the flow of a later fragment is not known (yet).
  bool resolve(PacketView& view, Timestamp now, std::uint32_t& early);

private:
  static constexpr std::size_t sets = 64;
  static constexpr std::size_t ways = 4;
  static constexpr Duration lifetime = 30 * second;
  struct Entry {
    IpAddress src, dst;
    Timestamp at = 0;
    std::uint32_t id = 0;
    std::uint32_t early = 0, early_bytes = 0, early_payload = 0; ///< of fragments before the first one
    std::uint16_t sport = 0, dport = 0;
    std::uint8_t protocol = 0;  ///< as the later fragments have it; 0 with IPv6, where it may differ
    std::uint8_t transport = 0; ///< as the first one has it
    std::uint8_t tcp_flags = 0; ///< of an early fragment
    bool used = false, first = false, flags_known = false;
  };
  std::uint64_t seed_;
  std::array<Entry, sets * ways> entries_{};
};

} // namespace iris
