#pragma once
#include "core/detect/judgement.hpp"
#include "core/detect/window_numbers.hpp"

#include <optional>

/// One file each. A detector says nothing or gives one finding with everything filled in but its losses.
namespace iris {

// Need no baseline:
[[nodiscard]] std::optional<Finding> network_known_bad(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> process_origin(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> process_tool(const JudgeView& view, const Act& act);
/// @param out_of_memory the engine said so shortly before.
[[nodiscard]] std::optional<Finding> container_crash(const JudgeView& view, const Act& act,
                                                     bool out_of_memory);

/// A container that is new, or was given more than it had, on a gateway whose containers are known.
[[nodiscard]] std::optional<Finding> container_drift(const JudgeView& view, const Act& act);
/// What is dangerous about a container's set-up and was so from the start.
[[nodiscard]] std::optional<Finding> posture(const JudgeView& view, const Act& act);

// Judge against the baseline; each speaks of novelties in its own families only:
[[nodiscard]] std::optional<Finding> process_novel(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_destination(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_lateral(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_command(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_protocol(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_client(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_listen(const JudgeView& view, const Act& act);
[[nodiscard]] std::optional<Finding> network_volume(const JudgeView& view, const Act& act,
                                                    const WindowNumbers::Volume& volume);

} // namespace iris
