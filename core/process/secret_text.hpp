#pragma once
#include <cstddef>
#include <string>

namespace iris {

/// Replaces the secrets of one text that need no command around them, and adds to `replaced` how many:
/// private keys, literals of statements and calls, headers, user:password@ in URLs, name=value, and tokens
/// that are recognised by their shape.
[[nodiscard]] std::string hide_in_text(const std::string& text, std::size_t& replaced);

} // namespace iris
