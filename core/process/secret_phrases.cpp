#include "core/process/secret_phrases.hpp"

#include "core/process/redact.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace iris {
namespace {

constexpr std::size_t call_limit = 1024; ///< bytes behind a call's '(' that are searched for its literals
constexpr std::size_t by_window =
    96; ///< "IDENTIFIED WITH some_plugin_name BY": how far the two words may stand apart

bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool word_char(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

/// The end of a literal whose content starts at `from`: its quote, neither doubled nor behind a backslash
/// that is not the quotation's own.
std::size_t literal_end(std::string_view text, std::size_t from, char quote, bool escaped) {
  for (auto i = from; i < text.size(); ++i) {
    if (escaped && text[i] == '\\' && i + 1 < text.size() && text[i + 1] == quote) return i;
    if (!escaped && text[i] == '\\') {
      ++i;
      continue;
    }
    if (text[i] != quote || escaped) continue;
    if (i + 1 < text.size() && text[i + 1] == quote) {
      ++i;
      continue;
    }
    return i;
  }
  return text.size();
}

/// What stands before a literal: blanks, '=', '(' and a letter such as the E of E'x' are skipped.
bool is_sql_password(std::string_view lower, std::size_t quote) {
  auto at = quote;
  if (at > 1 && (lower[at - 1] == 'e' || lower[at - 1] == 'n') && blank(lower[at - 2])) --at;
  while (at > 0 && (blank(lower[at - 1]) || lower[at - 1] == '=' || lower[at - 1] == '('))
    --at;
  if (at == quote) return false; // a quote right behind a word closes a literal
  auto begin = at;
  while (begin > 0 && word_char(lower[begin - 1]) && at - begin <= 32)
    --begin;
  const auto word = lower.substr(begin, at - begin);
  if (word == "password" || word == "old_password") return true;
  const auto near = lower.substr(begin > by_window ? begin - by_window : 0, std::min(begin, by_window));
  return word == "by" && near.find("identified") != std::string_view::npos;
}

/// Whether a '(' opens the arguments of something that takes a user and a password.
bool is_login_call(std::string_view lower, std::size_t open) {
  const auto before = lower.substr(0, open);
  for (std::string_view name :
       {".auth", "auth=", "auth =", "auth = ", "changeuserpassword", ".login", "basicauth", "httpbasicauth"})
    if (before.ends_with(name)) return true;
  return false;
}

} // namespace

std::string hide_phrases(const std::string& text, std::size_t& replaced) {
  if (text.find_first_of("'\"") == std::string::npos) return text;
  std::string lower{text};
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  std::string out;
  std::size_t from = 0;     // what is copied already
  std::size_t call_end = 0; // literals before this are arguments of a login call
  std::size_t literals = 0; // of that call
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '(' && i >= call_end && is_login_call(lower, i)) {
      call_end = std::min(std::min(text.find(')', i), text.size()), i + call_limit);
      literals = 0;
      continue;
    }
    if (c != '\'' && c != '"') continue;
    const bool escaped = i > 0 && text[i - 1] == '\\';
    const bool in_call = i < call_end;
    if (!in_call && !is_sql_password(lower, escaped ? i - 1 : i)) continue;
    const auto end = literal_end(text, i + 1, c, escaped);
    // Of a call the first literal is the user, where another one follows.
    const bool user = in_call && literals++ == 0 && end < call_end &&
                      text.find_first_of("'\"", end + (escaped ? 2 : 1)) < call_end;
    if (!user && end > i + 1 && text.compare(i + 1, end - i - 1, redacted_mark) != 0) {
      out.append(text, from, i + 1 - from);
      out += redacted_mark;
      ++replaced;
      from = end;
    }
    if (in_call && end > call_end)
      call_end = std::min(text.find(')', end), text.size()); // a ')' in the literal
    i = escaped ? end + 1 : end;
  }
  return out + text.substr(std::min(from, text.size()));
}

} // namespace iris
