#pragma once
#include "core/base/hash.hpp"
#include "node/recording/frame.hpp"

#include <cstring>
#include <string_view>

/// How frames lie in a recording's file; only its reader and writer include this.
namespace iris::recording_layout {

inline constexpr std::string_view magic = "IrisRec1"; ///< the file's first 8 bytes, then 8 zeros
inline constexpr std::size_t file_head = 16;
inline constexpr std::uint32_t mark = 0x4d415246; ///< "FRAM", little endian as all numbers here

/// In front of a frame's bytes. The check is XXH3 of them with the head's place in the file as its seed, so
/// that bytes which lie elsewhere, as the payload of a recorded packet, are never taken for a frame.
struct FrameHead {
  std::uint32_t mark = recording_layout::mark;
  std::uint32_t length = 0; ///< bytes that follow; a multiple of 8
  std::uint64_t check = 0;
};
static_assert(sizeof(FrameHead) == 16);

inline std::uint64_t check_of(std::span<const char> frame, std::uint64_t at) {
  return hash64({frame.data(), frame.size()}, at);
}
[[nodiscard]] inline bool plausible(const FrameHead& head) {
  return head.mark == mark && head.length != 0 && head.length % 8 == 0 && head.length <= frame_limit;
}

} // namespace iris::recording_layout
