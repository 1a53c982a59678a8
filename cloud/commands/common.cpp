#include "cloud/commands/common.hpp"
#include "actors/control_socket.hpp"
#include "actors/ticks.hpp"
#include "actors/unix_stream.hpp"
#include "cloud/admin/admin.hpp"
#include "cloud/store/store.hpp"
#include "core/base/terminal_text.hpp"

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace iris {

int fail(const Error& error) {
  std::fprintf(stderr, "iris-cloud: %s\n", error.message.c_str());
  return error.code == Errc::unavailable ? 3 : 1;
}

int parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return -1;
}

void add_data_option(CLI::App& app, std::string& data) {
  app.add_option("--data", data, "Where the database and the certificate authority live")
      ->envname("IRIS_DATA")
      ->capture_default_str();
}

ConfigFlags::ConfigFlags(CLI::App& app) {
  add_data_option(app, data);
  app.add_option("--config", config, "Configuration file (default: DATA/iris-cloud.toml)")
      ->envname("IRIS_CONFIG");
  for (const auto& option : cloud_options()) {
    auto& texts = flags_[option.key];
    auto* added =
        app.add_option(option.flag, texts, std::string{option.help} + "; " + option.key + " in the file");
    // An option that may be given several times takes one value each time, never what follows.
    added->expected(1)->group("Settings");
    if (option.list)
      added->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    else
      added->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  }
}

Result<CloudConfig> ConfigFlags::load(const CloudPaths& paths) const {
  RawConfig flags, environment, file;
  for (const auto& option : cloud_options()) {
    if (const auto& texts = flags_.at(option.key); !texts.empty())
      flags.settings[option.key] = {texts, option.flag};
    auto name = environment_name(option);
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == 0) continue;
    RawSetting setting{{}, name};
    std::string text = value;
    // Lists are separated by commas in the environment.
    for (std::size_t at = 0; at != std::string::npos;) {
      auto comma = option.list ? text.find(',', at) : std::string::npos;
      setting.texts.push_back(text.substr(at, comma == std::string::npos ? comma : comma - at));
      at = comma == std::string::npos ? comma : comma + 1;
    }
    environment.settings[option.key] = std::move(setting);
  }
  if (!config.empty() || std::filesystem::exists(paths.config())) {
    auto read = read_config_file(config_path(paths));
    if (!read) return read.error();
    file = std::move(*read);
  }
  return build_config(merged(std::move(flags), merged(std::move(environment), std::move(file))));
}

/// The running process makes backups beside everything else; asks until it is done.
static Result<QueryAnswer> await_backup(const CloudPaths& paths, const Result<QueryAnswer>& begun) {
  if (!begun || begun->status != 0 || begun->lines.size() != 1) return begun;
  QueryRequest question;
  question.verb = "backup-state";
  question.arguments = {json_text(begun->lines[0], "backup")};
  question.admin = true;
  question.asked_by = "local";
  question.deadline_ms = 20'000;
  // How long it takes depends on the database; each question has a deadline, so the end of the process ends
  // this.
  constexpr int a_second = 5, said_every = 10;
  for (int asked = 1;; ++asked) {
    std::this_thread::sleep_for(std::chrono::milliseconds{1'000 / a_second});
    auto answer = ask_control_socket(paths.control(), question);
    if (!answer || answer->status != 0 || answer->lines.empty()) return answer;
    if (asked % (a_second * said_every) == 0)
      std::fprintf(stderr, "iris-cloud: the backup is under way for %d s\n", asked / a_second);
  }
}

Result<QueryAnswer> administrate(const CloudPaths& paths, const std::string& verb,
                                 std::vector<std::string> arguments) {
  QueryRequest request;
  request.verb = verb;
  request.arguments = std::move(arguments);
  request.admin = true;
  request.asked_by = "local";
  request.deadline_ms = 20'000;
  if (auto good = check_data_directory(paths); !good) return good.error();
  // A socket that a killed process left has nobody behind it. Who is there and busy must not be gone around.
  if (somebody_listens(paths.control())) {
    auto answer = ask_control_socket(paths.control(), request);
    return verb == "backup" ? await_backup(paths, answer) : answer;
  }
  auto store = Store::open(paths.database());
  if (!store) return store.error();
  CloudConfig config; // flags and variables of the process that runs are not known here; the file is
  if (std::filesystem::exists(paths.config())) {
    auto raw = read_config_file(paths.config());
    if (!raw) return raw.error();
    auto built = build_config(*raw);
    if (!built) return built.error();
    config = std::move(*built);
  }
  Admin::Terms terms{paths.pki(), config.public_addresses, TickScale::wall_now,  random_bytes,
                     {},          config.gateway_life,     config.operator_life, config.server_life};
  return Admin{std::move(*store), std::move(terms)}.execute(request);
}

std::string json_text(const std::string& line, const std::string& field) {
  auto tree = nlohmann::json::parse(line, nullptr, false);
  if (!tree.is_object() || !tree.contains(field)) return {};
  const auto& value = tree[field];
  return value.is_string() ? value.get<std::string>() : value.dump();
}

int print_answer(const Result<QueryAnswer>& answer, bool json, const std::vector<std::string>& fields) {
  if (!answer) return fail(answer.error());
  if (answer->status != 0) return fail({Errc(answer->status), answer->message});
  if (json) {
    for (const auto& line : answer->lines)
      std::printf("%s\n", line.c_str());
    return 0;
  }
  std::vector<std::vector<std::string>> rows{fields};
  for (const auto& line : answer->lines) {
    std::vector<std::string> row;
    for (const auto& field : fields)
      row.push_back(terminal_safe(json_text(line, field))); // a peer may have chosen it
    rows.push_back(std::move(row));
  }
  std::vector<std::size_t> widths(fields.size());
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i]));
  for (const auto& row : rows) {
    std::string text;
    for (std::size_t i = 0; i < row.size(); ++i)
      text += i + 1 < row.size() ? padded(row[i], widths[i] + 2, false) : row[i];
    std::printf("%s\n", text.c_str());
  }
  return 0;
}

} // namespace iris
