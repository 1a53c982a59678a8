#include "core/process/redact.hpp"

#include "core/process/secret_words.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace iris {
namespace {

using namespace secret;

constexpr int depth_limit = 4; ///< a shell string in a shell string …
constexpr std::size_t url_user_limit =
    512; ///< bytes behind "://" that are searched for the '@' of user:password@

bool name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-' || c == '.';
}
bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool has_space(std::string_view text) { return std::any_of(text.begin(), text.end(), space); }

/// Collects the rewritten text and counts what was replaced.
struct Rewriter {
  std::size_t replaced = 0;

  std::string mark() {
    ++replaced;
    return std::string{redacted_mark};
  }
  void args(std::vector<std::string>& words, int depth);
  std::string argument(const std::string& text, int depth, bool shell_string);
  std::string shell_words(const std::string& text, int depth);
  std::string scan(std::string text);
  std::string private_keys(const std::string& text);
  std::string headers(const std::string& text);
  std::string urls(const std::string& text);
  std::string pairs(const std::string& text);
  std::string tokens(const std::string& text);
};

std::string Rewriter::private_keys(const std::string& text) {
  auto begin = text.find("-----BEGIN");
  if (begin == std::string::npos || text.find("PRIVATE KEY", begin) == std::string::npos) return text;
  auto end = text.find("-----END", begin);
  auto stop = end == std::string::npos ? std::string::npos : text.find("-----", end + 8);
  std::string rest = stop == std::string::npos ? "" : text.substr(stop + 5);
  return text.substr(0, begin) + mark() + rest;
}

/// "Authorization: Bearer x" up to the end of line or of the quotation.
std::string Rewriter::headers(const std::string& text) {
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
std::string Rewriter::urls(const std::string& text) {
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
std::string Rewriter::pairs(const std::string& text) {
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
    if (!sensitive_name(std::string_view{text}.substr(begin, end_of_name - begin))) continue;
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
    if (harmless_value(std::string_view{text}.substr(value, end - value)) ||
        text.compare(value, end - value, redacted_mark) == 0)
      continue;
    out += text.substr(from, value - from) + mark();
    from = end;
    i = end == 0 ? i : end - 1;
  }
  return out + text.substr(from);
}

std::string Rewriter::tokens(const std::string& text) {
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

std::string Rewriter::scan(std::string text) { return tokens(pairs(urls(headers(private_keys(text))))); }

/// Splits a shell string into simple commands and their words (quotes kept together) and redacts each as a
/// vector.
std::string Rewriter::shell_words(const std::string& text, int depth) {
  struct Piece {
    std::string text;
    bool word;
  };
  std::vector<Piece> pieces;
  std::string current;
  char quote = '\0';
  auto flush = [&] {
    if (!current.empty()) pieces.push_back({std::move(current), true});
    current.clear();
  };
  for (char c : text) {
    if (quote != '\0') {
      current += c;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
      current += c;
    } else if (space(c) || std::strchr(";|&()<>`", c) != nullptr) {
      flush();
      pieces.push_back({std::string(1, c), false});
    } else {
      current += c;
    }
  }
  flush();
  std::string out;
  for (std::size_t i = 0; i < pieces.size();) {
    std::vector<std::size_t> indices; // one simple command: words with only blanks between them
    std::size_t end = i;
    for (; end < pieces.size(); ++end) {
      if (pieces[end].word)
        indices.push_back(end);
      else if (pieces[end].text != " " && pieces[end].text != "\t")
        break;
    }
    std::vector<std::string> words;
    std::vector<char> quotes;
    for (auto index : indices) {
      auto& word = pieces[index].text;
      bool quoted = word.size() >= 2 && (word.front() == '"' || word.front() == '\'') &&
                    word.back() == word.front() && word.find(word.front(), 1) == word.size() - 1;
      quotes.push_back(quoted ? word.front() : '\0');
      words.push_back(quoted ? word.substr(1, word.size() - 2) : word);
    }
    args(words, depth);
    for (std::size_t k = 0; k < indices.size(); ++k)
      pieces[indices[k]].text = quotes[k] != '\0' ? quotes[k] + words[k] + quotes[k] : words[k];
    if (end < pieces.size()) ++end;
    for (; i < end; ++i)
      out += pieces[i].text;
  }
  return out;
}

std::string Rewriter::argument(const std::string& text, int depth, bool shell_string) {
  if (!has_space(text) || depth >= depth_limit) return scan(text);
  if (shell_string) return shell_words(text, depth + 1);
  if (text.find("PRIVATE KEY") != std::string::npos) return scan(text);
  auto first = text.find_first_of("=: \t");
  if (text[first] == ':' && sensitive_header(std::string_view{text}.substr(0, first))) return headers(text);
  if (text[first] == '=')
    return scan(text); // NAME=value with blanks in it, or --header=Authorization: Bearer x
  return shell_words(text, depth + 1);
}

void Rewriter::args(std::vector<std::string>& words, int depth) {
  enum class Next { plain, secret, user_pass } next = Next::plain;
  static constexpr std::string_view shells[] = {"sh", "bash", "dash", "ash", "zsh", "ksh"};
  std::string program = words.empty() ? "" : words[0];
  auto user_pass = [&](const std::string& text, std::size_t from) {
    auto cut = text.find_first_of(":%", from);
    return cut == std::string::npos ? text : text.substr(0, cut + 1) + mark();
  };
  bool command_string = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    if (next != Next::plain && !word.empty() && word.front() != '-') {
      if (next == Next::user_pass)
        word = user_pass(word, 0);
      else if (!harmless_value(word))
        word = mark();
      next = Next::plain;
      continue;
    }
    next = Next::plain;
    const auto base = base_name(word);
    if (!known_client(program) &&
        (known_client(word) || std::count(std::begin(shells), std::end(shells), base) > 0))
      program = word; // behind sudo, env, timeout …
    switch (i == 0 ? ShortFlag::none : short_flag(program, word)) {
    case ShortFlag::next_is_secret:
      next = Next::secret;
      continue;
    case ShortFlag::next_is_user_pass:
      next = Next::user_pass;
      continue;
    case ShortFlag::attached_is_secret:
      word = word.substr(0, 2) + mark();
      continue;
    case ShortFlag::attached_is_user_pass:
      word = user_pass(word, 2);
      continue;
    case ShortFlag::none:
      break;
    }
    if (word == "--user" || word == "--proxy-user") {
      next = Next::user_pass;
      continue;
    }
    if (word.size() > 2 && word.front() == '-' && word.find_first_of("=: ") == std::string::npos &&
        sensitive_name(word)) {
      if (base_name(program) != "mongod" || word != "--auth") next = Next::secret;
      continue;
    }
    const bool shell = std::count(std::begin(shells), std::end(shells), base_name(program)) > 0;
    word = argument(word, depth, shell && command_string);
    // After "-c" (also "-lc", "-ec") comes a command string.
    command_string = word.size() >= 2 && word.front() == '-' && word[1] != '-' && word.back() == 'c';
  }
}

} // namespace

std::size_t redact_args(std::vector<std::string>& args) {
  Rewriter rewriter;
  rewriter.args(args, 0);
  return rewriter.replaced;
}

std::string redact_text(std::string_view text) {
  Rewriter rewriter;
  return rewriter.scan(std::string{text});
}

} // namespace iris
