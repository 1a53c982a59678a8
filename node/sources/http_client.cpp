#include <utility> // Boost 1.74 needs it before its own headers under C++20

#include "node/sources/http_client.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace iris {
namespace {

namespace http = boost::beast::http;

std::int64_t monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t(now.tv_sec) * second + now.tv_nsec;
}

/// A non-blocking socket whose every wait has a deadline and ends when we are to stop.
class Socket {
public:
  explicit Socket(int stop_fd) : stop_fd_{stop_fd} {}
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }

  Result<void> connect(const HttpEndpoint& endpoint, std::int64_t deadline) {
    name_ = endpoint.unix_path.empty()
                ? to_string(endpoint.address) + " port " + std::to_string(endpoint.port)
                : endpoint.unix_path;
    sockaddr_storage storage{};
    socklen_t length = 0;
    if (!endpoint.unix_path.empty()) {
      auto& address = reinterpret_cast<sockaddr_un&>(storage);
      if (endpoint.unix_path.size() >= sizeof address.sun_path)
        return Error{Errc::invalid, "the socket path " + name_ + " is too long"};
      address.sun_family = AF_UNIX;
      std::memcpy(address.sun_path, endpoint.unix_path.data(), endpoint.unix_path.size());
      length = sizeof address;
    } else if (endpoint.address.is_v4()) {
      auto& address = reinterpret_cast<sockaddr_in&>(storage);
      address.sin_family = AF_INET;
      address.sin_port = htons(endpoint.port);
      address.sin_addr.s_addr = htonl(endpoint.address.v4_number());
      length = sizeof address;
    } else {
      auto& address = reinterpret_cast<sockaddr_in6&>(storage);
      address.sin6_family = AF_INET6;
      address.sin6_port = htons(endpoint.port);
      std::memcpy(&address.sin6_addr, endpoint.address.bytes.data(), 16);
      length = sizeof address;
    }
    fd_ = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd_ < 0) return failed("open a socket for", errno);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&storage), length) == 0) return {};
    if (errno != EINPROGRESS) return failed("connect to", errno);
    if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return failed("connect to", error);
    return {};
  }

  Result<void> write(const std::string& text, std::int64_t deadline) {
    std::size_t sent = 0;
    while (sent < text.size()) {
      auto count = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count > 0)
        sent += std::size_t(count);
      else if (count < 0 && errno == EAGAIN) {
        if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
      } else if (errno != EINTR)
        return failed("write to", errno);
    }
    return {};
  }

  /// Appends to the buffer; 0 bytes: the other side has closed.
  Result<std::size_t> read(boost::beast::flat_buffer& buffer, std::int64_t deadline) {
    while (true) {
      auto room = buffer.prepare(16384);
      auto count = ::recv(fd_, room.data(), room.size(), 0);
      if (count >= 0) {
        buffer.commit(std::size_t(count));
        return std::size_t(count);
      }
      if (errno == EAGAIN) {
        if (auto ready = wait(POLLIN, deadline); !ready) return ready.error();
      } else if (errno != EINTR)
        return failed("read from", errno);
    }
  }

  Error failed(const char* what, int error) const {
    return {error == EACCES || error == EPERM ? Errc::refused : Errc::unavailable,
            "cannot " + std::string{what} + " " + name_ + ": " + std::strerror(error)};
  }
  const std::string& name() const { return name_; }

private:
  Result<void> wait(short events, std::int64_t deadline) {
    while (true) {
      const auto left = (deadline - monotonic_now() + millisecond - 1) / millisecond;
      pollfd fds[2] = {{fd_, events, 0}, {stop_fd_, POLLIN, 0}};
      const int count =
          left <= 0 ? 0 : ::poll(fds, stop_fd_ >= 0 ? 2 : 1, int(std::min<std::int64_t>(left, 1 << 30)));
      if (count < 0 && errno == EINTR) continue;
      if (count > 0 && (fds[1].revents & POLLIN) != 0)
        return Error{Errc::expired, "stopped while waiting for " + name_};
      if (count <= 0) return Error{Errc::expired, name_ + " did not answer in time"};
      return {};
    }
  }

  int fd_ = -1, stop_fd_;
  std::string name_;
};

std::string request_text(const HttpEndpoint& endpoint, const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: " + endpoint.host +
         "\r\nUser-Agent: iris-node\r\nAccept: application/json\r\nConnection: close\r\n\r\n";
}

/// Most that may wait for the parser: its longest element is the header (65,536 bytes). Beast itself has no
/// limit for the extensions of a chunk's header and for trailers.
constexpr std::size_t unparsed_limit = 128 << 10;

/// Feeds a parser from a socket until `done` says so.
template <class Parser, class Done>
Result<void> feed(Parser& parser, boost::beast::flat_buffer& buffer, Socket& socket, std::int64_t deadline,
                  Done done) {
  while (!done()) {
    boost::system::error_code error;
    if (buffer.size() > 0) {
      buffer.consume(parser.put(buffer.data(), error));
      if (error == http::error::need_buffer) return {};
      if (error == http::error::body_limit || error == http::error::header_limit)
        return Error{Errc::limit, "the answer of " + socket.name() + " is larger than is accepted"};
      if (error && error != http::error::need_more)
        return Error{Errc::invalid, socket.name() + " does not speak HTTP: " + error.message()};
      if (!error) continue;
      if (buffer.size() > unparsed_limit)
        return Error{Errc::limit, "a part of the answer of " + socket.name() + " is larger than is accepted"};
    }
    auto count = socket.read(buffer, deadline);
    if (!count) return count.error();
    if (*count == 0) {
      if (parser.got_some()) parser.put_eof(error);
      if (!done()) return Error{Errc::unavailable, socket.name() + " closed the connection"};
    }
  }
  return {};
}

class Lines final : public HttpLines {
public:
  Lines(std::size_t line_limit, int stop_fd) : socket_{stop_fd}, line_limit_{line_limit} {
    parser_.body_limit(boost::none);
    parser_.header_limit(65536);
  }

  Result<void> open(const HttpEndpoint& endpoint, const std::string& target, std::int64_t deadline) {
    if (auto connected = socket_.connect(endpoint, deadline); !connected) return connected;
    if (auto sent = socket_.write(request_text(endpoint, target), deadline); !sent) return sent;
    if (auto head = feed(parser_, buffer_, socket_, deadline, [&] { return parser_.is_header_done(); });
        !head)
      return head;
    if (parser_.get().result_int() != 200)
      return Error{Errc::invalid, socket_.name() + " answered " + std::to_string(parser_.get().result_int()) +
                                      " to GET " + target};
    return {};
  }

  Result<std::string> next(Duration timeout) override {
    const auto deadline = monotonic_now() + timeout;
    while (true) {
      if (auto end = text_.find('\n', searched_); end != std::string::npos) {
        std::string line = text_.substr(0, end);
        text_.erase(0, end + 1);
        searched_ = 0;
        if (std::exchange(skipping_, false)) continue; // the tail of a line that was too long
        while (!line.empty() &&
               (line.back() == '\r' || line.front() == '\x1e')) // json-seq's record separator
          line.back() == '\r' ? line.pop_back() : void(line.erase(0, 1));
        if (line.empty()) continue;
        return line;
      }
      searched_ = text_.size();
      if (text_.size() > line_limit_) {
        if (!skipping_) ++oversized_;
        skipping_ = true;
        text_.clear();
        searched_ = 0;
      }
      if (parser_.is_done()) return Error{Errc::unavailable, socket_.name() + " ended the stream"};
      char bytes[8192];
      parser_.get().body().data = bytes;
      parser_.get().body().size = sizeof bytes;
      parser_.get().body().more = true;
      auto fed = feed(parser_, buffer_, socket_, deadline,
                      [&] { return parser_.is_done() || parser_.get().body().size < sizeof bytes; });
      text_.append(bytes, sizeof bytes - parser_.get().body().size);
      if (!fed) return fed.error();
    }
  }

  std::uint64_t oversized() const override { return oversized_; }

private:
  Socket socket_;
  boost::beast::flat_buffer buffer_;
  http::response_parser<http::buffer_body> parser_;
  std::string text_;
  std::size_t line_limit_, searched_ = 0;
  bool skipping_ = false;
  std::uint64_t oversized_ = 0;
};

} // namespace

Result<HttpReply> http_get(const HttpEndpoint& endpoint, const std::string& target, Duration timeout,
                           std::size_t body_limit, int stop_fd) {
  const auto deadline = monotonic_now() + timeout;
  Socket socket{stop_fd};
  if (auto connected = socket.connect(endpoint, deadline); !connected) return connected.error();
  if (auto sent = socket.write(request_text(endpoint, target), deadline); !sent) return sent.error();
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_limit);
  parser.header_limit(65536);
  if (auto head = feed(parser, buffer, socket, deadline, [&] { return parser.is_header_done(); }); !head)
    return head.error();
  // Beast reserves the whole announced length before it looks at its limit.
  if (auto length = parser.content_length(); length && *length > body_limit)
    return Error{Errc::limit, "the answer of " + socket.name() + " is larger than is accepted"};
  parser.eager(true);
  if (auto fed = feed(parser, buffer, socket, deadline, [&] { return parser.is_done(); }); !fed)
    return fed.error();
  return HttpReply{parser.get().result_int(), std::move(parser.get().body())};
}

Result<std::unique_ptr<HttpLines>> HttpLines::open(const HttpEndpoint& endpoint, const std::string& target,
                                                   Duration timeout, std::size_t line_limit, int stop_fd) {
  auto lines = std::make_unique<Lines>(line_limit, stop_fd);
  if (auto opened = lines->open(endpoint, target, monotonic_now() + timeout); !opened) return opened.error();
  return std::unique_ptr<HttpLines>{std::move(lines)};
}

} // namespace iris
