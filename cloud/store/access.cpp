#include "cloud/store/access.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace iris {
namespace {

namespace fs = std::filesystem;

/// Empty where it has none here, e.g. outside of the container that it is of.
std::string name_of(uid_t id) {
  passwd entry{};
  passwd* found = nullptr;
  char buffer[4'096];
  const auto known = getpwuid_r(id, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr;
  return known ? found->pw_name : std::string{};
}

std::string user(uid_t id) {
  const auto name = name_of(id);
  return name.empty() ? "user " + std::to_string(id) : name;
}

/// As this process is now, not as it was started. Nothing where the file is gone meanwhile.
Result<void> may(const std::string& path, int mode, const char* what, const std::string& data) {
  if (::faccessat(AT_FDCWD, path.c_str(), mode, AT_EACCESS) == 0 || errno == ENOENT) return {};
  const std::string why = std::strerror(errno);
  auto text = std::string{"cannot "} + what + " " + path + ": " + why;
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && about.st_uid != ::geteuid()) // numbers are right everywhere
    text += "; it belongs to " + user(about.st_uid) + " and this is " + user(::geteuid()) + ": chown -R " +
            std::to_string(::geteuid()) + ":" + std::to_string(::getegid()) + " " + data;
  return Error{Errc::io, text};
}

std::string data_of(const std::string& path) { return fs::path{path}.parent_path().string(); }

} // namespace

Error no_database(const std::string& path) {
  const auto data = data_of(path);
  std::error_code ignored;
  std::string next = "; make one with iris-cloud init";
  if (fs::exists(data + "/pki/ca.key", ignored))
    next = ", but its authority is there: `iris-cloud restore DIRECTORY --data " + data +
           "` makes it from a backup, `iris-cloud run --create-store --data " + data +
           "` begins an empty one";
  return {Errc::not_found, "there is no database at " + path + next};
}

Result<void> check_access(const std::string& path) {
  const auto data = data_of(path);
  if (auto good = may(path, W_OK | X_OK, "write into", data); !good) return good;
  if (auto good = may(path + "/LOCK", R_OK | W_OK, "write", data); !good) return good;
  std::error_code problem;
  for (fs::directory_iterator at{path, problem}, end; !problem && at != end; at.increment(problem))
    if (auto good = may(at->path().string(), R_OK, "read", data); !good) return good;
  if (problem) return Error{Errc::io, "cannot read " + path + ": " + problem.message()};
  return {};
}

Result<void> check_owner(const std::string& path) {
  struct stat about {};
  if (::geteuid() != 0 || ::stat(path.c_str(), &about) != 0 || about.st_uid == 0) return {};
  const auto name = name_of(about.st_uid);
  return Error{Errc::refused, path + " belongs to " + user(about.st_uid) +
                                  ", and files that root makes in it he could not read: give the command as "
                                  "him" +
                                  (name.empty() ? "" : " (runuser -u " + name + " -- iris-cloud …)")};
}

} // namespace iris
