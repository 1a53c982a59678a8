#pragma once
#include "core/alert/alert.hpp"
#include "core/base/result.hpp"

#include <string_view>
#include <vector>

/// Findings and alerts as bytes of schemas/record.capnp: what crosses the link and rests in the store.
/// Decoding takes bytes of anyone: every length, enum and number is checked, nothing is trusted.
namespace iris {

/// Longest text in a finding, bytes; longer ones are cut when encoding and refused when decoding.
inline constexpr std::size_t record_text_limit = 4'096;
/// Largest encoded finding or alert, bytes.
inline constexpr std::size_t record_limit = 512 * 1'024;

[[nodiscard]] std::vector<char> encode(const Finding& finding);
[[nodiscard]] std::vector<char> encode(const Alert& alert);
[[nodiscard]] Result<Finding> decode_finding(std::string_view bytes);
[[nodiscard]] Result<Alert> decode_alert(std::string_view bytes);

} // namespace iris
