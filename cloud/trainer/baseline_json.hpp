#pragma once
#include "core/learn/baseline.hpp"

#include <string>
#include <vector>

namespace iris {

/// A baseline for people: first an object about the document, then one a key or number of the fleet part and
/// of every site part (field "gateway"; empty for the fleet).
[[nodiscard]] std::vector<std::string> baseline_lines(const Baseline& baseline, const std::string& tenant);
/// Learning progress: one object for the fleet part and one a gateway.
[[nodiscard]] std::vector<std::string> learning_lines(const Baseline& baseline, const std::string& tenant);

} // namespace iris
