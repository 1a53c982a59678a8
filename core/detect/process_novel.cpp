#include "core/detect/detectors.hpp"

#include <array>

namespace iris {
namespace {

/// ATT&CK's sub-technique of the interpreter.
std::string_view technique_of(std::string_view exe) {
  auto name = exe.substr(exe.find_last_of('/') + 1);
  if (name.starts_with("python")) return "T1059.006";
  if (name.starts_with("node")) return "T1059.007";
  static constexpr std::array<std::string_view, 7> shells{"sh",  "bash", "dash",   "ash",
                                                          "zsh", "ksh",  "busybox"};
  for (auto shell : shells)
    if (name == shell) return "T1059.004";
  return "T1059";
}

} // namespace

std::optional<Finding> process_novel(const JudgeView& view, const Act& act) {
  const auto* start = std::get_if<ProcessStart>(&act.observation.what);
  if (!start || !act.behaviour || !act.novelty.novel) return std::nullopt;
  const auto& process = start->process;
  const auto& behaviour = *act.behaviour;
  auto finding = finding_of(view, act, "process.novel", act.novelty.bits, technique_of(process.exe));
  finding.cause = "exec" + key_mark(act.novelty.key);
  std::string part, usual;
  switch (act.novelty.level) {
  case 2:
    finding.act = "ran " + process.exe;
    part = "the program is new";
    usual = "It runs " + habits_text(view, Family::exec, behaviour.phase, 2);
    break;
  case 1:
    finding.act = "ran " + process.exe + " from a parent that never starts it";
    part = "the program is known, but not from this parent";
    usual = "It runs " + habits_text(view, Family::exec, behaviour.phase, 1, process.exe + " started by ");
    break;
  default:
    finding.act = "ran " + process.exe + " with arguments that it never uses";
    part = "program and parent are known, the arguments are new";
    usual = "It runs " + habits_text(view, Family::exec, behaviour.phase, 0, process.exe);
  }
  if (usual == "It runs ") usual = "It starts no programs";
  finding.expected = usual + "; " + rate_text(act.novelty.stat, behaviour.phase) + ".";
  finding.observed =
      behaviour.texts[0] + "; " + part +
      (process.entered ? "; it came in from outside of the container (docker exec or the like)." : ".");
  return finding;
}

} // namespace iris
