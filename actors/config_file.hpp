#pragma once
#include "core/base/result.hpp"

#include <string>

namespace CLI {
class App;
}

namespace iris {

/// Gives every option of `app` that neither flag nor environment set the value that the TOML file at `path`
/// has under the option's long name (dashes as in the flag). An unknown key, a wrong type or broken TOML is
/// an error that names the file and the line. Call it after `app.parse`.
[[nodiscard]] Result<void> apply_config_file(CLI::App& app, const std::string& path);

} // namespace iris
