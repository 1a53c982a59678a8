#include "node/local_syslog.hpp"

#include "core/alert/alert.hpp"

#include <arpa/inet.h>
#include <charconv>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace iris {
namespace {

/// RFC 5424 priority: facility security/authorization (4) and a severity.
int priority_of(Severity severity) {
  switch (severity) {
  case Severity::critical:
    return 4 * 8 + 2;
  case Severity::high:
    return 4 * 8 + 3;
  case Severity::medium:
    return 4 * 8 + 4;
  case Severity::low:
    return 4 * 8 + 5;
  case Severity::info:
    return 4 * 8 + 6;
  }
  return 4 * 8 + 4;
}

} // namespace

Result<std::unique_ptr<LocalSyslog>> LocalSyslog::open(const std::string& target, std::string gateway) {
  auto failed = [&target](const char* what) {
    return Error{Errc::unavailable, "syslog " + target + ": " + what + ": " + std::strerror(errno)};
  };
  sockaddr_storage address{};
  socklen_t length = 0;
  if (target.starts_with("unix:")) {
    auto path = target.substr(5);
    auto* local = reinterpret_cast<sockaddr_un*>(&address);
    if (path.empty() || path.size() >= sizeof local->sun_path)
      return Error{Errc::invalid, "syslog " + target + ": the path is empty or too long"};
    local->sun_family = AF_UNIX;
    std::memcpy(local->sun_path, path.c_str(), path.size() + 1);
    length = sizeof(sockaddr_un);
  } else if (target.starts_with("udp:")) {
    auto colon = target.rfind(':');
    auto host = target.substr(4, colon > 4 ? colon - 4 : 0);
    auto* inet = reinterpret_cast<sockaddr_in*>(&address);
    unsigned port = 0;
    auto [end, failure] = std::from_chars(target.data() + colon + 1, target.data() + target.size(), port);
    inet->sin_family = AF_INET;
    if (failure != std::errc{} || *end != 0 || port == 0 || port > 65'535 ||
        inet_pton(AF_INET, host.c_str(), &inet->sin_addr) != 1)
      return Error{Errc::invalid, "syslog " + target + ": must be udp:ADDRESS:PORT"};
    inet->sin_port = htons(std::uint16_t(port));
    length = sizeof(sockaddr_in);
  } else {
    return Error{Errc::invalid, "syslog " + target + ": must begin with unix: or udp:"};
  }
  int socket = ::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (socket < 0) return failed("cannot make a socket");
  if (::connect(socket, reinterpret_cast<sockaddr*>(&address), length) != 0) {
    auto error = failed("cannot reach it");
    ::close(socket);
    return error;
  }
  return std::unique_ptr<LocalSyslog>{new LocalSyslog{socket, std::move(gateway)}};
}

LocalSyslog::~LocalSyslog() { ::close(socket_); }

void LocalSyslog::write(const Finding& finding) {
  Alert alert;
  alert.gateway = gateway_;
  alert.finding = finding;
  alert.received = finding.last;
  auto line = "<" + std::to_string(priority_of(finding.severity)) + ">1 " + rfc3339(finding.last) + " " +
              (gateway_.empty() ? "-" : gateway_) + " iris-node " + std::to_string(::getpid()) + " " +
              finding.detector + " - " + to_cef(alert);
  if (::send(socket_, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL) == ssize_t(line.size()))
    ++written_;
  else
    ++dropped_;
}

} // namespace iris
