#pragma once
#include "tests/fuzz/bytes.hpp"

#include <vector>

namespace iris::fuzz {

/// One frame of a sequence that a fuzzer's bytes describe.
struct Frame {
  std::vector<std::uint8_t> bytes;
  std::uint32_t wire_length = 0;
  std::int64_t gap = 0; ///< nanoseconds since the frame before it; may be negative
};

/// The first byte of a record: how long after the one before it (low three bits), and its form.
inline constexpr std::uint8_t raw_frame = 0x80, ip_version_6 = 0x40, later_fragment = 0x20,
                              first_fragment = 0x10, dns_port = 0x08;

/// Raw frames are taken as they are; of composed ones hosts, ports, protocol, flags and payload are chosen,
/// so that few mutations make two packets meet in one flow. Ethernet.
Frame next_frame(Bytes& in);

} // namespace iris::fuzz
