#pragma once
#include "actors/query.hpp"
#include "core/base/result.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace iris {

/// Someone who answers questions.
class Channel {
public:
  virtual ~Channel() = default;
  /// Errc::unavailable when nobody is there or no answer comes in time.
  [[nodiscard]] virtual Result<QueryAnswer> ask(const QueryRequest& request) = 0;
  /// Whether verbs beyond the shell's own are handed on.
  [[nodiscard]] virtual bool open() const = 0;
  /// Who answers, for the prompt.
  [[nodiscard]] virtual std::string name() const = 0;
};

/// The cloud, over the link, as the operator of the bundle.
struct LinkChannelOptions {
  std::string bundle; ///< folder with ca.pem, cert.pem, key.pem, addresses.txt
  std::string server; ///< "host:port" instead of the bundle's addresses; empty for those
  std::chrono::milliseconds patience{10'000}; ///< to be connected and admitted
};
/// Connects with the first question, so that bad files are told from a cloud that is away.
[[nodiscard]] Result<std::unique_ptr<Channel>> open_link_channel(LinkChannelOptions options);

/// A process on this machine, over its control socket.
[[nodiscard]] std::unique_ptr<Channel> open_socket_channel(std::string path);

} // namespace iris
