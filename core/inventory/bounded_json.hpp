#pragma once
#include "core/base/result.hpp"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>
#include <initializer_list>
#include <string_view>

namespace iris {

/// What is kept of a peer's JSON at most. A value costs some 100 bytes of memory, however short its text is.
inline constexpr std::size_t json_depth_limit = 32, json_value_limit = 200'000;

/// Parses what another program sent. Reading stops at the first value beyond a limit (Errc::limit).
/// @param what names the text in an error. @param skipped keys whose values are read over and not kept.
[[nodiscard]] Result<nlohmann::json> parse_bounded(std::string_view text, std::string_view what,
                                                   std::initializer_list<std::string_view> skipped = {});

} // namespace iris
