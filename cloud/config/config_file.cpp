#include "cloud/config/config.hpp"

#include <toml.hpp>

#include <algorithm>
#include <array>
#include <filesystem>

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

} // namespace

Result<RawConfig> read_config_file(const std::string& path) {
  if (!std::filesystem::exists(path)) return Error{Errc::not_found, "there is no configuration file " + path};
  toml::value file;
  try {
    file = toml::parse(path);
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
