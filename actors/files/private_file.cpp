#include "cloud/pki/files.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace iris::pki {

namespace {

Error failed(const std::string& path, const char* what) {
  auto code = errno == ENOENT ? Errc::not_found : Errc::io;
  return {code, path + ": " + what + ": " + std::strerror(errno)};
}

struct Descriptor {
  int fd;
  explicit Descriptor(int number) : fd{number} {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

} // namespace

Result<void> write_file(const std::string& path, std::string_view content) {
  auto draft = path + ".new";
  ::unlink(draft.c_str());
  {
    Descriptor file{::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
    if (file.fd < 0) return failed(draft, "cannot create");
    while (!content.empty()) {
      auto written = ::write(file.fd, content.data(), content.size());
      if (written < 0) return failed(draft, "cannot write");
      content.remove_prefix(std::size_t(written));
    }
    if (::fsync(file.fd) != 0) return failed(draft, "cannot sync");
  }
  if (std::rename(draft.c_str(), path.c_str()) != 0) return failed(path, "cannot replace");
  Descriptor folder{::open(path.substr(0, path.rfind('/') + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (folder.fd >= 0) ::fsync(folder.fd);
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) return failed(path, "cannot open");
  std::string content;
  char piece[16384];
  for (;;) {
    auto count = ::read(file.fd, piece, sizeof piece);
    if (count < 0) return failed(path, "cannot read");
    if (count == 0) return content;
    content.append(piece, std::size_t(count));
    if (content.size() > limit)
      return Error{Errc::limit,
                   path + ": larger than " + std::to_string(limit >> 20) + " MiB, not one of ours"};
  }
}

} // namespace iris::pki
