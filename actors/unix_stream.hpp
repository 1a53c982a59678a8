#pragma once
#include "core/base/result.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace iris {

/// Owns one file descriptor.
class FileDescriptor {
public:
  explicit FileDescriptor(int fd = -1) : fd_{fd} {
    // nop
  }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
    // nop
  }
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~FileDescriptor();
  [[nodiscard]] int get() const { return fd_; }

private:
  int fd_;
};

/// Binds, makes it 0600, and only then listens. Non-blocking.
[[nodiscard]] Result<FileDescriptor> listen_unix(const std::string& path);
[[nodiscard]] Result<FileDescriptor> connect_unix(const std::string& path);
/// Whether a process is behind the socket, also one that does not answer or may not be asked.
[[nodiscard]] bool somebody_listens(const std::string& path);
/// Waits until `fd` is readable; false when `stop` is.
[[nodiscard]] bool wait_readable(int fd, int stop);

/// Reads and writes of a non-blocking unix stream socket that end by a deadline.
class UnixStream {
public:
  using Deadline = std::chrono::steady_clock::time_point;
  explicit UnixStream(int fd) : fd_{fd} {
    // nop
  }
  /// The other side runs as root or as this process's user.
  [[nodiscard]] bool peer_is_owner() const;
  /// The other side closed its end: nobody waits for an answer any more.
  [[nodiscard]] bool peer_is_gone() const;
  /// Up to the first line end, which is not part of it. Errc::limit when it does not come within `limit`
  /// bytes.
  [[nodiscard]] Result<std::string> read_line(std::size_t limit, Deadline deadline) const;
  /// Until the other side closes.
  [[nodiscard]] Result<std::string> read_all(std::size_t limit, Deadline deadline) const;
  [[nodiscard]] Result<void> write(std::string_view bytes, Deadline deadline) const;

private:
  /// 0 at the end of the stream.
  [[nodiscard]] Result<std::size_t> read_some(char* to, std::size_t size, Deadline deadline) const;
  int fd_;
};

} // namespace iris
