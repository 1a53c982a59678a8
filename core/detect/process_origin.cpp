#include "core/base/hash.hpp"
#include "core/detect/detectors.hpp"
#include "core/detect/tools.hpp"

namespace iris {
namespace {

bool is_foreign(Origin origin) {
  return origin == Origin::upper || origin == Origin::mount || origin == Origin::tmpfs;
}

double bits_of(Origin origin) {
  switch (origin) {
  case Origin::memory:
  case Origin::deleted:
    return 11;
  case Origin::upper:
  case Origin::tmpfs:
    return 8;
  case Origin::mount:
    return 5;
  default:
    return 0;
  }
}

const char* where(Origin origin) {
  switch (origin) {
  case Origin::memory:
    return "exists in memory only";
  case Origin::deleted:
    return "was deleted before it ran";
  case Origin::upper:
    return "was written into the container after it was created";
  case Origin::tmpfs:
    return "lies on a memory file system";
  case Origin::mount:
    return "lies on a writable mount";
  default:
    return "is of the image";
  }
}

/// Never missing where the program or its script is foreign; the first behaviour stands in for it.
const Behaviour& origin_of_act(const Act& act) {
  for (const auto& behaviour : act.behaviours)
    if (behaviour->family == Family::origin) return *behaviour;
  return *act.behaviour;
}

} // namespace

std::optional<Finding> process_origin(const JudgeView& view, const Act& act) {
  const auto* start = std::get_if<ProcessStart>(&act.observation.what);
  if (!start || !act.behaviour) return std::nullopt;
  const auto& process = start->process;
  const auto& behaviour = *act.behaviour;
  bool memory = runs_from_memory(process);
  bool program = is_foreign(process.origin), script = is_foreign(process.script_origin);
  if (!memory && !program && !script) return std::nullopt;
  // Whose file it is: the program itself, or the script that an interpreter was given.
  bool by_script = !program &&
                   (script || process.origin == Origin::image || process.origin == Origin::unknown) &&
                   !process.script.empty();
  auto origin = by_script ? process.script_origin : process.origin;
  const auto& learnable = origin_of_act(act);
  auto key = learnable.keys[0];
  // A start script that writes its program into a volume is normal once it was learned from there; what has
  // no file never is. That the program's name is known says nothing: the file may have been replaced.
  const auto* known = view.find(key, behaviour.phase);
  if (known && (!memory || !known->accepted_by.empty())) return std::nullopt;

  auto finding =
      finding_of(view, act, "process.origin", bits_of(origin), memory ? "T1620" : "T1105 T1204.002");
  const auto& file = by_script ? process.script : process.exe;
  // A file on a mount may be learned although its alert is still open (start scripts that fill a volume);
  // what was brought in or has no file is held back until a person says otherwise.
  finding.cause = "origin:" + file + (origin == Origin::mount ? "" : key_mark(key));
  // So is its name, unless it is one of the image's that was learned before: that one goes on.
  auto name = by_script ? behaviour.keys[0] : behaviour.keys[2];
  bool learned = view.find(name, behaviour.phase) != nullptr;
  if (origin != Origin::mount && !learned) finding.cause += key_mark(name);
  finding.act = "ran " + file + (by_script ? " with " + process.exe : "") + ", which " + where(origin);
  auto programs = habits_text(view, Family::exec, behaviour.phase, 2);
  finding.expected =
      "Programs come from the container's image" + (programs.empty() ? "." : "; it runs " + programs + ".");
  finding.observed =
      behaviour.texts[0] + "; " + file + " " + where(origin) +
      (process.fresh ? ", written less than 10 minutes before it ran" : "") +
      (learned ? ", although it is known from elsewhere: the file was replaced" : "") +
      (process.entered ? "; it came in from outside of the container (docker exec or the like)." : ".");
  return finding;
}

} // namespace iris
