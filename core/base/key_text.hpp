#pragma once
#include <string_view>

namespace iris {

/// "#" and 16 hex digits: how a key of a baseline is written.
[[nodiscard]] inline bool is_key_text(std::string_view text) {
  return text.size() == 17 && text[0] == '#' &&
         text.find_first_not_of("0123456789abcdefABCDEF", 1) == std::string_view::npos;
}

} // namespace iris
