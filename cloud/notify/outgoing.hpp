#pragma once
#include "core/base/result.hpp"
#include "core/base/time.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace iris {

/// A TCP or TLS connection to somewhere outside, with blocking calls that end by a deadline. TLS is 1.2 or
/// later; the server's certificate must fit its name.
class Outgoing {
public:
  struct Target {
    std::string host, port;
    bool tls = false;
    std::string ca;                 ///< PEM file; the system's store when empty
    Duration timeout = 10 * second; ///< of each call
  };
  explicit Outgoing(Target target);
  ~Outgoing();
  Outgoing(const Outgoing&) = delete;
  Outgoing& operator=(const Outgoing&) = delete;

  [[nodiscard]] Result<void> connect();
  [[nodiscard]] bool connected() const;
  /// False when the other side has closed meanwhile.
  [[nodiscard]] bool still_open();
  [[nodiscard]] Result<void> write(std::string_view bytes);

  struct HttpAnswer {
    unsigned status = 0;
    std::string reason;
    bool keep = false; ///< the connection may be used again
  };
  /// Writes a request that is already text and reads the answer, of which at most 64 KiB of body are taken.
  [[nodiscard]] Result<HttpAnswer> exchange(std::string_view request);
  void close();
  void cancel(); ///< from another thread

private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

} // namespace iris
