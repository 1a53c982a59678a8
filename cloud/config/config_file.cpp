#include "cloud/config/config.hpp"

#include <toml.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace iris {
namespace {

constexpr std::array<const char*, 9> sink_keys{"name", "type",   "url",    "address", "tls",
                                               "ca",   "secret", "tenant", "timeout"};

std::string where(const std::string& path, const toml::value& value) {
  return path + ":" + std::to_string(value.location().line());
}

Error wrong(const std::string& path, const toml::value& value, const std::string& why) {
  return {Errc::invalid, where(path, value) + ": " + why};
}

/// A scalar as the text that a flag would have had.
Result<std::string> text_of(const std::string& path, const std::string& key, const toml::value& value) {
  if (value.is_string()) return value.as_string().str;
  if (value.is_boolean()) return std::string{value.as_boolean() ? "true" : "false"};
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_floating()) return std::to_string(value.as_floating());
  return wrong(path, value, key + " must be text, a number or true/false");
}

Result<RawSetting> setting_of(const std::string& path, const std::string& key, const toml::value& value,
                              bool list) {
  RawSetting setting;
  setting.where = where(path, value);
  if (value.is_array()) {
    if (!list) return wrong(path, value, key + " takes one value, not a list");
    for (const auto& entry : value.as_array()) {
      auto text = text_of(path, key, entry);
      if (!text) return text.error();
      setting.texts.push_back(std::move(*text));
    }
    return setting;
  }
  auto text = text_of(path, key, value);
  if (!text) return text.error();
  setting.texts.push_back(std::move(*text));
  return setting;
}

Result<void> read_sinks(const std::string& path, const toml::value& value, RawConfig& raw) {
  if (!value.is_array()) return wrong(path, value, "sinks are written as [[sink]]");
  for (const auto& table : value.as_array()) {
    if (!table.is_table()) return wrong(path, table, "sinks are written as [[sink]]");
    std::map<std::string, RawSetting> sink;
    sink[""].where = where(path, table);
    for (const auto& [key, entry] : table.as_table()) {
      if (std::find(sink_keys.begin(), sink_keys.end(), key) == sink_keys.end())
        return wrong(path, entry,
                     "unknown key \"" + key +
                         "\" of a sink; known are name, type, url, address, tls, ca, "
                         "secret, tenant, timeout");
      auto setting = setting_of(path, "sink." + key, entry, false);
      if (!setting) return setting.error();
      sink[key] = std::move(*setting);
    }
    raw.sinks.push_back(std::move(sink));
  }
  return {};
}

const OptionSpec* option_named(const std::string& key) {
  for (const auto& option : cloud_options())
    if (key == option.key) return &option;
  return nullptr;
}

Result<void> read_table(const std::string& path, const std::string& prefix, const toml::value& table,
                        RawConfig& raw) {
  for (const auto& [name, value] : table.as_table()) {
    auto key = prefix.empty() ? name : prefix + "." + name;
    if (key == "sink") {
      if (auto done = read_sinks(path, value, raw); !done) return done;
      continue;
    }
    if (value.is_table() && prefix.empty()) {
      if (auto done = read_table(path, key, value, raw); !done) return done;
      continue;
    }
    const auto* option = option_named(key);
    if (option == nullptr)
      return wrong(path, value, "unknown key \"" + key + "\"; iris-cloud run --help lists them");
    auto setting = setting_of(path, key, value, option->list);
    if (!setting) return setting.error();
    raw.settings[key] = std::move(*setting);
  }
  return {};
}

constexpr std::size_t file_limit = 1 << 20; // bytes; ours have a few hundred
constexpr std::size_t depth_limit = 16;     // ours have 3

/// The end of the string that begins at `at`, and counts its lines.
std::size_t skip_string(const std::string& text, std::size_t at, std::size_t& line) {
  const char quote = text[at];
  const std::string triple(3, quote);
  const bool lines = text.compare(at, 3, triple) == 0;
  for (at += lines ? 3 : 1; at < text.size(); ++at) {
    if (text[at] == '\n') {
      if (!lines) return at - 1; // not closed, which the parser tells
      ++line;
    } else if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (lines ? text.compare(at, 3, triple) == 0 : text[at] == quote) {
      return at + (lines ? 2 : 0);
    }
  }
  return at;
}

/// The parser calls itself for every array in an array and every part of a dotted key: too deep a file would
/// end the program. @returns the line that is too deep, 0 if there is none.
std::size_t too_deep(const std::string& text) {
  std::size_t line = 1, depth = 0, dots = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"' || text[at] == '\'') {
      at = skip_string(text, at, line);
      continue;
    }
    if (text[at] == '#') at = std::min(text.find('\n', at), text.size() - 1);
    const char c = text[at];
    if (c == '.') {
      ++dots;
    } else if (c == '[' || c == '{') {
      ++depth;
      dots = 0;
    } else if (c == ']' || c == '}') {
      depth -= depth > 0 ? 1 : 0;
      dots = 0;
    } else if (c == '=' || c == ',' || c == '\n') {
      dots = 0;
    }
    if (depth > depth_limit || dots > depth_limit) return line;
    if (c == '\n') ++line;
  }
  return 0;
}

} // namespace

Result<RawConfig> read_config_file(const std::string& path) {
  if (!std::filesystem::exists(path)) return Error{Errc::not_found, "there is no configuration file " + path};
  std::string content(file_limit + 1, 0);
  std::ifstream in{path, std::ios::binary};
  if (in) in.read(content.data(), std::streamsize(content.size()));
  if (in.bad() || !(in || in.eof())) return Error{Errc::io, path + ": cannot be read"};
  content.resize(std::size_t(in.gcount()));
  if (content.size() > file_limit)
    return Error{Errc::limit, path + ": is larger than 1 MiB; it cannot be a configuration"};
  if (const auto line = too_deep(content); line != 0)
    return Error{Errc::limit, path + ":" + std::to_string(line) + ": nests deeper than " +
                                  std::to_string(depth_limit) + " levels; no setting does"};
  toml::value file;
  try {
    std::istringstream text{content};
    file = toml::parse(text, path);
  } catch (const toml::syntax_error& error) {
    std::string text = error.what();
    // Its message spans lines and shows the source; the first line and the place are enough.
    auto line = text.substr(0, text.find('\n'));
    if (auto at = line.find("toml::"); at != std::string::npos) line = line.substr(line.find(' ', at) + 1);
    return Error{Errc::invalid,
                 path + ":" + std::to_string(error.location().line()) + ": not valid TOML: " + line};
  } catch (const std::exception& error) {
    return Error{Errc::io, path + ": cannot be read: " + error.what()};
  }
  RawConfig raw;
  if (auto done = read_table(path, "", file, raw); !done) return done.error();
  return raw;
}

RawConfig merged(RawConfig over, RawConfig under) {
  for (auto& [key, setting] : over.settings)
    under.settings[key] = std::move(setting);
  if (!over.sinks.empty()) under.sinks = std::move(over.sinks);
  return under;
}

} // namespace iris
