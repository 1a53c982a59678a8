#pragma once
#include "core/base/result.hpp"

#include <string>

namespace iris {

/// Paths below the data directory.
struct CloudPaths {
  std::string data;
  [[nodiscard]] std::string pki() const { return data + "/pki"; }
  [[nodiscard]] std::string database() const { return data + "/db"; }
  [[nodiscard]] std::string config() const { return data + "/iris-cloud.toml"; }
  [[nodiscard]] std::string control() const { return data + "/control.sock"; }
};

/// Refuses the data directory of an iris-node and an operator's bundle; one that is not there is fine.
[[nodiscard]] Result<void> check_no_node(const CloudPaths& paths);
/// As check_no_node(), and it must be there.
[[nodiscard]] Result<void> check_data_directory(const CloudPaths& paths);
/// Makes it where it is not there, for the owner alone: the database knows everything.
[[nodiscard]] Result<void> make_data_directory(const CloudPaths& paths);

} // namespace iris
