#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// The file that an interpreter was told to run, as written in its arguments, or "" where there is none:
/// `python3 -u x.py` -> "x.py", `sh -c "…"` -> "", `java -Xmx100M -jar a.jar` -> "a.jar", `python3 -m
/// http.server` -> "". `exe` is the path of the running file, `args` the whole argument vector.
[[nodiscard]] std::string script_of(std::string_view exe, const std::vector<std::string>& args);

/// Joins a path that may be relative to a working directory and removes "." and "..": ("/a/b", "../x") ->
/// "/a/x". Empty where the path is relative and the directory is not known.
[[nodiscard]] std::string absolute_path(std::string_view cwd, std::string_view path);

} // namespace iris
