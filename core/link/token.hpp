#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What a new gateway needs to join: one line of text, "iris1." and base64url (docs/link.md).
struct JoinToken {
  std::vector<std::string> addresses; ///< "host:port" of the shards, 1 to 16
  std::string fingerprint;            ///< SHA-256 of the CA certificate's DER, 32 bytes
  std::string secret;                 ///< one time, 16 to 64 bytes
  Timestamp expires = 0;              ///< kept in whole seconds
  friend bool operator==(const JoinToken&, const JoinToken&) = default;
};

[[nodiscard]] std::string format_token(const JoinToken& token);
/// Blanks around the token are ignored. Says what is wrong: not a token, cut off or mistyped, newer version.
/// Does not judge the expiry: see expired().
[[nodiscard]] Result<JoinToken> parse_token(std::string_view text);
[[nodiscard]] bool expired(const JoinToken& token, Timestamp now);

/// 32 bytes.
[[nodiscard]] std::string sha256(std::string_view bytes);
/// What the cloud keeps of a secret: 64 hex digits. Secrets are random and long, so no salt is needed.
[[nodiscard]] std::string secret_hash(std::string_view secret);

[[nodiscard]] std::string base64url(std::string_view bytes); ///< RFC 4648 section 5, no padding
[[nodiscard]] Result<std::string> from_base64url(std::string_view text);

} // namespace iris
