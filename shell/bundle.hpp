#pragma once
#include "core/base/result.hpp"

#include <string>
#include <vector>

namespace iris {

/// What `iris-cloud operators add` writes for a person.
struct Bundle {
  std::string ca, certificate, key;   ///< paths
  std::vector<std::string> addresses; ///< "host:port"
};

/// Checks that the files are there and that the key is its owner's alone. `need_addresses` is false where the
/// address is given by other means.
[[nodiscard]] Result<Bundle> read_bundle(const std::string& folder, bool need_addresses);

} // namespace iris
