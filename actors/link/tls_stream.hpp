#pragma once
#include "actors/link/tls_context.hpp"

#include <string>
#include <string_view>

namespace iris {

/// One TLS connection without a socket: ciphertext in and out by memory BIOs.
class TlsStream {
public:
  explicit TlsStream(SslPtr ssl) : ssl_{std::move(ssl)} {}

  /// Ciphertext from the peer; bound what you feed at a time, all of it is kept until read().
  void feed(std::string_view bytes);
  /// Drives the handshake. False when it failed: see error().
  [[nodiscard]] bool handshake();
  [[nodiscard]] bool established() const { return established_; }

  enum class Read { data, more, closed, failed };
  /// Up to one record of plaintext.
  [[nodiscard]] Read read(std::string_view& plain);
  /// False when the connection is broken.
  [[nodiscard]] bool write(std::string_view plain);
  void close_notify();
  /// Moves ciphertext for the peer to the end of `out`.
  void drain(std::string& out);

  [[nodiscard]] std::string alpn() const;
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

private:
  void note_failure();

  SslPtr ssl_;
  bool established_ = false;
  std::string error_;
};

} // namespace iris
