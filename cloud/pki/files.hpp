#pragma once
#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace iris::pki {

/// Whole or not at all, also after a power cut; mode 0600.
[[nodiscard]] Result<void> write_file(const std::string& path, std::string_view content);
/// At most `limit` bytes.
[[nodiscard]] Result<std::string> read_file(const std::string& path, std::size_t limit = 1 << 20);

} // namespace iris::pki
