#include <utility>
// Boost 1.74 under C++20 needs <utility> first.
#include "cloud/program/health_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include <charconv>
#include <optional>
#include <thread>

namespace iris {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t connection_limit = 64;
constexpr auto patience = std::chrono::seconds{5};

Result<tcp::endpoint> endpoint_of(const std::string& address) {
  auto colon = address.rfind(':');
  std::uint16_t port = 0;
  error_code failure;
  if (colon != std::string::npos) {
    auto host = address.substr(0, colon);
    if (host.size() > 1 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (host == "localhost") host = "127.0.0.1";
    auto [end, problem] = std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    auto ip = asio::ip::make_address(host, failure);
    if (!failure && problem == std::errc{} && end == address.data() + address.size())
      return tcp::endpoint{ip, port};
  }
  return Error{Errc::invalid, "\"" + address + "\" is not address:port, e.g. 127.0.0.1:9464"};
}

class Exchange : public std::enable_shared_from_this<Exchange> {
public:
  Exchange(tcp::socket socket, const HealthServer::Handler& handler, std::size_t& open)
      : stream_{std::move(socket)}, handler_{handler}, open_{open} {
    ++open_;
  }
  ~Exchange() { --open_; }

  void start() {
    parser_.header_limit(8 * 1'024);
    parser_.body_limit(0);
    stream_.expires_after(patience);
    http::async_read(stream_, buffer_, parser_, [self = shared_from_this()](error_code failure, std::size_t) {
      if (!failure) self->answer();
    });
  }

private:
  void answer() {
    const auto& request = parser_.get();
    HealthAnswer answer{405, "text/plain", "only GET and HEAD\n"};
    if (request.method() == http::verb::get || request.method() == http::verb::head) {
      auto path = std::string{request.target()};
      answer = handler_(path.substr(0, path.find('?')));
    }
    response_.version(request.version());
    response_.result(answer.status);
    response_.set(http::field::content_type, answer.type);
    response_.keep_alive(false);
    response_.content_length(answer.body.size());
    if (request.method() != http::verb::head) response_.body() = std::move(answer.body);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code failure, std::size_t) {
      if (!failure) self->stream_.socket().shutdown(tcp::socket::shutdown_send, failure);
    });
  }

  boost::beast::tcp_stream stream_;
  boost::beast::flat_buffer buffer_{16 * 1'024};
  http::request_parser<http::empty_body> parser_;
  http::response<http::string_body> response_;
  const HealthServer::Handler& handler_;
  std::size_t& open_;
};

} // namespace

struct HealthServer::Impl {
  asio::io_context io{1};
  tcp::acceptor acceptor{io};
  Handler handler;
  std::size_t open = 0;
  std::uint16_t port = 0;
  std::thread thread;

  void accept() {
    acceptor.async_accept([this](error_code failure, tcp::socket socket) {
      if (failure == asio::error::operation_aborted) return;
      if (!failure && open < connection_limit)
        std::make_shared<Exchange>(std::move(socket), handler, open)->start();
      accept();
    });
  }
  ~Impl() {
    io.stop();
    if (thread.joinable()) thread.join();
  }
};

HealthServer::HealthServer(std::unique_ptr<Impl> impl) : impl_{std::move(impl)} {
  // nop
}
HealthServer::~HealthServer() = default;

Result<std::unique_ptr<HealthServer>> HealthServer::start(const std::string& address, Handler handler) {
  auto endpoint = endpoint_of(address);
  if (!endpoint) return endpoint.error();
  auto impl = std::make_unique<Impl>();
  impl->handler = std::move(handler);
  error_code failure;
  impl->acceptor.open(endpoint->protocol(), failure);
  if (!failure) impl->acceptor.set_option(tcp::acceptor::reuse_address{true}, failure);
  if (!failure) impl->acceptor.bind(*endpoint, failure);
  if (!failure) impl->acceptor.listen(64, failure);
  if (failure) return Error{Errc::io, "cannot listen on " + address + " for health: " + failure.message()};
  impl->port = impl->acceptor.local_endpoint().port();
  impl->accept();
  impl->thread = std::thread{[raw = impl.get()] { raw->io.run(); }};
  return std::unique_ptr<HealthServer>{new HealthServer{std::move(impl)}};
}

std::uint16_t HealthServer::port() const { return impl_->port; }

} // namespace iris
