#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace iris {

/// What a peer sent must not move the cursor, ring, recolour or reorder the terminal it is shown on: control
/// characters, direction marks and bytes that are no UTF-8 become visible escapes.
[[nodiscard]] std::string terminal_safe(std::string_view text);

/// Columns that a printable text takes on a terminal: wide characters count two, combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view text);
/// At most `width` columns; what was cut shows as "…".
[[nodiscard]] std::string clipped(std::string_view text, std::size_t width);
/// Filled with spaces up to `width`, on the left for numbers.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width, bool right);

} // namespace iris
