#include "core/base/terminal_text.hpp"
#include "shell/render_blocks.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace iris::rendering {
namespace {

constexpr std::size_t least_last_column =
    20; ///< the last column is clipped to the terminal, but not below this

std::string thousands(std::uint64_t number) {
  auto digits = std::to_string(number);
  for (auto at = std::ptrdiff_t(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(std::size_t(at), 1, ' ');
  return digits;
}

/// "2026-11-24 09:08:31" of an RFC 3339 time.
std::string short_time(const std::string& text) {
  if (text.size() < 19 || text[10] != 'T') return terminal_safe(text);
  return terminal_safe(text.substr(0, 10) + " " + text.substr(11, 8));
}

bool right_hand(Cell cell) { return cell == Cell::number || cell == Cell::decimal; }

} // namespace

std::string value_text(const Json& value) {
  if (value.is_string()) return terminal_safe(value.get_ref<const std::string&>());
  if (value.is_null()) return "";
  return terminal_safe(value.dump(-1, ' ', false, Json::error_handler_t::replace));
}

std::string cell_text(const Json& row, const Column& column) {
  const auto found = row.find(column.field);
  if (found == row.end() || found->is_null()) return column.cell == Cell::fleet ? "fleet" : "";
  const auto& value = *found;
  switch (column.cell) {
  case Cell::time:
    return value.is_string() ? short_time(value.get<std::string>()) : value_text(value);
  case Cell::number:
    return value.is_number_unsigned() ? thousands(value.get<std::uint64_t>()) : value_text(value);
  case Cell::decimal:
    return value.is_number() ? fmt::format("{:.1f}", value.get<double>()) : value_text(value);
  case Cell::flag:
    if (value.is_boolean()) return value.get<bool>() ? "yes" : "";
    return value_text(value);
  case Cell::fleet:
    return value == "" ? "fleet" : value_text(value);
  case Cell::severity:
  case Cell::text:
    break;
  }
  return value_text(value);
}

std::string coloured(const std::string& text, std::string_view severity, const RenderOptions& options) {
  if (!options.colour) return text;
  const char* code = severity == "critical" ? "\x1b[1;31m"
                     : severity == "high"   ? "\x1b[31m"
                     : severity == "medium" ? "\x1b[33m"
                                            : "";
  return *code == 0 ? text : code + text + "\x1b[0m";
}

std::string table(const std::vector<Json>& rows, std::span<const Column> columns,
                  const RenderOptions& options) {
  if (rows.empty() || columns.empty()) return {};
  std::vector<std::vector<std::string>> cells;
  std::vector<std::size_t> widths;
  for (const auto& column : columns)
    widths.push_back(column.title.size());
  for (const auto& row : rows) {
    auto& line = cells.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.push_back(cell_text(row, columns[i]));
      widths[i] = std::max(widths[i], display_width(line.back()));
    }
  }
  // A column in which nothing stands only takes room.
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (std::any_of(cells.begin(), cells.end(), [&](const auto& line) { return !line[i].empty(); }))
      shown.push_back(i);
  if (shown.empty()) return {};
  std::size_t before_last = 0;
  for (std::size_t i = 0; i + 1 < shown.size(); ++i)
    before_last += widths[shown[i]] + 2;
  if (options.width != 0)
    widths[shown.back()] =
        std::min(widths[shown.back()],
                 std::max(least_last_column, options.width - std::min(options.width, before_last)));
  std::string out;
  const auto add_line = [&](auto text_of, bool colour, const Json* row) {
    std::string line;
    for (const auto i : shown) {
      const bool last = i == shown.back();
      auto text = clipped(text_of(i), widths[i]);
      text =
          last && !right_hand(columns[i].cell) ? text : padded(text, widths[i], right_hand(columns[i].cell));
      if (colour && columns[i].cell == Cell::severity)
        text = coloured(text, value_text(row->value(std::string{columns[i].field}, Json{})), options);
      line += text + (last ? "" : "  ");
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  };
  add_line([&](std::size_t i) { return std::string{columns[i].title}; }, false, nullptr);
  for (std::size_t row = 0; row < rows.size(); ++row)
    add_line([&](std::size_t i) { return cells[row][i]; }, true, &rows[row]);
  return out;
}

std::string guessed_table(const std::vector<Json>& rows, const RenderOptions& options) {
  if (rows.empty()) return {};
  std::vector<std::string> names;
  for (const auto& [name, value] : rows.front().items())
    if (!value.is_structured()) names.push_back(name);
  std::vector<std::string> titles;
  std::vector<Column> columns;
  titles.reserve(names.size());
  for (const auto& name : names) {
    auto& title = titles.emplace_back(terminal_safe(name));
    std::transform(title.begin(), title.end(), title.begin(),
                   [](unsigned char c) { return char(std::toupper(c)); });
    columns.push_back({title, name, rows.front()[name].is_number_unsigned() ? Cell::number : Cell::text});
  }
  return table(rows, columns, options);
}

} // namespace iris::rendering
