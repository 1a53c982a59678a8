#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace iris {

/// XXH3 64-bit: stable over machines and releases, so it may rest on disk and cross the wire.
[[nodiscard]] std::uint64_t hash64(std::string_view bytes, std::uint64_t seed = 0);
/// Order-dependent combination of two hashes.
[[nodiscard]] std::uint64_t hash_combine(std::uint64_t left, std::uint64_t right);

[[nodiscard]] std::string to_hex(std::string_view bytes);
[[nodiscard]] std::string to_hex(std::uint64_t number); ///< 16 digits
/// Empty when the text is not pairs of hex digits.
[[nodiscard]] std::string from_hex(std::string_view text);

} // namespace iris
