#include "cloud/notify/sink.hpp"
#include "cloud/notify/sink_thread.hpp"
#include "cloud/pki/pki.hpp"
#include "tests/fixtures/temp_dir.hpp"
#include "tests/unit/core/alert/alert_fixture.hpp"

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/tcp.h>
#include <nlohmann/json.hpp>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <future>
#include <thread>

using namespace iris;

namespace {

/// Listens on loopback; serves one connection with the given answers, one a request, and keeps what it read.
class Server {
public:
  explicit Server(std::vector<std::string> answers) : answers_{std::move(answers)} {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Server() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  void finish() { thread_done_.get_future().wait(); }
  std::uint16_t port = 0;
  std::vector<std::string> requests;

private:
  void serve() {
    int peer = ::accept(listener_, nullptr, nullptr);
    if (peer >= 0) {
      for (const auto& answer : answers_) {
        std::string request;
        char buffer[8'192];
        for (;;) {
          auto got = ::recv(peer, buffer, sizeof buffer, 0);
          if (got <= 0) break;
          request.append(buffer, std::size_t(got));
          auto end = request.find("\r\n\r\n");
          auto length = request.find("Content-Length: ");
          if (end == std::string::npos || length == std::string::npos) continue;
          if (request.size() >= end + 4 + std::stoul(request.substr(length + 16))) break;
        }
        requests.push_back(request);
        (void)!::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
      }
      ::close(peer);
    }
    thread_done_.set_value();
  }
  std::vector<std::string> answers_;
  int listener_ = -1;
  std::promise<void> thread_done_;
  std::thread thread_;
};

/// A syslog server over TLS that takes one message a connection, and then says goodbye (close_notify) as many
/// do when idle. Session tickets go out after the handshake, as always with TLS 1.3.
class PoliteTlsServer {
public:
  PoliteTlsServer() {
    const auto now = Timestamp(std::time(nullptr)) * second;
    REQUIRE(pki::make_authority(dir.path("pki"), "test", now));
    REQUIRE(pki::issue_server(dir.path("pki"), "1", {"127.0.0.1"}, now));
    context_ = SSL_CTX_new(TLS_server_method());
    REQUIRE(SSL_CTX_use_certificate_chain_file(context_, dir.path("pki/server.pem").c_str()) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(context_, dir.path("pki/server.key").c_str(), SSL_FILETYPE_PEM) == 1);
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener_, 4) == 0);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~PoliteTlsServer() {
    stopping_ = true;
    thread_.join();
    ::close(listener_);
    SSL_CTX_free(context_);
  }
  /// Waits until `count` connections were said goodbye to.
  bool closed(int count) const {
    for (int i = 0; i < 5'000 && closed_ < count; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds{1});
    return closed_ >= count;
  }
  TempDir dir;
  std::uint16_t port = 0;
  std::atomic<int> messages{0};
  /// Messages that the connection takes before it is closed.
  std::atomic<int> each{1};

private:
  void serve() {
    while (!stopping_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      int peer = ::accept(listener_, nullptr, nullptr);
      timeval patience{2, 0};
      ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
      const int at_once = 1; // else the goodbye waits for the client's acknowledgement of the tickets
      ::setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
      SSL* ssl = SSL_new(context_);
      SSL_set_fd(ssl, peer);
      if (SSL_accept(ssl) == 1) {
        char buffer[8'192];
        for (int i = 0; i < each && SSL_read(ssl, buffer, sizeof buffer) > 0; ++i)
          ++messages;
        SSL_shutdown(ssl);
      }
      ++closed_;
      // The socket itself stays open: only TLS tells that it is over.
      peers_.push_back(peer);
      SSL_free(ssl);
    }
    for (int peer : peers_)
      ::close(peer);
  }
  SSL_CTX* context_ = nullptr;
  int listener_ = -1;
  std::vector<int> peers_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> closed_{0};
  std::thread thread_;
};

SinkConfig webhook_to(std::uint16_t port) {
  SinkConfig config;
  config.kind = SinkConfig::Kind::webhook;
  config.name = "hook";
  config.url = "http://127.0.0.1:" + std::to_string(port) + "/in?x=1";
  config.secret = "s3cret";
  config.timeout = 2 * second;
  return config;
}

} // namespace

TEST_CASE("the signature is HMAC-SHA-256 (RFC 4231, test case 2)") {
  CHECK(webhook_signature("Jefe", "what do ya want for nothing?") ==
        "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("a webhook posts the JSON with its signature and keeps the connection") {
  const std::string ok = "HTTP/1.1 204 No Content\r\n\r\n";
  Server server{
      {ok, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 422 No\r\nContent-Length: 0\r\n\r\n"}};
  auto sink = make_sink(webhook_to(server.port));
  auto alert = sample_alert();
  CHECK(sink->deliver(alert).outcome == Delivery::Outcome::done);
  alert.revision = 4;
  auto busy = sink->deliver(alert);
  CHECK(busy.outcome == Delivery::Outcome::retry);
  CHECK(busy.error == "127.0.0.1 answered 503 Busy");
  CHECK(sink->deliver(alert).outcome == Delivery::Outcome::refused);
  server.finish();
  REQUIRE(server.requests.size() == 3); // all over one connection
  const auto& first = server.requests[0];
  auto body = first.substr(first.find("\r\n\r\n") + 4);
  CHECK(first.rfind("POST /in?x=1 HTTP/1.1\r\n", 0) == 0);
  CHECK(first.find("X-Iris-Alert: " + alert.id + "\r\n") != std::string::npos);
  CHECK(first.find("X-Iris-Revision: 3\r\n") != std::string::npos);
  CHECK(first.find("X-Iris-Signature: " + webhook_signature("s3cret", body) + "\r\n") != std::string::npos);
  CHECK(nlohmann::json::parse(body)["id"] == alert.id);
}

TEST_CASE("a sink that is not there or never answers ends in time with one line") {
  auto config = webhook_to(1);
  auto refused = make_sink(config)->deliver(sample_alert());
  CHECK(refused.outcome == Delivery::Outcome::retry);
  CHECK(refused.error.find("127.0.0.1:1: cannot connect: ") == 0);
  Server silent{{""}};
  config = webhook_to(silent.port);
  config.timeout = 300 * millisecond;
  auto begin = std::chrono::steady_clock::now();
  auto sink = make_sink(config);
  CHECK(sink->deliver(sample_alert()).outcome == Delivery::Outcome::retry);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds{3});
}

TEST_CASE("TLS to something that speaks none fails with a reason and no crash") {
  Server plain{{"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"}};
  auto config = webhook_to(plain.port);
  config.url = "https://127.0.0.1:" + std::to_string(plain.port) + "/";
  config.timeout = 500 * millisecond;
  auto result = make_sink(config)->deliver(sample_alert());
  CHECK(result.outcome == Delivery::Outcome::retry);
}

TEST_CASE("an alert after a TLS server's goodbye goes out over a new connection and is not lost") {
  PoliteTlsServer server;
  SinkConfig config;
  config.kind = SinkConfig::Kind::syslog;
  config.address = "127.0.0.1:" + std::to_string(server.port);
  config.tls = true;
  config.ca = server.dir.path("pki/ca.pem");
  config.timeout = 2 * second;
  auto sink = make_sink(config);
  for (int i = 1; i <= 3; ++i) {
    auto delivery = sink->deliver(sample_alert());
    INFO(delivery.error);
    CHECK(delivery.outcome == Delivery::Outcome::done);
    REQUIRE(server.closed(i));
    CHECK(server.messages == i);
  }
  // One that stays open is used again, tickets or not.
  server.each = 2;
  for (int i = 0; i < 2; ++i)
    CHECK(sink->deliver(sample_alert()).outcome == Delivery::Outcome::done);
  REQUIRE(server.closed(4));
  CHECK(server.messages == 5);
}

TEST_CASE("a syslog frame counts its octets and is RFC 5424 with a CEF body") {
  auto alert = sample_alert();
  alert.gateway = "gw 17\n";
  auto frame = syslog_frame(alert);
  auto space = frame.find(' ');
  CHECK(std::stoul(frame.substr(0, space)) == frame.size() - space - 1);
  CHECK(frame.substr(space + 1).rfind(
            "<131>1 2025-11-24T16:00:02.000000Z gw_17_ iris - network.known-bad [iris@32473 "
            "id=\"A-0123456789abcdef\" revision=\"3\"] CEF:0|Iris|iris|1|",
            0) == 0);
  CHECK(frame.find('\n') == std::string::npos);
  alert.finding.severity = Severity::critical;
  CHECK(syslog_frame(alert).find("<130>1 ") != std::string::npos);
}

TEST_CASE("a sink's thread stops in the middle of a job") {
  struct Slow final : Sink {
    std::atomic<bool> cancelled{false};
    Delivery deliver(const Alert&) override {
      while (!cancelled)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
      return {Delivery::Outcome::retry, "cancelled"};
    }
    void cancel() override { cancelled = true; }
  };
  SinkThread thread{std::make_unique<Slow>()};
  SinkJob job;
  job.items.push_back({"k", sample_alert()});
  CHECK(thread.give(job, [](const SinkJobResult&) {}));
  CHECK_FALSE(thread.give(job, [](const SinkJobResult&) {})); // one at a time
  thread.stop();
  CHECK_FALSE(thread.give(job, [](const SinkJobResult&) {}));
}
