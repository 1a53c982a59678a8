#pragma once
#include <string>
#include <string_view>

/// The vocabulary of redact.cpp: which names carry secrets, which short flags do, which words look like
/// tokens.
namespace iris::secret {

/// Whether a value under this name is a secret: "--db-password", "PGPASSWORD", "spring.datasource.password".
[[nodiscard]] bool sensitive_name(std::string_view name);
/// Whether this name is a header whose whole rest of line is a secret ("Authorization").
[[nodiscard]] bool sensitive_header(std::string_view name);
/// Whether a value is surely no secret: empty, a truth value, or a variable that is filled in elsewhere
/// ("$X").
[[nodiscard]] bool harmless_value(std::string_view value);
/// Whether a word is a token by its shape alone.
[[nodiscard]] bool token_shape(std::string_view word);

enum class ShortFlag { none, next_is_secret, attached_is_secret, next_is_user_pass, attached_is_user_pass };
/// What a short flag means to a program (by its base name): `redis-cli -a X`, `mysql -pX`, `curl -u user:X`.
/// For attached kinds, the secret starts at the argument's third character.
[[nodiscard]] ShortFlag short_flag(std::string_view program, std::string_view argument);

/// Whether short_flag knows this program.
[[nodiscard]] bool known_client(std::string_view program);

[[nodiscard]] std::string_view base_name(std::string_view path);

} // namespace iris::secret
