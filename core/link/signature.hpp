#pragma once
#include "core/base/result.hpp"

#include <string>
#include <string_view>

namespace iris {

/// Ed25519 (RFC 8032): documents such as baselines are signed by the cloud and checked on the gateway.
/// Public keys are 32 bytes, signatures 64.
[[nodiscard]] bool verify_signature(std::string_view public_key, std::string_view message,
                                    std::string_view signature);

/// `private_key` is PEM (PKCS #8).
[[nodiscard]] Result<std::string> sign_message(std::string_view private_key, std::string_view message);
[[nodiscard]] Result<std::string> public_key_of(std::string_view private_key);

} // namespace iris
