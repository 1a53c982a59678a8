#pragma once
#include "core/base/observation.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace iris {

/// An entry of the never-learn list that a program matched.
struct ToolMatch {
  std::string tool;        ///< "ping", "reverse shell", …
  std::string_view what;   ///< "looks for hosts on the network"
  std::string_view attack; ///< ATT&CK ids, separated by spaces
  double bits = 6;         ///< how much it says by itself, on the scale of novelties
  bool by_program = true;  ///< the program itself; false: what its arguments tell it to do
};

/// The never-learn list: reported whenever it runs until a person makes an exception, however often it ran
/// before. Looks at the program's name, at the applet of a multi-call binary (busybox ping), and at the text
/// of inline scripts (a download piped into a shell, reverse shells, mining pools). A renamed binary is not
/// recognised here.
[[nodiscard]] std::optional<ToolMatch> match_tool(const ProcessInfo& process);

/// Runs code that has no file, or whose file is gone. A container runtime on its way in, started from outside
/// with nothing of the container above it, is exempt by that, not by its name.
[[nodiscard]] bool runs_from_memory(const ProcessInfo& process);

} // namespace iris
