#include "core/detect/detectors.hpp"
#include "core/detect/tools.hpp"

namespace iris {

std::optional<Finding> process_tool(const JudgeView& view, const Act& act) {
  const auto* start = std::get_if<ProcessStart>(&act.observation.what);
  // Probes ask by such tools (nc -z, a ping); what they run is the configuration's word, and learned apart.
  if (!start || !act.behaviour || start->process.health_check) return std::nullopt;
  auto match = match_tool(start->process);
  if (!match) return std::nullopt;
  const auto& behaviour = *act.behaviour;
  for (auto key : behaviour.keys)
    if (const auto* known = view.find(key, behaviour.phase); known && !known->accepted_by.empty())
      return std::nullopt;

  auto finding = finding_of(view, act, "process.tool", match->bits, match->attack);
  // Of a multi-call binary or an interpreter the program says nothing: the exact command is held back then.
  finding.cause = "tool:" + match->tool + key_mark(match->by_program ? behaviour.keys[2] : behaviour.keys[0]);
  finding.act = match->by_program ? "ran " + start->process.exe + ", which " + std::string{match->what}
                                  : "ran a " + match->tool + ", which " + std::string{match->what};
  if (!match->by_program && (match->tool.find(' ') == std::string::npos))
    finding.act = "ran " + match->tool + " of " + start->process.exe + ", which " + std::string{match->what};
  auto programs = habits_text(view, Family::exec, behaviour.phase, 2);
  finding.expected =
      "A service has no use for such a tool; it is reported until a person makes an exception" +
      (programs.empty() ? "." : ". It runs " + programs + ".");
  finding.observed =
      behaviour.texts[0] + (start->process.entered
                                ? "; it came in from outside of the container (docker exec or the like)."
                                : ".");
  return finding;
}

} // namespace iris
