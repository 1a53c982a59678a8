#include "shell/bundle.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sys/stat.h>

namespace iris {
namespace {

constexpr std::size_t address_limit = 64;

Result<void> check_file(const std::string& path, bool secret) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0)
    return Error{errno == ENOENT ? Errc::not_found : Errc::io,
                 fmt::format("{}: {}; `iris-cloud operators add NAME --out DIR` writes a bundle", path,
                             std::strerror(errno))};
  if (!S_ISREG(status.st_mode)) return Error{Errc::invalid, fmt::format("{} is not a file", path)};
  if (secret && (status.st_mode & 077) != 0)
    return Error{Errc::refused, fmt::format("{} can be read by others: chmod 600 it", path)};
  return {};
}

} // namespace

Result<Bundle> read_bundle(const std::string& folder, bool need_addresses) {
  Bundle bundle{folder + "/ca.pem", folder + "/cert.pem", folder + "/key.pem", {}};
  for (const auto* path : {&bundle.ca, &bundle.certificate, &bundle.key})
    if (auto good = check_file(*path, path == &bundle.key); !good) return good.error();
  if (!need_addresses) return bundle;
  const auto path = folder + "/addresses.txt";
  if (auto good = check_file(path, false); !good) return good.error();
  std::ifstream file{path};
  std::string line;
  while (bundle.addresses.size() < address_limit && std::getline(file, line)) {
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(0, line.find_first_not_of(" \t\r"));
    line.erase(line.find_last_not_of(" \t\r") + 1);
    if (!line.empty()) bundle.addresses.push_back(line);
  }
  if (bundle.addresses.empty())
    return Error{Errc::invalid,
                 fmt::format("{} names no address: write HOST:PORT into it or use --server", path)};
  return bundle;
}

} // namespace iris
