#include "core/detect/detectors.hpp"

namespace iris {

std::optional<Finding> network_command(const JudgeView& view, const Act& act) {
  const auto* command = std::get_if<FieldCommand>(&act.observation.what);
  if (!command || !act.behaviour || !act.novelty.novel) return std::nullopt;
  const auto& behaviour = *act.behaviour;
  // Who looks at a device that he never called is told for the call.
  if (!command->changes) {
    const auto call = call_of(act.observation, *command);
    if (is_reported(call.family, act.observation.entity->kind, call.peer_class) &&
        novelty_of(view, call).novel)
      return std::nullopt;
  }
  // What changes a process weighs more than another way to look at it.
  constexpr double of_a_change = 1.0;
  auto finding =
      finding_of(view, act, "network.command", act.novelty.bits + (command->changes ? of_a_change : 0),
                 command->changes ? "T0855 T0836" : "T0861");
  finding.cause = "command:" + finding.peer.name + ":" + command->application + " " + command->action +
                  key_mark(act.novelty.key);
  finding.count = command->count;
  finding.act = command->inbound
                    ? "was sent a " + command->application + " command by {peer}: " + command->function
                    : "sent a " + command->application + " command to {peer}: " + command->function;
  if (command->inbound) finding.peer.port = 0;
  const std::string who = command->inbound ? "nobody ever asked this device" : "it never asked any device";
  const auto part = act.novelty.level == 2   ? who + " to " + command->action + " by " + command->application
                    : act.novelty.level == 1 ? std::string{"this function, or what it is about, is new"}
                    : command->inbound       ? std::string{"the function is known, who asks for it is new"}
                                       : std::string{"the function is known, this device is new for it"};
  auto usual = habits_text(view, Family::command, behaviour.phase, command->inbound ? 0 : 1);
  finding.expected = (command->inbound ? "It is asked for " : "It asks for ") +
                     (usual.empty() ? "nothing" : usual) + "; " +
                     rate_text(act.novelty.stat, behaviour.phase) + ".";
  finding.observed = behaviour.texts[0] + "; " + part + "; " + std::to_string(command->count) +
                     (command->count == 1 ? " time." : " times.");
  return finding;
}

} // namespace iris
