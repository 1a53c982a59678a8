#pragma once
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// Blocking sockets with timeouts: all that the lab's stand-in services need. Linked statically, so names are
// resolved here (hosts file, then the first name server) instead of by the C library's plug-ins.
namespace iris::lab {

using Seconds = std::chrono::duration<double>;

/// A file descriptor that closes itself.
class Socket {
public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept;
  ~Socket() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();
  void reset();

private:
  int fd_ = -1;
};

/// IPv4 address of a name in network byte order, 0 when there is none. Literal addresses need no name server.
[[nodiscard]] std::uint32_t resolve(const std::string& name);

/// A connected TCP socket whose reads and writes time out after 5 s; empty on failure.
[[nodiscard]] Socket dial(const std::string& host, std::uint16_t port, Seconds timeout = Seconds{3});
[[nodiscard]] Socket listen_tcp(const std::string& address, std::uint16_t port);
[[nodiscard]] Socket bind_udp(const std::string& address, std::uint16_t port);

[[nodiscard]] bool send_all(int fd, std::string_view bytes);
/// Appends what comes next; false at the end of the stream, on an error or after the socket's timeout.
[[nodiscard]] bool receive_some(int fd, std::string& into);
[[nodiscard]] bool receive_exactly(int fd, std::size_t bytes, std::string& into);

/// One datagram there and one back; empty when nothing came within the timeout.
[[nodiscard]] std::string ask_udp(const std::string& host, std::uint16_t port, std::string_view request,
                                  Seconds timeout = Seconds{2});

} // namespace iris::lab
