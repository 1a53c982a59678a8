#include "tests/lab/services/net.hpp"
#include <arpa/inet.h>
#include <fcntl.h>
#include <fstream>
#include <netinet/tcp.h>
#include <poll.h>
#include <random>
#include <sstream>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace iris::lab {
namespace {

constexpr std::uint32_t io_timeout_seconds = 5;

sockaddr_in endpoint(std::uint32_t address, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  result.sin_addr.s_addr = address;
  return result;
}

void set_timeouts(int fd, double seconds) {
  timeval limit{};
  limit.tv_sec = static_cast<time_t>(seconds);
  limit.tv_usec = static_cast<suseconds_t>((seconds - static_cast<double>(limit.tv_sec)) * 1e6);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

std::uint32_t from_hosts_file(const std::string& name) {
  std::ifstream hosts("/etc/hosts");
  for (std::string line; std::getline(hosts, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string address, alias;
    words >> address;
    in_addr parsed{};
    if (inet_pton(AF_INET, address.c_str(), &parsed) != 1) continue;
    while (words >> alias)
      if (alias == name) return parsed.s_addr;
  }
  return 0;
}

std::string name_server() {
  std::ifstream file("/etc/resolv.conf");
  for (std::string word; file >> word;)
    if (word == "nameserver" && file >> word) return word;
  return {};
}

// RFC 1035: one question of type A, the first A record of the answer.
std::uint32_t from_name_server(const std::string& name) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const auto id = static_cast<std::uint16_t>(random());
  std::string query{static_cast<char>(id >> 8), static_cast<char>(id)};
  query += std::string("\x01\0\0\x01\0\0\0\0\0\0", 10);
  std::istringstream labels(name);
  for (std::string label; std::getline(labels, label, '.');)
    query += static_cast<char>(label.size()) + label;
  query += std::string("\0\0\x01\0\x01", 5);

  const auto answer = ask_udp(name_server(), 53, query, Seconds{2});
  if (answer.size() < query.size() || answer[0] != query[0] || answer[1] != query[1]) return 0;
  std::size_t at = query.size(); // the question is repeated as asked
  while (at + 12 <= answer.size()) {
    if ((static_cast<unsigned char>(answer[at]) & 0xc0) == 0xc0)
      at += 2;
    else
      while (at < answer.size() && answer[at++] != 0) {
        at += static_cast<unsigned char>(answer[at - 1]);
      }
    if (at + 10 > answer.size()) return 0;
    const auto u16 = [&](std::size_t offset) {
      return static_cast<unsigned>(static_cast<unsigned char>(answer[at + offset]) << 8 |
                                   static_cast<unsigned char>(answer[at + offset + 1]));
    };
    const unsigned type = u16(0), length = u16(8);
    at += 10;
    if (type == 1 && length == 4 && at + 4 <= answer.size()) {
      std::uint32_t address = 0;
      answer.copy(reinterpret_cast<char*>(&address), 4, at);
      return address;
    }
    at += length;
  }
  return 0;
}

} // namespace

Socket& Socket::operator=(Socket&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Socket::release() { return std::exchange(fd_, -1); }

void Socket::reset() {
  if (fd_ >= 0) close(std::exchange(fd_, -1));
}

std::uint32_t resolve(const std::string& name) {
  in_addr literal{};
  if (inet_pton(AF_INET, name.c_str(), &literal) == 1) return literal.s_addr;
  const auto known = from_hosts_file(name);
  return known != 0 ? known : from_name_server(name);
}

Socket dial(const std::string& host, std::uint16_t port, Seconds timeout) {
  const auto address = resolve(host);
  if (address == 0) return {};
  Socket socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket_) return {};
  set_timeouts(socket_.get(), timeout.count()); // a blocking connect obeys SO_SNDTIMEO
  const auto target = endpoint(address, port);
  if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) return {};
  set_timeouts(socket_.get(), io_timeout_seconds);
  const int on = 1;
  setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket_;
}

Socket listen_tcp(const std::string& address, std::uint16_t port) {
  Socket socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(socket_.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const auto local = endpoint(resolve(address), port);
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0 ||
      listen(socket_.get(), SOMAXCONN) != 0)
    return {};
  return socket_;
}

Socket bind_udp(const std::string& address, std::uint16_t port) {
  Socket socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto local = endpoint(resolve(address), port);
  if (bind(socket_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0) return {};
  return socket_;
}

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool receive_some(int fd, std::string& into) {
  char buffer[16 * 1024];
  const auto got = recv(fd, buffer, sizeof buffer, 0);
  if (got <= 0) return false;
  into.append(buffer, static_cast<std::size_t>(got));
  return true;
}

bool receive_exactly(int fd, std::size_t bytes, std::string& into) {
  const auto start = into.size();
  into.resize(start + bytes);
  for (std::size_t have = 0; have < bytes;) {
    const auto got = recv(fd, into.data() + start + have, bytes - have, 0);
    if (got <= 0) {
      into.resize(start + have);
      return false;
    }
    have += static_cast<std::size_t>(got);
  }
  return true;
}

std::string ask_udp(const std::string& host, std::uint16_t port, std::string_view request, Seconds timeout) {
  const auto address = resolve(host);
  Socket socket_(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (address == 0 || !socket_) return {};
  const auto target = endpoint(address, port);
  if (connect(socket_.get(), reinterpret_cast<const sockaddr*>(&target), sizeof target) != 0) return {};
  set_timeouts(socket_.get(), timeout.count());
  if (send(socket_.get(), request.data(), request.size(), 0) < 0) return {};
  std::string answer;
  return receive_some(socket_.get(), answer) ? answer : std::string{};
}

} // namespace iris::lab
