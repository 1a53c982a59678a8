#include <utility>
// Boost 1.74 under C++20 needs <utility> first.
#include "cloud/notify/outgoing.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <atomic>
#include <optional>

namespace iris {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t body_limit = 64 * 1'024;

Error failed(const Outgoing::Target& target, const std::string& what) {
  return {Errc::unavailable, target.host + ":" + target.port + ": " + what};
}

} // namespace

struct Outgoing::Impl {
  Target target;
  asio::io_context io{1};
  asio::ssl::context tls{asio::ssl::context::tls_client};
  std::optional<tcp::socket> socket;
  std::optional<asio::ssl::stream<tcp::socket&>> stream;
  std::atomic<bool> cancelled{false};

  /// Runs the operation that `start` begins until it ends, the timeout passes, or someone cancels.
  template <class Start>
  error_code wait(Start start) {
    std::optional<error_code> result;
    start([&result](error_code failure, auto&&...) { result = failure; });
    io.restart();
    const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(target.timeout);
    while (!result && !cancelled && std::chrono::steady_clock::now() < end)
      io.run_one_for(std::chrono::milliseconds{100});
    if (result) return *result;
    drop(); // the operation ends with an error of its own, and its handler must have run before `result` goes
    io.restart();
    while (!result && io.run_one() != 0) {
      // nop
    }
    return asio::error::timed_out;
  }
  void drop() {
    error_code ignored;
    resolver.cancel();
    if (socket) socket->close(ignored);
  }
  void reset() {
    stream.reset();
    if (socket) drop();
    socket.reset();
  }
  tcp::resolver resolver{io};
};

Outgoing::Outgoing(Target target) : impl_{std::make_unique<Impl>()} { impl_->target = std::move(target); }
Outgoing::~Outgoing() { close(); }

void Outgoing::close() { impl_->reset(); }
void Outgoing::cancel() { impl_->cancelled = true; }
bool Outgoing::connected() const { return impl_->socket.has_value() && impl_->socket->is_open(); }

Result<void> Outgoing::connect() {
  auto& s = *impl_;
  close();
  tcp::resolver::results_type found;
  auto failure = s.wait([&](auto done) {
    s.resolver.async_resolve(s.target.host, s.target.port,
                             [&found, done](error_code problem, tcp::resolver::results_type results) mutable {
                               found = std::move(results);
                               done(problem);
                             });
  });
  if (failure) return failed(s.target, "the name does not resolve: " + failure.message());
  s.socket.emplace(s.io);
  failure = s.wait([&](auto done) { asio::async_connect(*s.socket, found, done); });
  if (failure) {
    close();
    return failed(s.target, "cannot connect: " + failure.message());
  }
  if (!s.target.tls) return {};
  s.tls.set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                    asio::ssl::context::no_tlsv1_1);
  s.tls.set_verify_mode(asio::ssl::verify_peer);
  if (s.target.ca.empty())
    s.tls.set_default_verify_paths(failure);
  else
    s.tls.load_verify_file(s.target.ca, failure);
  if (failure) return Error{Errc::io, s.target.ca + ": cannot be read: " + failure.message()};
  s.stream.emplace(*s.socket, s.tls);
  SSL_set_tlsext_host_name(s.stream->native_handle(), s.target.host.c_str());
  s.stream->set_verify_callback(asio::ssl::host_name_verification{s.target.host});
  failure = s.wait([&](auto done) { s.stream->async_handshake(asio::ssl::stream_base::client, done); });
  if (failure) {
    close();
    return failed(s.target, "TLS: " + failure.message());
  }
  return {};
}

bool Outgoing::still_open() {
  if (!connected()) return false;
  // Nothing is expected from the other side between messages. Over TLS the read takes what is no data
  // (tickets) and finds the close_notify behind it; what it answers is "not now" as long as the connection is
  // open.
  char byte = 0;
  error_code failure;
  impl_->socket->non_blocking(true, failure);
  if (!failure && impl_->stream)
    impl_->stream->read_some(asio::buffer(&byte, 1), failure);
  else if (!failure)
    impl_->socket->receive(asio::buffer(&byte, 1), tcp::socket::message_peek, failure);
  if (failure == asio::error::would_block) return true;
  close();
  return false;
}

Result<void> Outgoing::write(std::string_view bytes) {
  auto& s = *impl_;
  auto buffer = asio::buffer(bytes.data(), bytes.size());
  auto failure = s.wait([&](auto done) {
    if (s.stream)
      asio::async_write(*s.stream, buffer, done);
    else
      asio::async_write(*s.socket, buffer, done);
  });
  if (!failure) return {};
  close();
  return failed(s.target, "cannot write: " + failure.message());
}

Result<Outgoing::HttpAnswer> Outgoing::exchange(std::string_view request) {
  auto& s = *impl_;
  if (auto written = write(request); !written) return written.error();
  boost::beast::flat_buffer buffer{body_limit + 16 * 1'024};
  http::response_parser<http::string_body> parser;
  parser.body_limit(body_limit);
  auto failure = s.wait([&](auto done) {
    if (s.stream)
      http::async_read(*s.stream, buffer, parser, done);
    else
      http::async_read(*s.socket, buffer, parser, done);
  });
  // The status is all that counts: a body that is too long or cut off is no failure once the header is there.
  if (failure && !parser.is_header_done()) {
    close();
    return failed(s.target, "no answer: " + failure.message());
  }
  HttpAnswer answer{parser.get().result_int(), std::string{parser.get().reason()},
                    !failure && parser.keep_alive()};
  if (!answer.keep) close();
  return answer;
}

} // namespace iris
