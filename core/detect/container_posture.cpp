#include "core/detect/detectors.hpp"

#include <algorithm>

namespace iris {
namespace {

constexpr double new_container_bits = 5;
constexpr std::size_t told_limit = 8; ///< notes that are written out; the others are counted

const ContainerChange* change_in(const Act& act) {
  return std::get_if<ContainerChange>(&act.observation.what);
}

/// What of the notes has bits of its own.
double bits_of(const ContainerChange& change, bool fresh) {
  double bits = 0;
  for (const auto& note : change.notes)
    if (note.fresh == fresh) bits = std::max(bits, note.bits);
  return bits;
}

/// @param all also those that are not of this kind, as of a container that is new altogether.
void list_notes(Finding& finding, const ContainerChange& change, bool fresh, bool all = false) {
  std::string alerting, also;
  std::size_t told = 0, more = 0;
  for (const auto& note : change.notes) {
    if (note.fresh != fresh && !all) continue;
    if (note.bits > 0) add_attack(finding, note.attack);
    if (++told > told_limit) {
      ++more;
      continue;
    }
    auto& text = note.bits > 0 ? alerting : also;
    text += (text.empty() ? "" : "; ") + note.text;
  }
  if (!alerting.empty()) finding.observed = "It " + alerting + ".";
  if (!also.empty()) finding.observed += (finding.observed.empty() ? "" : " ") + ("It also " + also + ".");
  if (more > 0) finding.observed += " And " + std::to_string(more) + " things more.";
}

} // namespace

std::optional<Finding> container_drift(const JudgeView& view, const Act& act) {
  const auto* change = change_in(act);
  if (!change) return std::nullopt;
  auto bits = bits_of(*change, true);
  if (change->new_container) bits = std::max(bits, new_container_bits);
  if (bits < view.policy.report_bits) return std::nullopt;
  auto finding = finding_of(view, act, "container.drift", bits, change->new_container ? "T1610" : "");
  list_notes(finding, *change, true, change->new_container);
  if (change->new_container) {
    finding.cause = "new container";
    finding.act = "is a new container on this gateway";
    finding.expected = "No container of this name was here since the gateway's containers are known.";
    finding.observed = "Its image is " + finding.entity.image + "." +
                       (finding.observed.empty() ? "" : " " + finding.observed);
    return finding;
  }
  const auto worst =
      std::max_element(change->notes.begin(), change->notes.end(), [](const auto& a, const auto& b) {
        return std::pair{a.fresh, a.bits} < std::pair{b.fresh, b.bits};
      });
  finding.cause = "drift:" + worst->key;
  finding.act = "was given more than it had: it now " + worst->text;
  finding.expected = "It was not so in all the time that this gateway's containers are known.";
  return finding;
}

std::optional<Finding> posture(const JudgeView& view, const Act& act) {
  const auto* change = change_in(act);
  if (!change) return std::nullopt;
  const auto bits = bits_of(*change, false);
  if (bits < view.policy.report_bits) return std::nullopt;
  auto finding = finding_of(view, act, "posture", bits, "");
  list_notes(finding, *change, false);
  const auto worst =
      std::max_element(change->notes.begin(), change->notes.end(), [](const auto& a, const auto& b) {
        return std::pair{!a.fresh, a.bits} < std::pair{!b.fresh, b.bits};
      });
  finding.cause = "posture";
  finding.act = worst->text;
  finding.expected = "This is no act and is told once, for a person to mend, or to close.";
  return finding;
}

} // namespace iris
