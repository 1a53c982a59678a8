#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// How a value is shown in a table.
enum class Cell : std::uint8_t {
  text,
  time,    ///< RFC 3339 -> to the second
  number,  ///< to the right; thousands apart
  decimal, ///< one digit after the point
  flag,    ///< "yes" or nothing
  fleet,   ///< a gateway's name; empty means the fleet
  severity,
};

struct Column {
  std::string_view title, field;
  Cell cell = Cell::text;
};

/// How an answer is shown without --json.
enum class Layout : std::uint8_t {
  table,    ///< one line an object
  alert,    ///< a block of text an alert
  tree,     ///< indented
  sections, ///< objects of several kinds ("kind"), a table or block each
  message,  ///< what was done
};

struct CommandInfo {
  std::string_view verb, usage, says;
  std::size_t least = 0, most = 0; ///< arguments, without options
  std::string_view options;        ///< names separated by spaces; each takes a value
  Layout layout = Layout::table;
  std::span<const Column> columns;
};

/// One of the kinds in an answer of Layout::sections; without columns it is shown as a block.
struct SectionInfo {
  std::string_view kind, title;
  std::span<const Column> columns;
};

[[nodiscard]] std::span<const CommandInfo> command_table();
[[nodiscard]] const CommandInfo* find_command(std::string_view verb); ///< null for none
[[nodiscard]] const SectionInfo* find_section(std::string_view kind);
/// The known verb that was probably meant; empty for none.
[[nodiscard]] std::string_view similar_command(std::string_view verb);

/// A line as a person types it: words, 'single' and "double" quotes, backslash.
[[nodiscard]] Result<std::vector<std::string>> split_words(std::string_view line);

/// A command that has been checked against the table.
struct Command {
  std::string verb;
  std::vector<std::string> arguments; ///< options as name=value, as the cloud takes them
  const CommandInfo* info = nullptr;  ///< null for a verb that only the process asked knows
};
/// `open`: verbs that are not in the table are handed on (a control socket's own).
[[nodiscard]] Result<Command> parse_command(std::string_view line, bool open);

} // namespace iris
