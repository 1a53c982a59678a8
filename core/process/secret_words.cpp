#include "core/process/secret_words.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace iris::secret {
namespace {

/// Lower case, '_' and '.' as '-', leading dashes gone.
std::string normalised(std::string_view name) {
  while (!name.empty() && name.front() == '-')
    name.remove_prefix(1);
  std::string out;
  out.reserve(name.size());
  for (char c : name)
    out += c == '_' || c == '.' ? '-' : char(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

bool all_of_class(std::string_view word, bool (*test)(char)) {
  return std::all_of(word.begin(), word.end(), test);
}
bool base64_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '+' || c == '/' || c == '=';
}
bool url64_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_'; }
bool upper_digit(char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

struct Prefix {
  std::string_view text;
  std::size_t least; ///< shortest whole length of such a token
};
constexpr std::array prefixes{
    Prefix{"ghp_", 30},        Prefix{"gho_", 30},   Prefix{"ghs_", 30},     Prefix{"ghu_", 30},
    Prefix{"github_pat_", 30}, Prefix{"glpat-", 20}, Prefix{"xoxb-", 20},    Prefix{"xoxp-", 20},
    Prefix{"xoxa-", 20},       Prefix{"sk-", 24},    Prefix{"sk_live_", 20}, Prefix{"hvs.", 20},
    Prefix{"hvb.", 20},        Prefix{"AIza", 35},   Prefix{"npm_", 30},     Prefix{"dop_v1_", 30},
    Prefix{"SG.", 40},         Prefix{"ya29.", 20},
};

struct Flag {
  std::string_view program; ///< base name, with a '*' at its end the start of one
  char letter;
  bool next, attached;
  FlagValue value = FlagValue::secret;
  std::string_view after = {}; ///< a sub-command that must stand before it
};
// Only flags whose value is a password or a pass phrase in that client's manual page.
constexpr std::array flags{
    Flag{"mysql*", 'p', false, true},
    Flag{"mariadb*", 'p', false, true},
    Flag{"mongo*", 'p', true, true},
    Flag{"redis-cli", 'a', true, true},
    Flag{"valkey-cli", 'a', true, true},
    Flag{"sshpass", 'p', true, true},
    Flag{"mosquitto_*", 'P', true, true},
    Flag{"ldap*", 'w', true, true},
    Flag{"curl*", 'u', true, true, FlagValue::user_pass},
    Flag{"curl*", 'U', true, true, FlagValue::user_pass},
    Flag{"curl*", 'b', true, true, FlagValue::cookie},
    Flag{"smbclient", 'U', true, true, FlagValue::user_pass},
    Flag{"lftp", 'u', true, true, FlagValue::user_pass},
    Flag{"http", 'a', true, true, FlagValue::user_pass},
    Flag{"https", 'a', true, true, FlagValue::user_pass},
    Flag{"snmp*", 'c', true, true},
    Flag{"snmp*", 'A', true, true},
    Flag{"snmp*", 'X', true, true},
    Flag{"zip*", 'P', true, true},
    Flag{"unzip", 'P', true, true},
    Flag{"7z*", 'p', false, true},
    Flag{"rar", 'p', false, true},
    Flag{"unrar", 'p', false, true},
    Flag{"ipmitool", 'P', true, true},
    Flag{"sqlcmd", 'P', true, true},
    Flag{"openssl", 'K', true, false},
    Flag{"openssl", 'k', true, false},
    Flag{"cqlsh", 'p', true, false},
    Flag{"ncftp*", 'p', true, true},
    Flag{"useradd", 'p', true, true},
    Flag{"usermod", 'p', true, true},
    Flag{"docker", 'p', true, true, FlagValue::secret, "login"},
    Flag{"podman", 'p', true, true, FlagValue::secret, "login"},
    Flag{"az", 'p', true, true, FlagValue::secret, "login"},
};

struct Letters {
  std::string_view program, letters;
};
// Flags without a value, which may stand before one with a value in the same word.
constexpr std::array groups{
    Letters{"curl*", "aBfgGiIjJklLMnNOpqRsSvVZ012346#"},
    Letters{"mysql*", "ABbCcEfGHijkLNnqrsTtUvVwX"},
    Letters{"mariadb*", "ABbCcEfGHijkLNnqrsTtUvVwX"},
    Letters{"ldap*", "ACcIkKMnNQtuvVxLZF"},
    Letters{"zip*", "rqvjme0123456789"},
    Letters{"unzip", "oqnjaCLXvlt"},
    Letters{"rar", "h"},
    Letters{"http", "vhbfj"},
    Letters{"https", "vhbfj"},
    Letters{"mosquitto_*", "dqvRNc"},
};

bool is_program(std::string_view name, std::string_view pattern) {
  if (name == "snmpd" || name == "snmptrapd") return false; // their -c is a file
  if (!pattern.ends_with('*')) return name == pattern;
  pattern.remove_suffix(1);
  return name.starts_with(pattern);
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  });
}

/// Programs that take names and their values as bare words.
bool takes_named_words(std::string_view name) {
  for (std::string_view program : {"redis-cli", "valkey-cli", "consul", "etcdctl", "nmcli", "mysqladmin"})
    if (name == program) return true;
  return false;
}

} // namespace

std::string_view base_name(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool sensitive_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  const std::string n = normalised(name);
  if (name == "PWD" || n == "oldpwd") return false; // directories of a shell
  if (n.ends_with("secret-id") || n.ends_with("secretid")) return true;
  for (std::string_view end :
       {"file", "path", "dir", "-ttl", "-length", "-policy", "-type", "-name", "-url", "-uri", "-store",
        "-id", "-stdin", "-prompt", "bypass", "compass", "-authority"})
    if (n.ends_with(end)) return false;
  for (std::string_view part :
       {"password", "passwd", "passphrase", "secret", "apikey", "api-key", "access-key", "accesskey",
        "private-key", "privatekey", "credential", "requirepass", "masterauth", "client-key-data",
        "encryption-key", "auth-key", "authkey", "authtoken"})
    if (n.find(part) != std::string::npos) return true;
  for (std::string_view end : {"token", "pwd", "pass", "-auth", "bearer", "passin", "passout"})
    if (n.ends_with(end)) return true;
  return n == "auth" || n == "psk" || n.ends_with("-psk") || n == "pin" || n == "community" ||
         n == "authorization" || n == "proxy-authorization" || n == "cookie";
}

bool doubtful_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  const std::string n = normalised(name);
  for (std::string_view end :
       {"public-key", "primary-key", "foreign-key", "sort-key", "partition-key", "routing-key", "host-key"})
    if (n.ends_with(end)) return false;
  for (std::string_view end : {"-key", "-pw", "-jwt", "accountkey", "masterkey", "signingkey", "sharedkey"})
    if (n.ends_with(end)) return true;
  return n == "pw" || n == "jwt" || n == "sas" || n == "sig";
}

bool path_or_number(std::string_view value) {
  for (std::string_view start : {"/", "./", "../", "~"})
    if (value.starts_with(start)) return true;
  for (std::string_view end : {".pem", ".key", ".crt", ".cer", ".der", ".p12", ".pub", ".gpg", ".asc"})
    if (value.ends_with(end)) return true;
  return value.size() < 6 && all_of_class(value, [](char c) { return c >= '0' && c <= '9'; });
}

bool sensitive_header(std::string_view name) {
  const std::string n = normalised(name);
  return n == "authorization" || n == "proxy-authorization" || n == "cookie" || n == "set-cookie" ||
         n == "x-api-key" || n == "x-auth-token" || n == "x-vault-token" || n == "x-consul-token" ||
         n == "private-token" || n == "x-auth-key";
}

bool harmless_value(std::string_view value) {
  if (value.empty()) return true;
  const std::string v = normalised(value);
  for (std::string_view word :
       {"true", "false", "yes", "no", "on", "off", "none", "null", "nil", "enabled", "disabled"})
    if (v == word) return true;
  if (value.front() == '$') // a shell variable or ${X}: its value is not in the text
    return std::all_of(value.begin() + 1, value.end(),
                       [](char c) { return url64_char(c) || c == '{' || c == '}'; });
  return false;
}

bool token_shape(std::string_view word) {
  if (word.size() < 16) return false;
  if (word.size() == 20 && (word.starts_with("AKIA") || word.starts_with("ASIA")))
    return all_of_class(word, upper_digit);
  for (const auto& prefix : prefixes)
    if (word.size() >= prefix.least && word.starts_with(prefix.text) &&
        std::all_of(word.begin(), word.end(), [](char c) { return url64_char(c) || c == '.'; }))
      return true;
  if (word.starts_with("eyJ")) { // JSON web token: three parts of base64url
    std::size_t dots = std::size_t(std::count(word.begin(), word.end(), '.'));
    return dots >= 2 && word.size() >= 30 &&
           std::all_of(word.begin(), word.end(), [](char c) { return url64_char(c) || c == '.'; });
  }
  if (word.size() == 40 && word.front() != '/' && all_of_class(word, base64_char) &&
      std::count(word.begin(), word.end(), '/') <= 3) { // an AWS secret key: 40 of base64, not a git hash
    bool upper = false, lower = false, digit = false;
    for (char c : word) {
      upper |= c >= 'A' && c <= 'Z';
      lower |= c >= 'a' && c <= 'z';
      digit |= c >= '0' && c <= '9';
    }
    return upper && lower && digit;
  }
  return false;
}

ShortFlag short_flag(std::string_view program, const std::vector<std::string>& words, std::size_t index) {
  constexpr std::size_t command_words = 16; // how far from the start a sub-command is looked for
  const std::string_view argument{words[index]};
  if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return {};
  const auto name = base_name(program);
  std::string_view group;
  for (const auto& letters : groups)
    if (is_program(name, letters.program)) group = letters.letters;
  for (std::size_t at = 1; at < argument.size(); ++at) {
    for (const auto& flag : flags) {
      if (flag.letter != argument[at] || !is_program(name, flag.program)) continue;
      const auto early = words.begin() + std::ptrdiff_t(std::min(index, command_words));
      if (!flag.after.empty() && std::find(words.begin(), early, flag.after) == early) continue;
      const bool last = at + 1 == argument.size();
      if (last ? !flag.next : !flag.attached) return {};
      return {flag.value, last ? 0 : at + 1};
    }
    if (group.find(argument[at]) == std::string_view::npos) return {};
  }
  return {};
}

bool known_client(std::string_view program) {
  const auto name = base_name(program);
  for (std::string_view other : {"vault", "htpasswd", "wpa_passphrase"})
    if (name == other) return true;
  return takes_named_words(name) || std::any_of(flags.begin(), flags.end(), [&](const Flag& flag) {
           return is_program(name, flag.program);
         });
}

std::size_t secrets_behind(std::string_view program, std::string_view word) {
  const auto name = base_name(program);
  if (name == "redis-cli" || name == "valkey-cli")
    if (same_word(word, "auth") || same_word(word, "auth2")) return 2; // with a user's name or without
  if (name == "openssl" && word == "passwd") return 16;
  if (takes_named_words(name) && word.front() != '-' && word.find('=') == std::string_view::npos &&
      sensitive_name(base_name(word)))
    return 1;
  return 0;
}

bool secret_pairs_behind(std::string_view program, std::string_view word) {
  return base_name(program) == "vault" && (word == "put" || word == "patch" || word == "write");
}

bool last_is_secret(std::string_view program, const std::vector<std::string>& words) {
  const auto name = base_name(program);
  if (name == "wpa_passphrase") return words.size() > 2;
  if (name != "htpasswd" && name != "mosquitto_passwd") return false;
  return std::any_of(words.begin(), words.end(), [](const std::string& word) {
    return word.size() > 1 && word[0] == '-' && word[1] != '-' && word.find('b') != std::string::npos;
  });
}

bool reads_secret(const std::vector<std::string>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const auto name = base_name(words[i]);
    if (name == "chpasswd" || name == "--password-stdin") return true;
    if (name == "passwd" || name == "smbpasswd")
      if (i == 0 || base_name(words[0]) == "sudo") return true;
    if (i > 0 && base_name(words[0]) == "sudo" && words[i] == "-S") return true;
  }
  return false;
}

} // namespace iris::secret
