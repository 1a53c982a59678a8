#include "shell/render.hpp"

#include "core/base/terminal_text.hpp"
#include "shell/render_blocks.hpp"

#include <algorithm>
#include <set>

namespace iris {

using namespace rendering;

namespace {

std::string kind_of(const Json& row) {
  const auto found = row.find("kind");
  return found != row.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

/// Objects of one kind after each other are one section.
std::string show_sections(const std::vector<Json>& rows, const RenderOptions& options) {
  std::string out;
  for (std::size_t begin = 0; begin < rows.size();) {
    const auto kind = kind_of(rows[begin]);
    auto end = begin + 1;
    while (end < rows.size() && kind_of(rows[end]) == kind)
      ++end;
    const std::vector<Json> part(rows.begin() + std::ptrdiff_t(begin), rows.begin() + std::ptrdiff_t(end));
    const auto* section = find_section(kind);
    if (!out.empty()) out += "\n";
    if (section == nullptr) {
      out += guessed_table(part, options);
    } else if (section->columns.empty()) {
      for (const auto& row : part)
        out += tree(row);
    } else {
      out += std::string{section->title} + "\n" + table(part, section->columns, options);
    }
    begin = end;
  }
  return out;
}

/// What a command did to an alert in one line; of another thing all that was answered.
std::string changed(const Json& row) {
  for (const char* field : {"id", "state", "title"})
    if (const auto found = row.find(field); found == row.end() || !found->is_string()) return tree(row);
  return value_text(row["id"]) + " is " + value_text(row["state"]) + ": " + value_text(row["title"]) + "\n";
}

std::string show(const std::vector<Json>& rows, const CommandInfo* info, const RenderOptions& options) {
  std::string out;
  const auto each = [&](auto block) {
    for (const auto& row : rows)
      out += (out.empty() ? "" : "\n") + block(row);
    return out;
  };
  if (info == nullptr) return rows.size() == 1 ? tree(rows.front()) : guessed_table(rows, options);
  switch (info->layout) {
  case Layout::table:
    return table(rows, info->columns, options);
  case Layout::alert:
    return each([&](const Json& row) { return alert(row, options); });
  case Layout::tree:
    return each([&](const Json& row) { return actor(row, options); });
  case Layout::sections:
    return show_sections(rows, options);
  case Layout::message:
    return each([](const Json& row) { return changed(row); });
  }
  return out;
}

} // namespace

std::string render(const QueryAnswer& answer, const CommandInfo* info, const RenderOptions& options) {
  std::string out;
  std::vector<Json> rows;
  std::string plain; ///< lines that are no JSON objects
  for (const auto& line : answer.lines) {
    auto row = Json::parse(line, nullptr, false);
    if (row.is_object() && !options.json) {
      rows.push_back(std::move(row));
    } else if (row.is_object()) {
      // As it came, byte for byte, unless something in it could act on a terminal or break the line.
      const bool clean =
          std::all_of(line.begin(), line.end(), [](char c) { return std::uint8_t(c) >= 0x20 && c != 0x7f; });
      out += (clean ? line : row.dump(-1, ' ', true, Json::error_handler_t::replace)) + "\n";
    } else {
      plain += terminal_safe(line) + "\n";
    }
  }
  if (options.json) return out + plain;
  return (rows.empty() && !plain.empty() ? std::string{} : show(rows, info, options)) + plain;
}

} // namespace iris
