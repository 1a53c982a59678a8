#pragma once
#include "shell/runner.hpp"

namespace iris {

/// Reads commands from a terminal with history and completion until quit or the end of input.
Exit run_interactive(Runner& runner, const std::string& name);

/// Reads commands from a file or pipe, one a line; the exit code of the first that fails.
Exit run_script(Runner& runner);

/// Columns of the terminal on stdout; 0 where it is none.
[[nodiscard]] std::size_t terminal_width();

/// Writes both; false when nobody reads any more.
bool show(const Outcome& outcome);

} // namespace iris
