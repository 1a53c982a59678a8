#pragma once
#include "actors/link/private_file.hpp"

namespace iris::pki {

/// Whole or not at all, also after a power cut; mode 0600.
[[nodiscard]] inline Result<void> write_file(const std::string& path, std::string_view content) {
  return write_private_file(path, content);
}
/// At most `limit` bytes.
[[nodiscard]] inline Result<std::string> read_file(const std::string& path, std::size_t limit = 1 << 20) {
  return read_small_file(path, limit);
}

} // namespace iris::pki
