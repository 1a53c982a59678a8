#pragma once
#include "core/base/address.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace iris {

/// Where to connect to.
struct HttpEndpoint {
  std::string unix_path; ///< of a local socket; otherwise address and port
  IpAddress address;
  std::uint16_t port = 80;
  std::string host = "localhost"; ///< of the Host header
};

struct HttpReply {
  unsigned status = 0;
  std::string body;
};

/// Plain HTTP GETs with a deadline and a limit, for local sockets and the gateway's own networks. Every call
/// waits at most for its deadline, and returns at once with Errc::expired when `stop_fd` (an eventfd) becomes
/// readable.
[[nodiscard]] Result<HttpReply> http_get(const HttpEndpoint& endpoint, const std::string& target,
                                         Duration timeout, std::size_t body_limit, int stop_fd);

/// A reply without an end, read line by line (the container engine's events).
class HttpLines {
public:
  [[nodiscard]] static Result<std::unique_ptr<HttpLines>> open(const HttpEndpoint& endpoint,
                                                               const std::string& target, Duration timeout,
                                                               std::size_t line_limit, int stop_fd);
  virtual ~HttpLines() = default;
  /// The next line without its end. Errc::expired: none within the timeout (or stopped); anything else: it is
  /// over.
  [[nodiscard]] virtual Result<std::string> next(Duration timeout) = 0;
  /// Lines that were longer than the limit and were skipped.
  [[nodiscard]] virtual std::uint64_t oversized() const = 0;
};

} // namespace iris
