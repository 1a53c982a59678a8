#pragma once
#include "core/alert/finding.hpp"
#include "core/base/result.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace iris {

/// Writes findings to a syslog on the site, for one that is cut off from the cloud: RFC 5424 with a CEF body,
/// one datagram each. Never waits: what the socket does not take is counted and dropped (the finding itself
/// is in the spool).
class LocalSyslog {
public:
  /// `target`: "unix:/dev/log" or "udp:ADDRESS:PORT" (an address, no name).
  static Result<std::unique_ptr<LocalSyslog>> open(const std::string& target, std::string gateway);
  ~LocalSyslog();
  LocalSyslog(const LocalSyslog&) = delete;
  LocalSyslog& operator=(const LocalSyslog&) = delete;

  void write(const Finding& finding);
  [[nodiscard]] std::uint64_t written() const { return written_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

private:
  LocalSyslog(int socket, std::string gateway) : socket_{socket}, gateway_{std::move(gateway)} {}
  int socket_;
  std::string gateway_;
  std::atomic<std::uint64_t> written_{0}, dropped_{0};
};

} // namespace iris
