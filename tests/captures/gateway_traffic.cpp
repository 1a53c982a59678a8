#include "tests/captures/gateway_traffic.hpp"

#include <array>

namespace iris {

namespace {

constexpr std::uint32_t services = 0xac120000; // 172.18.0.0
constexpr std::uint32_t lan = 0x0a4d0000;      // 10.77.0.0
constexpr std::size_t long_connections = 200;
constexpr std::size_t short_connections = 3; // at once; each takes some 20 ms
constexpr std::array<std::uint16_t, 8> service_ports{27'017, 6'379,  1'883,  8'500,
                                                     48'080, 48'081, 48'082, 48'061};

void put16(std::vector<std::uint8_t>& to, unsigned value) {
  to.push_back(std::uint8_t(value >> 8));
  to.push_back(std::uint8_t(value));
}
void put32(std::vector<std::uint8_t>& to, std::uint32_t value) {
  put16(to, value >> 16);
  put16(to, value & 0xffff);
}

} // namespace

GatewayTraffic::GatewayTraffic(std::uint32_t seed, Timestamp start) : random_{seed}, at_{start} {
  for (std::size_t i = 0; i < long_connections; ++i) {
    long_.push_back(fresh());
    long_.back().step = -1;
  }
  for (std::size_t i = 0; i < short_connections; ++i)
    short_.push_back(fresh());
}

GatewayTraffic::Connection GatewayTraffic::fresh() {
  Connection connection;
  connection.server = std::uint8_t(2 + draw(8));
  connection.client = std::uint8_t(10 + draw(12));
  connection.dport = service_ports[connection.server - 2U];
  next_port_ = next_port_ >= 60'998 ? std::uint16_t(32'768) : std::uint16_t(next_port_ + 1);
  connection.sport = next_port_;
  return connection;
}

void GatewayTraffic::headers(std::uint32_t src, std::uint32_t dst, std::uint8_t protocol, std::size_t above) {
  frame_.clear();
  for (auto address : {dst, src}) {
    frame_.insert(frame_.end(), {0x02, 0x42});
    put32(frame_, address);
  }
  put16(frame_, 0x0800);
  put16(frame_, 0x4500);
  put16(frame_, unsigned(20 + above));
  put32(frame_, 0x00004000);
  frame_.push_back(64);
  frame_.push_back(protocol);
  put16(frame_, 0);
  put32(frame_, src);
  put32(frame_, dst);
}

void GatewayTraffic::tcp(const Connection& connection, bool outward, std::uint8_t flags,
                         std::size_t payload) {
  auto client = services + connection.client;
  auto server = services + connection.server;
  headers(outward ? client : server, outward ? server : client, 6, 32 + payload);
  put16(frame_, outward ? connection.sport : connection.dport);
  put16(frame_, outward ? connection.dport : connection.sport);
  put32(frame_, 1);
  put32(frame_, 1);
  frame_.push_back(8 << 4);
  frame_.push_back(flags);
  put16(frame_, 502);
  put32(frame_, 0);
  frame_.insert(frame_.end(), {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0});
  frame_.resize(frame_.size() + payload, 'x');
}

void GatewayTraffic::udp(std::uint32_t src, std::uint32_t dst, std::uint16_t sport, std::uint16_t dport,
                         std::size_t payload) {
  headers(src, dst, 17, 8 + payload);
  put16(frame_, sport);
  put16(frame_, dport);
  put16(frame_, unsigned(8 + payload));
  put16(frame_, 0);
  frame_.resize(frame_.size() + payload, 0);
}

/// SYN, SYN-ACK, ACK, request, ACK, answer, ACK, FIN, FIN, ACK.
void GatewayTraffic::step_short(Connection& connection) {
  constexpr std::uint8_t ack = 0x10;
  switch (connection.step++) {
  case 0:
    return tcp(connection, true, 0x02, 0);
  case 1:
    return tcp(connection, false, 0x12, 0);
  case 2:
    return tcp(connection, true, ack, 0);
  case 3:
    return tcp(connection, true, 0x18, 90 + draw(200));
  case 4:
    return tcp(connection, false, ack, 0);
  case 5:
    return tcp(connection, false, 0x18, 60 + draw(400));
  case 6:
    return tcp(connection, true, ack, 0);
  case 7:
    return tcp(connection, true, 0x11, 0);
  case 8:
    return tcp(connection, false, 0x11, 0);
  default:
    tcp(connection, true, ack, 0);
    connection = fresh();
  }
}

GatewayTraffic::Frame GatewayTraffic::next() {
  at_ += 100 * microsecond + Timestamp(draw(400)) * microsecond;
  auto kind = draw(100);
  if (pending_dport_ != 0) {
    udp(pending_dst_, pending_src_, pending_dport_, pending_sport_, 60 + draw(100));
    pending_dport_ = 0;
  } else if (kind < 50) {
    auto& connection = long_[draw(long_connections)];
    auto outward = draw(2) == 0;
    tcp(connection, outward, draw(3) == 0 ? 0x10 : 0x18, draw(3) == 0 ? 0 : 20 + draw(300));
  } else if (kind < 92) {
    step_short(short_[draw(short_connections)]);
  } else if (kind < 97) {
    pending_src_ = services + 10 + draw(2);
    bool snmp = draw(2) == 0;
    pending_dst_ = snmp ? lan + 20 + draw(30) : services + 1;
    pending_sport_ = std::uint16_t(40'000 + draw(20'000));
    pending_dport_ = snmp ? 161 : 53;
    udp(pending_src_, pending_dst_, pending_sport_, pending_dport_, 30 + draw(40));
  } else if (kind < 99) {
    udp(lan + 21, lan + 255, 47'808, 47'808, 12);
  } else {
    frame_.assign(6, 0xff);
    frame_.insert(frame_.end(), {0x02, 0x42, 10, 77, 0, 1});
    put16(frame_, 0x0806);
    frame_.insert(frame_.end(), {0, 1, 8, 0, 6, 4, 0, 1, 0x02, 0x42, 10, 77, 0, 1});
    put32(frame_, lan + 1);
    frame_.resize(frame_.size() + 6, 0);
    put32(frame_, lan + 20 + draw(8));
  }
  if (frame_.size() < 60) frame_.resize(60, 0);
  return {frame_, at_};
}

} // namespace iris
