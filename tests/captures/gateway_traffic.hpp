#pragma once
#include "core/base/time.hpp"

#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <vector>

namespace iris {

/// Makes the Ethernet traffic of a gateway in health, without end: long connections to a database, a broker
/// and a registry, short HTTP exchanges between services, SNMP polls and DNS queries, BACnet broadcasts, ARP.
/// The same seed gives the same frames.
class GatewayTraffic {
public:
  struct Frame {
    std::span<const std::uint8_t> bytes; ///< valid until the next call
    Timestamp at = 0;
  };

  explicit GatewayTraffic(std::uint32_t seed = 1, Timestamp start = 1'800'000'000 * second);
  [[nodiscard]] Frame next();

private:
  struct Connection {
    std::uint8_t client = 0, server = 0; ///< last byte of 172.18.0.x
    std::uint16_t sport = 0, dport = 0;
    int step = 0; ///< of a short exchange; -1: a long connection
  };

  void tcp(const Connection& connection, bool outward, std::uint8_t flags, std::size_t payload);
  void udp(std::uint32_t src, std::uint32_t dst, std::uint16_t sport, std::uint16_t dport,
           std::size_t payload);
  void headers(std::uint32_t src, std::uint32_t dst, std::uint8_t protocol, std::size_t above);
  void step_short(Connection& connection);
  [[nodiscard]] Connection fresh();
  [[nodiscard]] std::uint32_t draw(std::uint32_t below) { return std::uint32_t(random_() % below); }

  std::mt19937_64 random_;
  Timestamp at_;
  std::vector<std::uint8_t> frame_;
  std::vector<Connection> long_, short_;
  std::uint32_t pending_src_ = 0, pending_dst_ = 0; ///< a datagram that is still to be answered
  std::uint16_t pending_sport_ = 0, pending_dport_ = 0;
  std::uint16_t next_port_ = 32'768;
};

} // namespace iris
