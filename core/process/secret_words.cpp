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
  std::string_view program; ///< prefix of the base name
  char letter;
  bool next, attached, user_pass;
};
// Only flags whose value is a password or a pass phrase in that client's manual page.
constexpr std::array flags{
    Flag{"mysql", 'p', false, true, false},  Flag{"mariadb", 'p', false, true, false},
    Flag{"mongo", 'p', true, true, false},   Flag{"redis-cli", 'a', true, false, false},
    Flag{"sshpass", 'p', true, true, false}, Flag{"mosquitto_", 'P', true, false, false},
    Flag{"ldap", 'w', true, true, false},    Flag{"curl", 'u', true, true, true},
    Flag{"curl", 'U', true, true, true},     Flag{"smbclient", 'U', true, true, true},
    Flag{"snmp", 'c', true, false, false},   Flag{"snmp", 'A', true, false, false},
    Flag{"snmp", 'X', true, false, false},   Flag{"zip", 'P', true, true, false},
    Flag{"7z", 'p', false, true, false},     Flag{"ipmitool", 'P', true, true, false},
    Flag{"sqlcmd", 'P', true, true, false},  Flag{"openssl", 'K', true, false, false},
    Flag{"cqlsh", 'p', true, false, false},
};

} // namespace

std::string_view base_name(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

bool sensitive_name(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  const std::string n = normalised(name);
  if (name == "PWD" || n == "oldpwd") return false; // directories of a shell
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
  return n == "auth" || n == "psk" || n == "pin" || n == "community";
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
  for (std::string_view word : {"true", "false", "yes", "no", "on", "off", "none", "null", "nil"})
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

ShortFlag short_flag(std::string_view program, std::string_view argument) {
  if (argument.size() < 2 || argument[0] != '-' || argument[1] == '-') return ShortFlag::none;
  const auto name = base_name(program);
  for (const auto& flag : flags) {
    if (flag.letter != argument[1] || !name.starts_with(flag.program) || name == "snmpd") continue;
    if (argument.size() == 2) {
      if (!flag.next) return ShortFlag::none;
      return flag.user_pass ? ShortFlag::next_is_user_pass : ShortFlag::next_is_secret;
    }
    if (!flag.attached) return ShortFlag::none;
    return flag.user_pass ? ShortFlag::attached_is_user_pass : ShortFlag::attached_is_secret;
  }
  return ShortFlag::none;
}

bool known_client(std::string_view program) {
  const auto name = base_name(program);
  return std::any_of(flags.begin(), flags.end(),
                     [&](const Flag& flag) { return name.starts_with(flag.program); });
}

} // namespace iris::secret
