#pragma once
#include "shell/render.hpp"

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <vector>

/// The parts of render(); only its own source files include this.
namespace iris::rendering {

using Json = nlohmann::ordered_json;

/// A value as one printable text: strings bare, objects and arrays as JSON.
[[nodiscard]] std::string value_text(const Json& value);
[[nodiscard]] std::string cell_text(const Json& row, const Column& column);
[[nodiscard]] std::string coloured(const std::string& text, std::string_view severity,
                                   const RenderOptions& options);

[[nodiscard]] std::string table(const std::vector<Json>& rows, std::span<const Column> columns,
                                const RenderOptions& options);
/// Columns from the rows themselves, for verbs that the shell does not know.
[[nodiscard]] std::string guessed_table(const std::vector<Json>& rows, const RenderOptions& options);
[[nodiscard]] std::string tree(const Json& value);
[[nodiscard]] std::string actor(const Json& value, const RenderOptions& options);
[[nodiscard]] std::string alert(const Json& value, const RenderOptions& options);

} // namespace iris::rendering
