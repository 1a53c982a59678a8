#pragma once
#include "core/learn/baseline.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// An Ed25519 key pair (RFC 8032): 32 bytes each. Making it takes randomness, so the caller brings the seed.
struct SigningKey {
  std::string seed, public_key;
};
[[nodiscard]] Result<SigningKey> signing_key_of(std::string_view seed); ///< 32 random bytes

/// schemas/baseline.capnp SignedBaseline over the encoded document.
[[nodiscard]] Result<std::vector<char>> sign_document(const std::vector<char>& document,
                                                      const SigningKey& key);
/// The baseline if the signature is good under `public_key` and its number is higher than `newer_than`;
/// refused otherwise, with the reason.
[[nodiscard]] Result<Baseline> open_signed(const char* data, std::size_t size, std::string_view public_key,
                                           std::uint64_t newer_than = 0);

} // namespace iris
