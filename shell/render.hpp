#pragma once
#include "actors/query.hpp"
#include "shell/command_table.hpp"

#include <string>

namespace iris {

struct RenderOptions {
  bool json = false;     ///< lines as they came
  bool colour = false;   ///< only for a terminal
  std::size_t width = 0; ///< of the terminal; 0: lines are as long as they need
};

/// The answer's lines for people or, with `json`, for programs; ends in a line end unless empty. Message and
/// status are the caller's to show.
[[nodiscard]] std::string render(const QueryAnswer& answer, const CommandInfo* info,
                                 const RenderOptions& options);

} // namespace iris
