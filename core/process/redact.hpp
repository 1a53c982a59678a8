#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What stands in the place of a secret.
inline constexpr std::string_view redacted_mark = "<redacted>";

/// Replaces what looks like a secret in an argument vector, in place, and returns how many places were
/// replaced. Knows: names with values (`--password x`, `token=x`, `PGPASSWORD=x`, `"secret": "x"`), short
/// flags of well-known clients (`mysql -px`, `curl -sSu user:x`), their words (`redis-cli AUTH x`, `vault kv
/// put p name=x`, `htpasswd -b f user x`), statements (`IDENTIFIED BY 'x'`, `db.auth('user', 'x')`), what is
/// echoed into chpasswd, user:password@ in URLs, credential headers, tokens that are recognised by their
/// shape (AWS, JWT, GitHub, Vault …), private keys, and all of these inside `sh -c` strings. It rather hides
/// too much than too little, but always keeps program names, flags, hosts and paths of commands.
std::size_t redact_args(std::vector<std::string>& args);

/// The same for one text that is not an argument vector (a label, a log line).
[[nodiscard]] std::string redact_text(std::string_view text);

} // namespace iris
