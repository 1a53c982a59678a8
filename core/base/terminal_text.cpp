#include "core/base/terminal_text.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace iris {
namespace {

struct Decoded {
  std::uint32_t point = 0;
  std::size_t bytes = 0; ///< 0 where it is no UTF-8
};

/// RFC 3629: no overlong forms, no surrogates, up to U+10FFFF.
Decoded decode(std::string_view text) {
  const auto byte = [&](std::size_t i) { return std::uint8_t(text[i]); };
  const auto lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xf0 && lead < 0xf5   ? 4
                           : lead >= 0xe0 && lead < 0xf0 ? 3
                           : lead >= 0xc2 && lead < 0xe0 ? 2
                                                         : 0;
  if (size == 0 || text.size() < size) return {};
  std::uint32_t point = lead & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    point = point << 6 | (byte(i) & 0x3fu);
  }
  const bool overlong = (size == 3 && point < 0x800) || (size == 4 && point < 0x10000);
  if (overlong || (point >= 0xd800 && point < 0xe000) || point > 0x10ffff) return {};
  return {point, size};
}

struct Range {
  std::uint32_t first, last;
};

/// C0, DEL, C1; marks and overrides of direction (UAX 9); line and paragraph separator; invisible joiners and
/// tags.
bool dangerous(std::uint32_t point) {
  static constexpr std::array<Range, 8> ranges{{{0, 0x1f},
                                                {0x7f, 0x9f},
                                                {0x61c, 0x61c},
                                                {0x200b, 0x200f},
                                                {0x2028, 0x202e},
                                                {0x2060, 0x206f},
                                                {0xfeff, 0xfeff},
                                                {0xe0000, 0xe007f}}};
  for (const auto& range : ranges)
    if (point >= range.first && point <= range.last) return true;
  return false;
}

/// East Asian wide and emoji, by their blocks.
std::size_t width_of(std::uint32_t point) {
  if (point >= 0x300 && point <= 0x36f) return 0;
  static constexpr std::array<Range, 8> wide{{{0x1100, 0x115f},
                                              {0x2e80, 0xa4cf},
                                              {0xac00, 0xd7a3},
                                              {0xf900, 0xfaff},
                                              {0xfe30, 0xfe6f},
                                              {0xff00, 0xff60},
                                              {0x1f300, 0x1faff},
                                              {0x20000, 0x3fffd}}};
  for (const auto& range : wide)
    if (point >= range.first && point <= range.last) return 2;
  return 1;
}

} // namespace

std::string terminal_safe(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto [point, bytes] = decode(text);
    const auto taken = bytes == 0 ? 1 : bytes;
    char escape[16];
    if (bytes == 0 || point < 0x20 || point == 0x7f)
      out.append(escape, std::size_t(std::snprintf(escape, sizeof escape, "\\x%02x", std::uint8_t(text[0]))));
    else if (dangerous(point))
      out.append(escape, std::size_t(std::snprintf(escape, sizeof escape, "\\u{%x}", point)));
    else
      out.append(text.substr(0, taken));
    text.remove_prefix(taken);
  }
  return out;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [point, bytes] = decode(text);
    width += bytes == 0 ? 1 : width_of(point);
    text.remove_prefix(bytes == 0 ? 1 : bytes);
  }
  return width;
}

std::string clipped(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string{text};
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto [point, bytes] = decode(text);
    const auto step = bytes == 0 ? 1 : width_of(point);
    if (used + step + 1 > width) break;
    const auto taken = bytes == 0 ? 1 : bytes;
    out.append(text.substr(0, taken));
    used += step;
    text.remove_prefix(taken);
  }
  return width == 0 ? std::string{} : out + "…";
}

std::string padded(std::string_view text, std::size_t width, bool right) {
  const auto used = display_width(text);
  const std::string fill(used < width ? width - used : 0, ' ');
  return right ? fill + std::string{text} : std::string{text} + fill;
}

} // namespace iris
