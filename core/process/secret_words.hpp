#pragma once
#include <string>
#include <string_view>
#include <vector>

/// The vocabulary of redact.cpp: which names carry secrets, which short flags do, which words look like
/// tokens.
namespace iris::secret {

/// Whether a value under this name is a secret: "--db-password", "PGPASSWORD", "spring.datasource.password".
[[nodiscard]] bool sensitive_name(std::string_view name);
/// Whether a value under this name is a secret unless it is a path or a small number: "DB_KEY", "MQTT_PW".
[[nodiscard]] bool doubtful_name(std::string_view name);
[[nodiscard]] bool path_or_number(std::string_view value);
/// Whether this name is a header whose whole rest of line is a secret ("Authorization").
[[nodiscard]] bool sensitive_header(std::string_view name);
/// Whether a value is surely no secret: empty, a truth value, or a variable that is filled in elsewhere
/// ("$X").
[[nodiscard]] bool harmless_value(std::string_view value);
/// Whether a word is a token by its shape alone.
[[nodiscard]] bool token_shape(std::string_view word);

/// What stands behind a flag: a secret, "user:secret", or a cookie ("name=secret"; without '=' it is a file).
enum class FlagValue { none, secret, user_pass, cookie };
struct ShortFlag {
  FlagValue value = FlagValue::none;
  std::size_t at = 0; ///< where the value starts in the same argument; 0: it is the next argument
};
/// What the short flags of words[index] mean to a program (by its base name), also in a group: `redis-cli -a
/// X`, `mysql -pX`, `curl -sSu user:X`.
[[nodiscard]] ShortFlag short_flag(std::string_view program, const std::vector<std::string>& words,
                                   std::size_t index);

/// Whether this program is one whose command line is known here.
[[nodiscard]] bool known_client(std::string_view program);

/// How many words behind this word of a program's command are secrets: `redis-cli AUTH user X`, `openssl
/// passwd X`, `nmcli … password X`.
[[nodiscard]] std::size_t secrets_behind(std::string_view program, std::string_view word);
/// Whether the values of all name=value words behind this word are secrets: `vault kv put`.
[[nodiscard]] bool secret_pairs_behind(std::string_view program, std::string_view word);
/// Whether the last word of a program's command is a secret: `htpasswd -b FILE USER X`.
[[nodiscard]] bool last_is_secret(std::string_view program, const std::vector<std::string>& words);
/// Whether a simple command reads a secret from its standard input: chpasswd, `docker login
/// --password-stdin`.
[[nodiscard]] bool reads_secret(const std::vector<std::string>& words);

[[nodiscard]] std::string_view base_name(std::string_view path);

} // namespace iris::secret
