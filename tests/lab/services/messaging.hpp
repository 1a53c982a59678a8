#pragma once
#include "tests/lab/services/server.hpp"

namespace iris::lab {

/// ZeroMQ's wire protocol (ZMTP 3.0, rfc.zeromq.org/spec/23) as far as PUB and SUB without security need it.
namespace zmtp {
constexpr int subscribed = 2; ///< stage of a connection that has subscribed
[[nodiscard]] std::string frame(std::string_view message);
[[nodiscard]] TcpServer::Handler publisher();
/// Connects, subscribes to everything, hands over each message; returns when the connection ends.
void subscribe(const std::string& host, std::uint16_t port,
               const std::function<void(const std::string&)>& on_message);
} // namespace zmtp

/// MQTT 3.1.1 with quality of service 1.
namespace mqtt {
[[nodiscard]] TcpServer::Handler broker();

class Client {
public:
  Client(std::string host, std::uint16_t port, std::string id)
      : host_(std::move(host)), port_(port), id_(std::move(id)) {}
  bool publish(const std::string& topic, const std::string& payload);
  /// PINGREQ, as a client owes within its keep-alive time. Nothing while not connected.
  void keep_alive();
  /// Disconnects; the next publish looks the broker's name up again.
  void disconnect();

private:
  bool connect();
  std::string host_;
  std::uint16_t port_;
  std::string id_;
  std::uint16_t next_packet_ = 1;
  Socket socket_;
  std::mutex mutex_;
};
} // namespace mqtt

} // namespace iris::lab
