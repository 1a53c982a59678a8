#pragma once
#include "core/base/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace iris {

/// What an HTTP request for a path gets.
struct HealthAnswer {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8", body;
};

/// A small HTTP server on a thread of its own for probes and scrapers: GET and HEAD, 5 s a connection, at
/// most 64 connections; more are closed at once.
class HealthServer {
public:
  using Handler = std::function<HealthAnswer(const std::string& path)>;
  /// `address` is "host:port" or "[v6]:port"; port 0 picks one.
  [[nodiscard]] static Result<std::unique_ptr<HealthServer>> start(const std::string& address,
                                                                   Handler handler);
  ~HealthServer();
  [[nodiscard]] std::uint16_t port() const;

private:
  struct Impl;
  explicit HealthServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace iris
