#include "actors/unix_stream.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace iris {
namespace {

Error system_error(Errc code, std::string_view what, const std::string& path) {
  return Error{code, fmt::format("{} {}: {}", what, path, std::strerror(errno))};
}

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path)
    return Error{Errc::invalid, fmt::format("a socket's path has 1 to {} bytes, not {}: {}",
                                            sizeof address.sun_path - 1, path.size(), path)};
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// False when the deadline came first.
bool wait_for(int fd, short events, UnixStream::Deadline deadline) {
  while (true) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) return false;
    pollfd poll{fd, events, 0};
    const auto ready = ::poll(&poll, 1, int(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true; // the read or write says what is wrong
  }
}

Error too_late() { return Error{Errc::unavailable, "the other side of the socket took too long"}; }

} // namespace

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Result<FileDescriptor> connect_unix(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (socket.get() < 0) return system_error(Errc::io, "no socket for", path);
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED)
      return Error{Errc::unavailable, fmt::format("nothing runs behind {}", path)};
    if (errno == EAGAIN)
      return Error{Errc::unavailable, fmt::format("the process behind {} is too busy to answer", path)};
    return system_error(errno == EACCES ? Errc::refused : Errc::unavailable, "cannot open", path);
  }
  return socket;
}

bool somebody_listens(const std::string& path) {
  const auto address = address_of(path);
  const FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!address || socket.get() < 0) return false;
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) == 0 ||
         (errno != ENOENT && errno != ECONNREFUSED);
}

Result<FileDescriptor> listen_unix(const std::string& path) {
  const auto address = address_of(path);
  if (!address) return address.error();
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0) {
    if (!S_ISSOCK(there.st_mode))
      return Error{Errc::invalid, fmt::format("{} is there and is not a socket", path)};
    const auto other = connect_unix(path);
    if (other || other.error().message.find("busy") != std::string::npos)
      return Error{Errc::locked, fmt::format("another process answers at {}: stop it first", path)};
    if (::unlink(path.c_str()) != 0) return system_error(Errc::io, "cannot remove the old socket", path);
  }
  FileDescriptor socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (socket.get() < 0) return system_error(Errc::io, "no socket for", path);
  // Nobody can connect before listen(), so the mode is right before it matters.
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0)
    return system_error(Errc::io, "cannot make the socket", path);
  if (::chmod(path.c_str(), 0600) != 0 || ::listen(socket.get(), 16) != 0)
    return system_error(Errc::io, "cannot listen at", path);
  return socket;
}

bool wait_readable(int fd, int stop) {
  while (true) {
    pollfd polls[2] = {{fd, POLLIN, 0}, {stop, POLLIN, 0}};
    if (::poll(polls, 2, -1) < 0 && errno == EINTR) continue;
    if (polls[1].revents != 0) return false;
    if (polls[0].revents != 0) return true;
  }
}

bool UnixStream::peer_is_owner() const {
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(fd_, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 &&
         (who.uid == 0 || who.uid == ::geteuid());
}

bool UnixStream::peer_is_gone() const {
  pollfd end{fd_, 0, 0};
  return ::poll(&end, 1, 0) == 1 && (end.revents & POLLHUP) != 0;
}

Result<std::size_t> UnixStream::read_some(char* to, std::size_t size, Deadline deadline) const {
  while (true) {
    const auto got = ::read(fd_, to, size);
    if (got >= 0) return std::size_t(got);
    if (errno == EINTR) continue;
    if (errno != EAGAIN)
      return Error{Errc::io, fmt::format("reading from the socket: {}", std::strerror(errno))};
    if (!wait_for(fd_, POLLIN, deadline)) return too_late();
  }
}

Result<std::string> UnixStream::read_line(std::size_t limit, Deadline deadline) const {
  std::string line;
  char piece[4'096];
  while (line.size() <= limit) {
    const auto got = read_some(piece, sizeof piece, deadline);
    if (!got) return got.error();
    if (*got == 0) return Error{Errc::invalid, "the line has no end"};
    const auto before = line.size();
    line.append(piece, *got);
    if (const auto end = line.find('\n', before); end != std::string::npos && end <= limit) {
      line.resize(end);
      return line;
    }
  }
  return Error{Errc::limit, fmt::format("the line is longer than {} bytes", limit)};
}

Result<std::string> UnixStream::read_all(std::size_t limit, Deadline deadline) const {
  std::string text;
  char piece[16'384];
  while (text.size() <= limit) {
    const auto got = read_some(piece, sizeof piece, deadline);
    if (!got) return got.error();
    if (*got == 0) return text;
    text.append(piece, *got);
  }
  return Error{Errc::limit, fmt::format("the answer is longer than {} bytes", limit)};
}

Result<void> UnixStream::write(std::string_view bytes, Deadline deadline) const {
  while (!bytes.empty()) {
    const auto put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put > 0) {
      bytes.remove_prefix(std::size_t(put));
    } else if (errno == EAGAIN) {
      if (!wait_for(fd_, POLLOUT, deadline)) return too_late();
    } else if (errno != EINTR) {
      return Error{Errc::unavailable, fmt::format("writing to the socket: {}", std::strerror(errno))};
    }
  }
  return {};
}

} // namespace iris
