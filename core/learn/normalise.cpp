#include "core/base/hash.hpp"
#include "core/learn/behaviour.hpp"

#include <algorithm>
#include <array>

namespace iris {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || is_upper(c); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// How many characters a pattern covers at the start of the text; 0 for no match. In a pattern d is a digit
/// and x a hex digit; anything else stands for itself.
std::size_t covers(std::string_view text, std::string_view pattern) {
  if (text.size() < pattern.size()) return 0;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    bool fits = pattern[i] == 'd'   ? is_digit(text[i])
                : pattern[i] == 'x' ? is_hex(text[i])
                                    : text[i] == pattern[i];
    if (!fits) return 0;
  }
  return pattern.size();
}

std::size_t run(std::string_view text, bool (*accepts)(char)) {
  return std::size_t(std::find_if_not(text.begin(), text.end(), accepts) - text.begin());
}

/// 2026-11-24, with a time of day behind it where there is one.
std::size_t covers_time(std::string_view text) {
  auto length = covers(text, "dddd-dd-dd");
  if (length == 0) return 0;
  auto rest = text.substr(length);
  if (!rest.empty() && (rest[0] == 'T' || rest[0] == ' ' || rest[0] == '_'))
    if (auto clock = covers(rest.substr(1), "dd:dd")) {
      length += 1 + clock;
      while (length < text.size() && (is_digit(text[length]) || text[length] == ':' || text[length] == '.'))
        ++length;
      if (length < text.size() && text[length] == 'Z') ++length;
    }
  return length;
}

std::size_t covers_ipv4(std::string_view text) {
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    auto digits = run(text.substr(at), is_digit);
    if (digits == 0 || digits > 3) return 0;
    at += digits;
    if (part < 3 && (at >= text.size() || text[at++] != '.')) return 0;
  }
  return at < text.size() && (is_alnum(text[at]) || text[at] == '.') ? 0 : at;
}

/// mktemp's and tempfile's names: a letter after a digit, or capitals inside a word. "payload2" is a name.
bool looks_random(std::string_view name) {
  if (name.size() < 6 || run(name, is_alnum) != name.size()) return false;
  bool lower = std::any_of(name.begin(), name.end(), is_lower);
  for (std::size_t i = 1; i < name.size(); ++i) {
    if (is_digit(name[i - 1]) && !is_digit(name[i])) return true;
    if (is_upper(name[i]) && lower) return true;
  }
  return false;
}

/// A name below a directory of temporary files whose last part looks random.
std::size_t covers_temporary(std::string_view text, std::string& out) {
  for (std::string_view folder : {"/tmp/", "/var/tmp/", "/dev/shm/"}) {
    if (!text.starts_with(folder)) continue;
    auto name = text.substr(folder.size(), run(text.substr(folder.size()), [](char c) {
                              return is_alnum(c) || c == '.' || c == '_' || c == '-';
                            }));
    auto tail = name.substr(name.find_last_of("._-") + 1);
    auto head = name.substr(0, name.find_first_of("._-"));
    bool prefixed = head.starts_with("tmp") && head.size() >= 9;
    if (!looks_random(tail) && !looks_random(head) && !prefixed) return 0;
    out += folder;
    out += "<tmp>";
    return folder.size() + name.size();
  }
  return 0;
}

std::string normalise_word(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    auto rest = text.substr(at);
    char before = at == 0 ? ' ' : text[at - 1];
    bool boundary = !is_alnum(before);
    std::size_t length = 0;
    if (boundary) {
      if (rest[0] == '/' && (length = covers_temporary(rest, out))) {
        at += length;
        continue;
      }
      auto put = [&](const char* placeholder) {
        out += placeholder;
        at += length;
      };
      if ((length = covers(rest, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"))) {
        put("<uuid>");
        continue;
      }
      if ((length = covers_time(rest))) {
        put("<time>");
        continue;
      }
      if (before != '.' && (length = covers_ipv4(rest))) {
        put("<ip>");
        continue;
      }
      bool prefixed = rest.starts_with("0x");
      auto hex = run(rest.substr(prefixed ? 2 : 0), is_hex);
      auto digits = run(rest.substr(prefixed ? 2 : 0), is_digit);
      auto end = (prefixed ? 2 : 0) + hex;
      bool whole = end == rest.size() || !is_alnum(rest[end]);
      if (whole &&
          ((prefixed && hex > 0) ||
           (hex >= 8 && digits != hex && std::any_of(rest.begin(), rest.begin() + long(hex), is_digit)))) {
        length = end;
        put("<hex>");
        continue;
      }
    }
    // A digit inside a name (python3, v1) belongs to it; longer runs and whole numbers change from run to
    // run.
    auto digits = run(rest, is_digit);
    if (digits > 0 && (boundary || digits >= 3)) {
      out += "<n>";
      at += digits;
    } else if (digits > 0) {
      out.append(rest.substr(0, digits));
      at += digits;
    } else {
      out += rest[0];
      ++at;
    }
  }
  return out;
}

bool is_interpreter(std::string_view program) {
  program = program.substr(program.find_last_of('/') + 1);
  if (program.starts_with('-')) program.remove_prefix(1);
  static constexpr std::array<std::string_view, 14> names{"sh",  "bash",    "dash", "ash",   "zsh",
                                                          "ksh", "busybox", "perl", "ruby",  "node",
                                                          "php", "lua",     "awk",  "python"};
  return std::any_of(names.begin(), names.end(), [&](auto name) {
    return program.starts_with(name) && run(program.substr(name.size()), [](char c) {
                                          return is_digit(c) || c == '.';
                                        }) == program.size() - name.size();
  });
}

} // namespace

std::string normalise_arguments(const std::vector<std::string>& args) {
  static constexpr std::size_t input_limit = 4096;
  std::string out;
  bool script = !args.empty() && is_interpreter(args[0]);
  for (std::size_t i = 1; i < args.size() && out.size() < input_limit; ++i) {
    if (i > 1) out += ' ';
    std::string_view word = args[i];
    word = word.substr(0, input_limit);
    const auto& flag = args[i - 1];
    bool inline_script = script && i > 1 && flag.size() >= 2 && flag[0] == '-' && flag[1] != '-' &&
                         (flag.back() == 'c' || flag.back() == 'e' || flag.back() == 'r');
    auto shape = normalise_word(word);
    out += inline_script ? "<script:" + to_hex(hash64(shape)).substr(0, 8) + ">" : shape;
  }
  return out;
}

} // namespace iris
