#pragma once
#include "actors/query.hpp"
#include "core/base/result.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace iris {

/// The way into a running process for commands on the same machine (`iris-node status`, `iris-cloud token
/// create`): a unix socket of mode 0600. One connection, one question: a line
/// {"verb":…,"arguments":[…],"deadline_ms":…}; back come JSON objects, one a line, then
/// {"status":0,"message":"","partial":false}. See docs/shell.md.
class ControlSocket {
public:
  /// Runs on the socket's own thread, one question at a time; should keep request.deadline_ms.
  using Handler = std::function<QueryAnswer(const QueryRequest&)>;

  static constexpr std::size_t request_limit = 64 * 1024; ///< bytes of the line
  static constexpr std::chrono::milliseconds patience{
      2'000}; ///< for a client to write its line, and to take the answer

  /// A socket that a dead process left is replaced; one that answers is Errc::locked.
  [[nodiscard]] static Result<std::unique_ptr<ControlSocket>> listen(const std::string& path,
                                                                     Handler handler);
  ~ControlSocket(); ///< waits for the question under way
  ControlSocket(const ControlSocket&) = delete;
  ControlSocket& operator=(const ControlSocket&) = delete;

  [[nodiscard]] std::uint64_t served() const;
  [[nodiscard]] std::uint64_t refused() const; ///< malformed, too slow, given up, or of another user

private:
  struct Impl;
  explicit ControlSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Asks the process behind a control socket. Errc::unavailable when none is there or it does not answer in
/// request.deadline_ms and a second.
[[nodiscard]] Result<QueryAnswer> ask_control_socket(const std::string& path, const QueryRequest& request);

} // namespace iris
