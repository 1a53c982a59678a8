#pragma once
#include <string>
#include <string_view>

namespace iris {

/// At most so many characters; what is not printable ASCII becomes a question mark.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 64);

} // namespace iris
