#include "node/enrolment.hpp"

#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace iris {
namespace {

Error os_error(const std::string& path, const char* what) {
  return {Errc::io, path + ": cannot " + what + ": " + std::strerror(errno)};
}

} // namespace

bool EnrolmentFiles::complete() const {
  for (const auto& path : {key(), certificate(), ca(), addresses()})
    if (::access(path.c_str(), R_OK) != 0) return false;
  return true;
}

Result<void> write_private_file(const std::string& path, const std::string& content) {
  auto fresh = path + ".new";
  int file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return os_error(fresh, "write");
  bool good = ::write(file, content.data(), content.size()) == ssize_t(content.size()) && ::fsync(file) == 0;
  ::close(file);
  if (!good) return os_error(fresh, "write");
  if (::rename(fresh.c_str(), path.c_str()) != 0) return os_error(path, "replace");
  return {};
}

Result<std::string> read_small_file(const std::string& path, std::size_t limit) {
  int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return os_error(path, "read");
  std::string content;
  char buffer[4096];
  ssize_t got = 0;
  while ((got = ::read(file, buffer, sizeof buffer)) > 0 && content.size() <= limit)
    content.append(buffer, std::size_t(got));
  ::close(file);
  if (got < 0) return os_error(path, "read");
  if (content.size() > limit)
    return Error{Errc::limit, path + ": larger than " + std::to_string(limit) + " bytes"};
  return content;
}

Result<std::vector<std::string>> read_addresses(const EnrolmentFiles& files) {
  auto text = read_small_file(files.addresses());
  if (!text) return text.error();
  std::vector<std::string> addresses;
  std::size_t begin = 0;
  while (begin < text->size()) {
    auto end = text->find('\n', begin);
    if (end == std::string::npos) end = text->size();
    auto line = text->substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line[0] != '#') addresses.push_back(std::move(line));
  }
  if (addresses.empty())
    return Error{Errc::invalid, files.addresses() + ": names no address of the cloud; enrol again"};
  return addresses;
}

} // namespace iris
