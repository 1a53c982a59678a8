#pragma once
#include "core/base/result.hpp"

#include <string>

namespace iris {

/// Whether Store::open() would take the database, without writing to it or locking it. It must be in use by
/// nobody, else the answer may be wrong.
[[nodiscard]] Result<void> look_into_database(const std::string& path);

} // namespace iris
