#include "core/base/observation.hpp"

namespace iris {

const char* to_string(Origin origin) {
  switch (origin) {
  case Origin::unknown:
    return "unknown";
  case Origin::image:
    return "image";
  case Origin::upper:
    return "container layer";
  case Origin::mount:
    return "writable mount";
  case Origin::tmpfs:
    return "tmpfs";
  case Origin::memory:
    return "memory";
  case Origin::deleted:
    return "deleted file";
  }
  return "unknown";
}

const char* to_string(FlowState state) {
  switch (state) {
  case FlowState::opening:
    return "opening";
  case FlowState::established:
    return "established";
  case FlowState::refused:
    return "refused";
  case FlowState::closed:
    return "closed";
  case FlowState::one_way:
    return "one-way";
  }
  return "unknown";
}

const char* to_string(ContainerAction action) {
  switch (action) {
  case ContainerAction::listed:
    return "listed";
  case ContainerAction::created:
    return "created";
  case ContainerAction::started:
    return "started";
  case ContainerAction::died:
    return "died";
  case ContainerAction::oom:
    return "oom";
  case ContainerAction::killed:
    return "killed";
  case ContainerAction::stopped:
    return "stopped";
  case ContainerAction::removed:
    return "removed";
  case ContainerAction::connected:
    return "connected";
  case ContainerAction::renamed:
    return "renamed";
  case ContainerAction::disconnected:
    return "disconnected";
  case ContainerAction::health:
    return "health";
  }
  return "unknown";
}

const char* to_string(Phase phase) { return phase == Phase::startup ? "startup" : "steady"; }

} // namespace iris
