#include "node/sources/http_client.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace iris;

namespace {

/// Accepts one connection and sends `head`, then `more` again and again until the other side is gone or
/// `limit` bytes are out. Its socket buffer is small, so that what it got rid of is what the other one took.
class Flood {
public:
  static constexpr std::size_t limit = 64 << 20;

  Flood(std::string head, std::string more) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int small = 16384;
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 1) == 0);
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    endpoint.address = IpAddress::v4(0x7f000001);
    endpoint.port = ntohs(address.sin_port);
    thread_ = std::thread{[this, head = std::move(head), more = std::move(more)] {
      int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      char request[1024];
      (void)!::recv(client, request, sizeof request, 0);
      (void)!::send(client, head.data(), head.size(), MSG_NOSIGNAL);
      while (!more.empty() && taken < limit) {
        auto count = ::send(client, more.data(), more.size(), MSG_NOSIGNAL);
        if (count <= 0) break;
        taken += std::size_t(count);
      }
      ::close(client);
    }};
  }
  ~Flood() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }

  HttpEndpoint endpoint;
  std::atomic<std::size_t> taken = 0;

private:
  int fd_;
  std::thread thread_;
};

/// The kernel's two socket buffers on loopback hold a few MB at most.
constexpr std::size_t socket_buffers = 12 << 20;
const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

} // namespace

TEST_CASE("an answer whose chunk header or trailer never ends is refused before it fills the memory") {
  for (const auto& head : {chunked + "5;", chunked + "1\r\n[\r\n0\r\nX: "}) {
    CAPTURE(head);
    std::size_t taken = 0;
    {
      Flood server{head, std::string(16384, 'a')};
      auto reply = http_get(server.endpoint, "/", 20 * second, 8 << 20, -1);
      REQUIRE_FALSE(reply);
      CHECK(reply.error().code == Errc::limit);
      taken = server.taken;
    }
    CHECK(taken < socket_buffers);
  }
  Flood server{chunked + "2\r\n{\n\r\n5;", std::string(16384, 'a')};
  auto lines = HttpLines::open(server.endpoint, "/events", 20 * second, 65536, -1);
  REQUIRE(lines);
  auto line = (*lines)->next(20 * second);
  while (line)
    line = (*lines)->next(20 * second);
  CHECK(line.error().code == Errc::limit);
  CHECK(server.taken < socket_buffers);
}

TEST_CASE("an answer in many chunks is read whole") {
  std::string text = chunked;
  for (int i = 0; i < 1'000; ++i)
    text += "3;name=value\r\nabc\r\n";
  Flood server{text + "0\r\n\r\n", ""};
  auto reply = http_get(server.endpoint, "/", 20 * second, 4096, -1);
  REQUIRE(reply);
  CHECK(reply->body.size() == 3'000);
}
