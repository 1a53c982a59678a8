#pragma once
#include "core/base/result.hpp"

#include <string>

/// What the file system says of a database before RocksDB is asked, whose own words for it mislead.
namespace iris {

/// That there is no database at `path`, and how one gets there: where an authority lies beside it, another
/// `init` would be refused.
[[nodiscard]] Error no_database(const std::string& path);

/// That this process may read all files of the database and write where it must; else which file, whose it is
/// and how to mend it. No matter of damage or versions.
[[nodiscard]] Result<void> check_access(const std::string& path);

/// That root does not open what belongs to another user: it would leave files that he cannot read, and the
/// cloud would not start again.
[[nodiscard]] Result<void> check_owner(const std::string& path);

} // namespace iris
