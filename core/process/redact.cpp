#include "core/process/redact.hpp"

#include "core/process/secret_phrases.hpp"
#include "core/process/secret_text.hpp"
#include "core/process/secret_words.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>

namespace iris {
namespace {

using namespace secret;

constexpr int depth_limit = 4; ///< a shell string in a shell string …

bool space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool has_space(std::string_view text) { return std::any_of(text.begin(), text.end(), space); }

/// A word behind a flag that takes a secret is that secret, even where it begins with a dash; only "-x" and
/// "--long-name" are believed to be the next flag, after a flag whose value was left out.
bool looks_like_option(std::string_view word) {
  if (word.size() < 2 || word[0] != '-') return false;
  if (word.size() == 2) return true;
  if (word[1] != '-') return false;
  word.remove_prefix(2);
  auto name = word.substr(0, word.find('='));
  return name.size() > 1 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || c == '-' || c == '_';
         });
}

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
  std::string scan(const std::string& text) { return hide_in_text(text, replaced); }
  enum class Next { plain, secret, doubtful, user_pass, cookie };
  void hide(std::string& word, std::size_t from, Next as);
  std::string user_pass(const std::string& text, std::size_t from, bool alone);
};

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
  struct Command { // words with only blanks between them
    std::vector<std::size_t> indices;
    std::vector<std::string> words;
    std::vector<char> quotes;
  };
  std::vector<Command> commands(1);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    auto& word = pieces[i].text;
    if (!pieces[i].word) {
      if (word != " " && word != "\t" && !commands.back().words.empty()) commands.emplace_back();
      continue;
    }
    bool quoted = word.size() >= 2 && (word.front() == '"' || word.front() == '\'') &&
                  word.back() == word.front() && word.find(word.front(), 1) == word.size() - 1;
    commands.back().indices.push_back(i);
    commands.back().quotes.push_back(quoted ? word.front() : '\0');
    commands.back().words.push_back(quoted ? word.substr(1, word.size() - 2) : word);
  }
  const bool fed = std::any_of(commands.begin(), commands.end(),
                               [](const Command& command) { return reads_secret(command.words); });
  for (auto& command : commands) {
    auto& words = command.words;
    const auto program = words.empty() ? std::string_view{} : base_name(words[0]);
    if (fed && (program == "echo" || program == "printf")) {
      for (std::size_t k = 1; k < words.size(); ++k) // what is piped into chpasswd and its like
        if (words[k].size() > 2 || words[k].front() != '-') words[k] = user_pass(words[k], 0, true);
    } else {
      args(words, depth);
    }
    for (std::size_t k = 0; k < words.size(); ++k) {
      auto mark = command.quotes[k] == '\0' ? std::string{} : std::string(1, command.quotes[k]);
      pieces[command.indices[k]].text = mark + words[k] + mark;
    }
  }
  std::string out;
  for (const auto& piece : pieces)
    out += piece.text;
  return out;
}

std::string Rewriter::argument(const std::string& raw, int depth, bool shell_string) {
  if (!has_space(raw) || depth >= depth_limit) return scan(raw);
  const auto text = hide_phrases(raw, replaced); // before it is cut into words
  if (shell_string) return shell_words(text, depth + 1);
  if (text.find("PRIVATE KEY") != std::string::npos) return scan(text);
  auto first = text.find_first_of("=: \t");
  if (first == std::string::npos) return scan(text);
  if (text[first] == ':' && (sensitive_header(std::string_view{text}.substr(0, first)) ||
                             sensitive_name(std::string_view{text}.substr(0, first))))
    return scan(text);
  if (text[first] == '=')
    return scan(text); // NAME=value with blanks in it, or --header=Authorization: Bearer x
  return shell_words(text, depth + 1);
}

/// "user:secret", "user%secret", "user,secret"; without one of these it is a user only, or `alone` the
/// secret.
std::string Rewriter::user_pass(const std::string& text, std::size_t from, bool alone) {
  auto cut = text.find_first_of(":%,", from);
  if (cut == std::string::npos) return alone && text.size() > from ? text.substr(0, from) + mark() : text;
  // "secret:" is how a token is given as a user without a password.
  if (cut + 1 == text.size()) return text.substr(0, from) + mark() + text[cut];
  return text.substr(0, cut + 1) + mark();
}

void Rewriter::hide(std::string& word, std::size_t from, Next as) {
  const auto value = std::string_view{word}.substr(from);
  switch (as) {
  case Next::plain:
    break;
  case Next::user_pass:
    word = user_pass(word, from, false);
    break;
  case Next::cookie:
    if (value.find('=') != std::string_view::npos) word = word.substr(0, from) + mark();
    break;
  case Next::doubtful:
    if (path_or_number(value)) break;
    [[fallthrough]];
  case Next::secret:
    if (!harmless_value(value)) word = word.substr(0, from) + mark();
    break;
  }
}

void Rewriter::args(std::vector<std::string>& words, int depth) {
  static constexpr std::string_view shells[] = {"sh", "bash", "dash", "ash", "zsh", "ksh"};
  Next next = Next::plain;
  std::size_t left = 0; ///< words that `next` still means, options between them left out
  std::string program = words.empty() ? "" : words[0];
  bool command_string = false, secret_pairs = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    if (next != Next::plain && !word.empty() && !looks_like_option(word)) {
      hide(word, 0, next);
      if (left > 0) --left;
      if (left == 0) next = Next::plain;
      continue;
    }
    if (left == 0) next = Next::plain;
    const auto base = base_name(word);
    if (!known_client(program) &&
        (known_client(word) || std::count(std::begin(shells), std::end(shells), base) > 0))
      program = word; // behind sudo, env, timeout …
    if (i > 0 && i + 1 == words.size() && last_is_secret(program, words)) {
      hide(word, 0, Next::secret);
      continue;
    }
    if (const auto flag = i == 0 ? ShortFlag{} : short_flag(program, words, i);
        flag.value != FlagValue::none) {
      const auto as = flag.value == FlagValue::secret      ? Next::secret
                      : flag.value == FlagValue::user_pass ? Next::user_pass
                                                           : Next::cookie;
      if (flag.at == 0)
        next = as;
      else
        hide(word, flag.at, as);
      continue;
    }
    if (word == "--user" || word == "--proxy-user" || word == "--cookie") {
      next = word == "--cookie" ? Next::cookie : Next::user_pass;
      continue;
    }
    if (word.starts_with("--user=") || word.starts_with("--proxy-user=")) {
      hide(word, word.find('=') + 1, Next::user_pass);
      continue;
    }
    if (word.starts_with("--cookie=")) {
      hide(word, word.find('=') + 1, Next::cookie);
      continue;
    }
    if (word.size() > 2 && word.front() == '-' && word.find_first_of("=: ") == std::string::npos &&
        (sensitive_name(word) || doubtful_name(word))) {
      if (base_name(program) != "mongod" || word != "--auth")
        next = sensitive_name(word) ? Next::secret : Next::doubtful;
      continue;
    }
    if (i > 0 && !word.empty())
      if (const auto behind = secrets_behind(program, word); behind > 0) {
        next = Next::secret;
        left = behind;
      }
    if (secret_pairs && !word.empty() && word.front() != '-')
      if (auto equals = word.find('='); equals != std::string::npos && word.compare(equals, 2, "=@") != 0) {
        hide(word, equals + 1, Next::secret);
        continue;
      }
    secret_pairs = secret_pairs || secret_pairs_behind(program, word);
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
