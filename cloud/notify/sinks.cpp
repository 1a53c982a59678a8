#include "actors/link/endpoint.hpp"
#include "cloud/config/webhook_url.hpp"
#include "cloud/notify/outgoing.hpp"
#include "cloud/notify/sink.hpp"

namespace iris {
namespace {

/// HTTP POST of the alert's JSON. 2xx is delivered; 400, 413 and 422 say that this message will never be
/// taken; all else is tried again.
class Webhook final : public Sink {
public:
  Webhook(const SinkConfig& config, WebhookUrl url)
      : secret_{config.secret}, url_{std::move(url)}, out_{Outgoing::Target{url_.host, url_.port, url_.tls,
                                                                            config.ca, config.timeout}} {
    // nop
  }

  Delivery deliver(const Alert& alert) override {
    auto body = to_json(alert) + "\n";
    auto request = "POST " + url_.target + " HTTP/1.1\r\nHost: " + host() +
                   "\r\nUser-Agent: iris-cloud\r\nContent-Type: application/json\r\nContent-Length: " +
                   std::to_string(body.size()) + "\r\nX-Iris-Alert: " + alert.id +
                   "\r\nX-Iris-Revision: " + std::to_string(alert.revision) + "\r\n";
    if (!secret_.empty()) request += "X-Iris-Signature: " + webhook_signature(secret_, body) + "\r\n";
    request += "Connection: keep-alive\r\n\r\n" + body;
    const bool reused = out_.still_open();
    if (!reused)
      if (auto connected = out_.connect(); !connected)
        return {Delivery::Outcome::retry, connected.error().message};
    auto answer = out_.exchange(request);
    if (!answer && reused) { // the other side may have closed the idle connection just now
      if (auto connected = out_.connect(); !connected)
        return {Delivery::Outcome::retry, connected.error().message};
      answer = out_.exchange(request);
    }
    if (!answer) return {Delivery::Outcome::retry, answer.error().message};
    if (answer->status >= 200 && answer->status < 300) return {Delivery::Outcome::done, ""};
    const bool never = answer->status == 400 || answer->status == 413 || answer->status == 422;
    return {never ? Delivery::Outcome::refused : Delivery::Outcome::retry,
            url_.host + " answered " + std::to_string(answer->status) + " " + answer->reason};
  }
  void cancel() override { out_.cancel(); }

private:
  std::string host() const {
    auto name = url_.host.find(':') == std::string::npos ? url_.host : "[" + url_.host + "]";
    return url_.port == (url_.tls ? "443" : "80") ? name : name + ":" + url_.port;
  }
  std::string secret_;
  WebhookUrl url_;
  Outgoing out_;
};

/// RFC 5424 over TCP or TLS (RFC 6587, RFC 5425). Syslog confirms nothing: what the kernel took counts as
/// delivered.
class Syslog final : public Sink {
public:
  Syslog(const SinkConfig& config, const Endpoint& to)
      : out_{Outgoing::Target{to.host, std::to_string(to.port), config.tls, config.ca, config.timeout}} {
    // nop
  }
  Delivery deliver(const Alert& alert) override {
    if (!out_.still_open())
      if (auto connected = out_.connect(); !connected)
        return {Delivery::Outcome::retry, connected.error().message};
    auto written = out_.write(syslog_frame(alert));
    return written ? Delivery{} : Delivery{Delivery::Outcome::retry, written.error().message};
  }
  void cancel() override { out_.cancel(); }

private:
  Outgoing out_;
};

/// One whose configuration cannot work says so at every try.
class Broken final : public Sink {
public:
  explicit Broken(std::string why) : why_{std::move(why)} {}
  Delivery deliver(const Alert&) override { return {Delivery::Outcome::retry, why_}; }
  void cancel() override {}

private:
  std::string why_;
};

} // namespace

std::unique_ptr<Sink> make_sink(const SinkConfig& config) {
  if (config.kind == SinkConfig::Kind::syslog) {
    auto to = parse_endpoint(config.address);
    if (!to) return std::make_unique<Broken>(to.error().message);
    return std::make_unique<Syslog>(config, *to);
  }
  auto url = parse_webhook_url(config.url);
  if (!url) return std::make_unique<Broken>(url.error().message);
  return std::make_unique<Webhook>(config, std::move(*url));
}

} // namespace iris
