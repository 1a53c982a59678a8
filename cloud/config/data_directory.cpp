#include "cloud/config/data_directory.hpp"

#include <filesystem>

namespace iris {

namespace fs = std::filesystem;

Result<void> check_no_node(const CloudPaths& paths) {
  std::error_code ignored;
  if (!fs::exists(paths.data + "/key.pem", ignored)) return {};
  return Error{Errc::refused, paths.data +
                                  " is the data directory of an iris-node or the bundle of an operator "
                                  "(key.pem is there); give the cloud another one with --data DIR"};
}

Result<void> check_data_directory(const CloudPaths& paths) {
  std::error_code ignored;
  if (!fs::is_directory(paths.data, ignored))
    return Error{Errc::not_found, "there is no data directory " + paths.data +
                                      "; make one with iris-cloud init --data " + paths.data};
  return check_no_node(paths);
}

Result<void> make_data_directory(const CloudPaths& paths) {
  if (auto good = check_no_node(paths); !good) return good;
  std::error_code problem;
  if (fs::is_directory(paths.data, problem)) return {};
  fs::create_directories(paths.data, problem);
  if (!problem) fs::permissions(paths.data, fs::perms::owner_all, problem);
  if (problem) return Error{Errc::io, paths.data + ": cannot make the directory: " + problem.message()};
  return {};
}

} // namespace iris
