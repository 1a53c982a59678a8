#include "tests/lab/services/server.hpp"
#include <cstdio>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace iris::lab {
namespace {

constexpr std::size_t max_input = 1 << 20;
constexpr std::size_t max_output = 8 << 20;
constexpr std::size_t max_broadcasts = 256;

void watch(int epoll, int fd, std::uint32_t events, int operation) {
  epoll_event event{};
  event.events = events;
  event.data.fd = fd;
  epoll_ctl(epoll, operation, fd, &event);
}

} // namespace

TcpServer::TcpServer(ServerOptions options, Handler handler)
    : options_(std::move(options)), handler_(std::move(handler)) {}

bool TcpServer::start() {
  listener_ = listen_tcp(options_.address, options_.port);
  if (!listener_) {
    std::fprintf(stderr, "cannot listen on %s:%u: %s\n", options_.address.c_str(), options_.port,
                 std::strerror(errno));
    return false;
  }
  epoll_ = Socket(epoll_create1(EPOLL_CLOEXEC));
  wake_ = Socket(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  watch(epoll_.get(), listener_.get(), EPOLLIN, EPOLL_CTL_ADD);
  watch(epoll_.get(), wake_.get(), EPOLLIN, EPOLL_CTL_ADD);
  std::thread([this] { run(); }).detach();
  return true;
}

void TcpServer::broadcast(std::string bytes, int stage) {
  {
    const std::lock_guard lock(mutex_);
    if (pending_.size() >= max_broadcasts) return;
    pending_.emplace_back(std::move(bytes), stage);
  }
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = write(wake_.get(), &one, sizeof one);
}

void TcpServer::run() {
  epoll_event events[64];
  auto next_sweep = std::chrono::steady_clock::now();
  for (;;) {
    const int ready = epoll_wait(epoll_.get(), events, 64, 5000);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == listener_.get())
        accept_all();
      else if (fd == wake_.get())
        drain_broadcasts();
      else
        serve(fd);
    }
    if (const auto now = std::chrono::steady_clock::now(); now >= next_sweep) {
      next_sweep = now + std::chrono::seconds(5);
      drop_idle();
    }
  }
}

void TcpServer::accept_all() {
  for (int i = 0; i < 256; ++i) {
    Socket client(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!client) return;
    if (connections_.size() >= options_.max_connections) continue; // closed at once
    const int on = 1;
    setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const int fd = client.get();
    Connection connection;
    connection.socket = std::move(client);
    connection.last_used = std::chrono::steady_clock::now();
    if (options_.footprint > 0) {
      connection.footprint = std::make_unique<char[]>(options_.footprint);
      std::memset(connection.footprint.get(), 0x5a, options_.footprint);
    }
    connections_.emplace(fd, std::move(connection));
    watch(epoll_.get(), fd, EPOLLIN, EPOLL_CTL_ADD);
  }
}

void TcpServer::serve(int fd) {
  const auto found = connections_.find(fd);
  if (found == connections_.end()) return;
  auto& connection = found->second;
  char buffer[16 * 1024];
  const auto got = recv(fd, buffer, sizeof buffer, 0);
  const bool ended = got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
  if (got > 0) {
    connection.in.append(buffer, static_cast<std::size_t>(got));
    connection.last_used = std::chrono::steady_clock::now();
    handler_(connection);
  }
  if (!ended) flush(connection);
  const bool overfull = connection.in.size() > max_input || connection.out.size() > max_output;
  if (ended || overfull || (connection.close_after_reply && connection.out.empty()))
    connections_.erase(found);
}

void TcpServer::flush(Connection& connection) {
  while (!connection.out.empty()) {
    const auto sent =
        send(connection.socket.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
    if (sent <= 0) break;
    connection.out.erase(0, static_cast<std::size_t>(sent));
  }
  watch(epoll_.get(), connection.socket.get(), connection.out.empty() ? EPOLLIN : EPOLLIN | EPOLLOUT,
        EPOLL_CTL_MOD);
}

void TcpServer::drop_idle() {
  if (options_.idle_limit.count() <= 0) return;
  const auto now = std::chrono::steady_clock::now();
  std::erase_if(connections_,
                [&](const auto& entry) { return now - entry.second.last_used > options_.idle_limit; });
}

void TcpServer::drain_broadcasts() {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = read(wake_.get(), &count, sizeof count);
  std::vector<std::pair<std::string, int>> messages;
  {
    const std::lock_guard lock(mutex_);
    messages.swap(pending_);
  }
  for (auto& [bytes, stage] : messages)
    for (auto& [fd, connection] : connections_)
      if (connection.stage == stage && connection.out.size() < max_output) {
        connection.out += bytes;
        flush(connection);
      }
}

} // namespace iris::lab
