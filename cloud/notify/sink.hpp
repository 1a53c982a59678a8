#pragma once
#include "cloud/config/config.hpp"
#include "core/alert/alert.hpp"
#include "core/base/result.hpp"

#include <memory>
#include <string>

namespace iris {

/// How one delivery ended.
struct Delivery {
  enum class Outcome : std::uint8_t {
    done,
    retry,   ///< the sink cannot be reached, or says that it is its own fault
    refused, ///< the sink says that this very message is wrong
  } outcome{};
  std::string error;
};

/// Somewhere outside where alerts go. Blocking, each call bounded by the sink's timeout; used by one thread.
class Sink {
public:
  virtual ~Sink() = default;
  [[nodiscard]] virtual Delivery deliver(const Alert& alert) = 0;
  /// From another thread: the delivery under way ends soon.
  virtual void cancel() = 0;
};
[[nodiscard]] std::unique_ptr<Sink> make_sink(const SinkConfig& config);

/// "sha256=" and 64 hex digits: HMAC-SHA-256 (RFC 2104) of the body under the secret.
[[nodiscard]] std::string webhook_signature(const std::string& secret, const std::string& body);

/// RFC 5424 message with a CEF body, in RFC 6587 octet-counting framing.
[[nodiscard]] std::string syslog_frame(const Alert& alert);

} // namespace iris
