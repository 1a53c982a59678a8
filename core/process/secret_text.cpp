#include "core/process/secret_text.hpp"

#include "core/process/redact.hpp"
#include "core/process/secret_phrases.hpp"
#include "core/process/secret_words.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace iris {
namespace {

using namespace secret;

constexpr std::size_t url_user_limit =
    512; ///< bytes behind "://" that are searched for the '@' of user:password@

bool name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}

struct Text {
  std::size_t& replaced;

  std::string mark() {
    ++replaced;
    return std::string{redacted_mark};
  }
  std::string private_keys(const std::string& text);
  std::string headers(const std::string& text);
  std::string urls(const std::string& text);
  std::string pairs(const std::string& text);
  std::string tokens(const std::string& text);
};

std::string Text::private_keys(const std::string& text) {
  auto begin = text.find("-----BEGIN");
  if (begin == std::string::npos || text.find("PRIVATE KEY", begin) == std::string::npos) return text;
  auto end = text.find("-----END", begin);
  auto stop = end == std::string::npos ? std::string::npos : text.find("-----", end + 8);
  std::string rest = stop == std::string::npos ? "" : text.substr(stop + 5);
  return text.substr(0, begin) + mark() + rest;
}

/// "Authorization: Bearer x" up to the end of line or of the quotation.
std::string Text::headers(const std::string& text) {
  std::string out;
  std::size_t from = 0;
  for (auto colon = text.find(':'); colon != std::string::npos; colon = text.find(':', colon + 1)) {
    if (colon < from) continue;
    auto begin = colon;
    while (begin > from && name_char(text[begin - 1]))
      --begin;
    std::string_view name{text.data() + begin, colon - begin};
    if (name.starts_with("-H")) name.remove_prefix(2);
    if (!sensitive_header(name)) continue;
    auto value = colon + 1;
    while (value < text.size() && text[value] == ' ')
      ++value;
    auto end = std::min(text.find_first_of("\"'\r\n", value), text.size());
    if (end == value || text.compare(value, end - value, redacted_mark) == 0) continue;
    out += text.substr(from, value - from) + mark();
    from = end;
  }
  return out + text.substr(from);
}

/// scheme://user:password@host
std::string Text::urls(const std::string& text) {
  std::string out;
  std::size_t from = 0;
  for (auto at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    auto begin = at + 3;
    if (text.find('@', begin) == std::string::npos) break;
    const auto window = std::string_view{text}.substr(begin, url_user_limit);
    auto end = begin + std::min(window.find_first_of("/?# \t\n\"'<>"), window.size());
    auto in_window = window.substr(0, end - begin).rfind('@');
    auto host = in_window == std::string_view::npos ? std::string::npos : begin + in_window;
    // A password may hold '/', '?' or '#': look for '@' up to the next space as well, before a host-like
    // rest.
    if (host == std::string::npos) {
      auto wide = begin + std::min(window.find_first_of(" \t\n\"'<>"), window.size());
      auto colon = text.find(':', begin);
      auto wide_host = text.find('@', begin);
      if (wide_host == std::string::npos || wide_host >= wide || colon == std::string::npos || colon > end)
        continue;
      // "host:8080/path@x" is a port, not a password.
      if (std::all_of(text.begin() + std::ptrdiff_t(colon) + 1, text.begin() + std::ptrdiff_t(end),
                      [](char c) { return c >= '0' && c <= '9'; }))
        continue;
      host = wide_host;
    }
    auto colon = text.find(':', begin);
    std::size_t secret = host;
    if (colon != std::string::npos && colon < host)
      secret = colon + 1;
    else if (host - begin >= 20)
      secret = begin; // a token alone before the '@'
    if (secret >= host || text.compare(secret, host - secret, redacted_mark) == 0) continue;
    out += text.substr(from, secret - from) + mark();
    from = host;
  }
  return out + text.substr(from);
}

/// name=value, name: value, "name":"value" anywhere in the text.
std::string Text::pairs(const std::string& text) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] != '=' && text[i] != ':') || i < from) continue;
    if (text[i] == ':' && i + 2 < text.size() && text[i + 1] == '/' && text[i + 2] == '/') continue;
    auto end_of_name = i;
    if (end_of_name > from && (text[end_of_name - 1] == '"' || text[end_of_name - 1] == '\'')) --end_of_name;
    auto begin = end_of_name;
    while (begin > from && name_char(text[begin - 1]))
      --begin;
    const auto name = std::string_view{text}.substr(begin, end_of_name - begin);
    const bool sure = sensitive_name(name);
    // Behind a doubtful name a colon means little: "ds-key:1" is a name itself.
    if (!sure && !((text[i] == '=' || end_of_name < i) && doubtful_name(name))) continue;
    auto value = i + 1;
    while (value < text.size() && text[value] == ' ')
      ++value;
    char quote = value < text.size() && (text[value] == '"' || text[value] == '\'') ? text[value] : '\0';
    std::size_t end;
    if (quote != '\0') {
      ++value;
      end = std::min(text.find(quote, value), text.size());
    } else if (begin == 0 || text.find_first_not_of('-') == begin) {
      end = text.size(); // the whole argument is this one pair: a password may hold any character
      for (auto gap = text.find(' ', value); gap != std::string::npos; gap = text.find(' ', gap + 1)) {
        auto stop = gap + 1; // … up to another "name="
        while (stop < text.size() && name_char(text[stop]))
          ++stop;
        if (stop < text.size() && stop > gap + 1 && text[stop] == '=') {
          end = gap;
          break;
        }
      }
    } else {
      end = std::min(text.find_first_of(" \t\n&;,\"'}])", value), text.size());
    }
    const auto held = std::string_view{text}.substr(value, end - value);
    if (harmless_value(held) || (!sure && path_or_number(held)) ||
        text.compare(value, end - value, redacted_mark) == 0)
      continue;
    out += text.substr(from, value - from) + mark();
    from = end;
    i = end == 0 ? i : end - 1;
  }
  return out + text.substr(from);
}

std::string Text::tokens(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    auto part = [](char c) { return name_char(c) || c == '+' || c == '/'; };
    if (!part(text[i])) {
      out += text[i++];
      continue;
    }
    auto end = i;
    while (end < text.size() && part(text[end]))
      ++end;
    std::string_view word{text.data() + i, end - i};
    if (token_shape(word))
      out += mark();
    else
      out += word;
    i = end;
  }
  return out;
}

} // namespace

std::string hide_in_text(const std::string& text, std::size_t& replaced) {
  Text hide{replaced};
  return hide.tokens(hide.pairs(hide.urls(hide.headers(hide_phrases(hide.private_keys(text), replaced)))));
}

} // namespace iris
