#pragma once
#include "actors/query.hpp"
#include "cloud/config/config.hpp"
#include "cloud/program/cloud_program.hpp"
#include "core/base/result.hpp"

#include <map>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace iris {

/// Prints "iris-cloud: MESSAGE" on stderr; gives the exit code: 3 for what cannot be reached, else 1.
int fail(const Error& error);
/// Parses; gives -1 to go on, else the exit code (0 for --help, 2 for wrong usage).
int parse(CLI::App& app, int argc, char** argv);

/// The settings of cloud_options() as flags and environment variables of a command.
class ConfigFlags {
public:
  explicit ConfigFlags(CLI::App& app);
  /// Flags before environment before the file. A missing file is an error only when it was named.
  [[nodiscard]] Result<CloudConfig> load(const CloudPaths& paths) const;
  [[nodiscard]] std::string config_path(const CloudPaths& paths) const {
    return config.empty() ? paths.config() : config;
  }
  std::string data = "/var/lib/iris", config;

private:
  std::map<std::string, std::vector<std::string>> flags_; ///< by key; from the command line only
};

/// --data with its default.
void add_data_option(CLI::App& app, std::string& data);

/// Asks the running process; where none runs, opens the database and answers itself.
[[nodiscard]] Result<QueryAnswer> administrate(const CloudPaths& paths, const std::string& verb,
                                               std::vector<std::string> arguments);
/// The value of a text field of a JSON line; empty where there is none.
[[nodiscard]] std::string json_text(const std::string& line, const std::string& field);
/// Prints the answer's lines as they are (`json`), or the named fields as a table. Gives the exit code.
int print_answer(const Result<QueryAnswer>& answer, bool json, const std::vector<std::string>& fields);

} // namespace iris
