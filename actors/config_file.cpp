#include "actors/config_file.hpp"

#include <CLI/CLI.hpp>
#include <toml.hpp>

namespace iris {
namespace {

std::string where(const std::string& path, const toml::value& value) {
  return path + ":" + std::to_string(value.location().line());
}

/// A TOML scalar as the text that a flag would have had; empty when it is no scalar.
std::string text_of(const toml::value& value) {
  if (value.is_string()) return value.as_string().str;
  if (value.is_boolean()) return value.as_boolean() ? "true" : "false";
  if (value.is_integer()) return std::to_string(value.as_integer());
  if (value.is_floating()) return std::to_string(value.as_floating());
  return {};
}

} // namespace

Result<void> apply_config_file(CLI::App& app, const std::string& path) {
  toml::value file;
  try {
    file = toml::parse(path);
  } catch (const std::exception& e) {
    std::string text = e.what();
    for (auto& c : text)
      if (c == '\n') c = ' ';
    return Error{Errc::invalid, path + ": not valid TOML: " + text};
  }
  for (const auto& [key, value] : file.as_table()) {
    auto* option = app.get_option_no_throw("--" + key);
    if (option == nullptr || key == "config" || key == "help")
      return Error{Errc::invalid,
                   where(path, value) + ": unknown key '" + key + "'; see --help for the names"};
    if (option->count() > 0) continue; // flag or environment came first
    std::vector<std::string> texts;
    if (value.is_array())
      for (const auto& entry : value.as_array())
        texts.push_back(text_of(entry));
    else
      texts.push_back(text_of(value));
    for (const auto& text : texts) {
      if (text.empty())
        return Error{Errc::invalid,
                     where(path, value) + ": '" + key + "' must be text, a number or true/false"};
      option->add_result(text);
    }
    try {
      option->run_callback();
    } catch (const CLI::Error& e) {
      return Error{Errc::invalid, where(path, value) + ": " + key + ": " + e.what()};
    }
  }
  return {};
}

} // namespace iris
