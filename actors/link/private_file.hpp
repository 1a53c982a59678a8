#pragma once
#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace iris {

/// Writes a file so that a reader sees the old or the new one, also after a power cut; mode 0600, and no link
/// is followed.
[[nodiscard]] Result<void> write_private_file(const std::string& path, std::string_view content);
/// Errc::not_found where there is none.
[[nodiscard]] Result<std::string> read_small_file(const std::string& path, std::size_t limit = 64 << 10);

} // namespace iris
