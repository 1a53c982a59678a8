#pragma once
#include <string>

namespace iris {

/// Of this program, as CMake's project() says it.
[[nodiscard]] inline std::string version() { return IRIS_VERSION; }

} // namespace iris
