#include "core/process/script.hpp"

#include <algorithm>
#include <array>

namespace iris {
namespace {

/// How a family of interpreters reads its command line.
struct Interpreter {
  std::string_view name; ///< base name without a version: "python3.11" is "python"
  std::string_view
      no_file_flags; ///< short flags after which the code is not a file ("c" of sh -c, "m" of python)
  std::string_view value_flags; ///< short flags that take the next argument as their value
  std::string_view file_flags;  ///< short flags whose value is the script file ("f" of awk)
};

// From each program's manual page; long options ("--x") never take a separate value, except those of
// long_values.
constexpr std::array interpreters{
    Interpreter{"python", "cm", "WXQ", ""},  Interpreter{"pypy", "cm", "WXQ", ""},
    Interpreter{"perl", "eE", "IMm", ""},    Interpreter{"ruby", "e", "IrCEKTxW", ""},
    Interpreter{"node", "ep", "r", ""},      Interpreter{"nodejs", "ep", "r", ""},
    Interpreter{"sh", "cs", "oO", ""},       Interpreter{"bash", "cs", "oO", ""},
    Interpreter{"dash", "cs", "oO", ""},     Interpreter{"ash", "cs", "oO", ""},
    Interpreter{"ksh", "cs", "oO", ""},      Interpreter{"zsh", "cs", "oO", ""},
    Interpreter{"lua", "e", "l", ""},        Interpreter{"luajit", "e", "lj", ""},
    Interpreter{"php", "rRBE", "cdz", "fF"}, Interpreter{"tclsh", "", "", ""},
    Interpreter{"expect", "c", "", "fb"},    Interpreter{"awk", "", "vFE", "f"},
    Interpreter{"gawk", "", "vF", "fE"},     Interpreter{"mawk", "", "vF", "f"},
    Interpreter{"Rscript", "e", "", ""},
};

std::string_view base_of(std::string_view path) {
  auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// "python3.11" -> "python", "lua5.4" -> "lua", "-bash" (login shell) -> "bash".
std::string_view family(std::string_view path) {
  auto name = base_of(path);
  if (name.starts_with('-')) name.remove_prefix(1);
  while (!name.empty() &&
         ((name.back() >= '0' && name.back() <= '9') || name.back() == '.' || name.back() == '-'))
    name.remove_suffix(1);
  return name;
}

const Interpreter* find(std::string_view path) {
  auto name = family(path);
  for (const auto& interpreter : interpreters)
    if (interpreter.name == name) return &interpreter;
  return nullptr;
}

/// `java -jar X`; with a class name there is no one file.
std::string java_archive(const std::vector<std::string>& args) {
  for (std::size_t i = 1; i + 1 < args.size(); ++i) {
    if (args[i] == "-jar") {
      while (++i < args.size())
        if (!args[i].starts_with('-')) return args[i]; // options may stand between -jar and the archive
      return {};
    }
    if (args[i] == "-cp" || args[i] == "-classpath" || args[i] == "--class-path" || args[i] == "-p")
      ++i;
    else if (!args[i].starts_with('-'))
      return {};
  }
  return {};
}

bool long_with_value(std::string_view flag) {
  static constexpr std::array long_values{"--rcfile", "--init-file", "--require",
                                          "--import", "--loader",    "--assign"};
  return std::find(long_values.begin(), long_values.end(), flag) != long_values.end();
}

} // namespace

std::string script_of(std::string_view exe, const std::vector<std::string>& args) {
  if (args.empty()) return {};
  if (family(exe) == "java" || family(args[0]) == "java") return java_archive(args);
  std::size_t first = 1;
  const auto* interpreter = find(args[0]);
  if (interpreter == nullptr) interpreter = find(exe);
  if (interpreter == nullptr && base_of(exe) == "busybox" && args.size() > 1) { // busybox sh x.sh
    interpreter = find(args[1]);
    first = 2;
  }
  if (interpreter == nullptr) return {};
  for (std::size_t i = first; i < args.size(); ++i) {
    const auto& arg = args[i];
    if (arg == "--") return i + 1 < args.size() ? args[i + 1] : std::string{};
    if (arg == "-" || arg.empty()) return {}; // standard input
    if (arg[0] != '-' && arg[0] != '+') return interpreter->name.ends_with("awk") ? std::string{} : arg;
    if (arg.starts_with("--")) {
      if (arg == "--eval" || arg == "--print") return {};
      if (long_with_value(arg)) ++i;
      continue;
    }
    for (std::size_t k = 1; k < arg.size(); ++k) { // grouped short flags: "-xec"
      const bool last = k + 1 == arg.size();
      if (interpreter->no_file_flags.find(arg[k]) != std::string_view::npos) return {};
      if (interpreter->file_flags.find(arg[k]) != std::string_view::npos)
        return !last ? arg.substr(k + 1) : i + 1 < args.size() ? args[i + 1] : std::string{};
      if (interpreter->value_flags.find(arg[k]) != std::string_view::npos) {
        if (last) ++i;
        break;
      }
    }
  }
  return {};
}

std::string absolute_path(std::string_view cwd, std::string_view path) {
  if (path.empty() || (path[0] != '/' && (cwd.empty() || cwd[0] != '/'))) return {};
  std::string whole = path[0] == '/' ? std::string{path} : std::string{cwd} + "/" + std::string{path};
  std::vector<std::string_view> parts;
  std::string_view rest{whole};
  while (!rest.empty()) {
    auto slash = rest.find('/');
    auto part = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      if (!parts.empty()) parts.pop_back();
    } else {
      parts.push_back(part);
    }
  }
  std::string out;
  for (auto part : parts)
    (out += '/') += part;
  return out.empty() ? "/" : out;
}

} // namespace iris
