#include "core/base/printable.hpp"

#include <algorithm>

namespace iris {

std::string printable(std::string_view text, std::size_t limit) {
  std::string out{text.substr(0, limit)};
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 32 || c > 126; }, '?');
  return out;
}

} // namespace iris
