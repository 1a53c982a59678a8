#include "core/detect/detectors.hpp"

#include <cstring>

namespace iris {
namespace {

constexpr double crash_bits = 7, unlearned_bits = 2;

/// Shells and engines report death by signal n as 128 + n.
int signal_in(int exit_code) { return exit_code > 128 && exit_code < 128 + 65 ? exit_code - 128 : 0; }

std::string how_it_died(int code, int signal, bool out_of_memory) {
  if (out_of_memory) return "ran out of memory and was killed by the kernel";
  if (signal == 0) signal = signal_in(code);
  if (signal != 0) {
    const char* name = strsignal(signal);
    return "was ended by signal " + std::to_string(signal) + (name ? " (" + std::string{name} + ")" : "");
  }
  return "died with exit code " + std::to_string(code);
}

} // namespace

std::optional<Finding> container_crash(const JudgeView& view, const Act& act, bool out_of_memory) {
  const auto* change = std::get_if<ContainerChange>(&act.observation.what);
  if (!change || change->action != ContainerAction::died || change->asked_for) return std::nullopt;
  out_of_memory = out_of_memory || change->out_of_memory;
  if (change->exit_code == 0 && change->signal == 0 && !out_of_memory) return std::nullopt;
  // A one-shot container that failed looks the same until one has seen how it usually lives.
  const bool plain = change->signal == 0 && !out_of_memory && signal_in(change->exit_code) == 0;
  const double bits = plain && !view.monitoring() ? unlearned_bits : crash_bits;
  auto finding = finding_of(view, act, "container.crash", bits, "T1499 T0814");
  finding.cause = "crash";
  auto how = how_it_died(change->exit_code, change->signal, out_of_memory);
  finding.act = how + " without being asked to";
  finding.expected = "It runs until it is told to stop, or ends by itself with exit code 0.";
  finding.observed = "The container " + how + "; exit code " + std::to_string(change->exit_code) +
                     (change->detail.empty() ? "." : "; " + change->detail + ".");
  return finding;
}

} // namespace iris
