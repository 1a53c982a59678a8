#pragma once
#include <cstddef>
#include <string>

namespace iris {

/// Replaces the string literals that statements and calls of languages pass as passwords, and adds to
/// `replaced` how many: SQL's `PASSWORD 'x'`, `IDENTIFIED BY 'x'`; `db.auth('user', 'x')`,
/// `changeUserPassword("user", "x")`, `auth=('user', 'x')`.
[[nodiscard]] std::string hide_phrases(const std::string& text, std::size_t& replaced);

} // namespace iris
