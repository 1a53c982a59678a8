#include "core/net/field_watch.hpp"

#include "tests/unit/core/net/frames.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using iris::frames::Bytes;

namespace {

constexpr Timestamp begin = 1'700'000'000 * second;
const Bytes read_holding{0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10};
const Bytes write_coil{0, 1, 0, 0, 0, 6, 1, 5, 0, 0, 0xff, 0};

struct World {
  FieldWatch watch{7};
  std::vector<FieldCommand> out;

  /// A TCP segment from a service to a device.
  void modbus(const Bytes& payload, Timestamp at, const char* device = "10.77.0.30") {
    auto segment = frames::tcp(40'000, 502, tcp_flag::ack);
    frames::append(segment, payload);
    send(frames::ipv4("172.18.0.7", device, 6, segment), at);
  }
  void send(const Bytes& packet, Timestamp at) {
    PacketView view;
    REQUIRE(iris::decode(link_type::raw, packet, std::uint32_t(packet.size()), view) == Decoded::ip);
    watch.packet(view, at, out);
  }
};

} // namespace

TEST_CASE("a function asked of a device is told at once, and its repeats once a pace") {
  World world;
  world.watch.advance(begin, world.out);
  for (int i = 0; i < 50; ++i)
    world.modbus(read_holding, begin + i * millisecond);
  REQUIRE(world.out.size() == 1);
  CHECK(world.out[0].function == "read holding registers (function 3)");
  CHECK(world.out[0].application == "Modbus");
  CHECK_FALSE(world.out[0].changes);
  CHECK(to_string(world.out[0].dst) == "10.77.0.30");
  world.watch.advance(begin + second, world.out);
  CHECK(world.out.size() == 1);
  world.watch.advance(begin + FieldWatch::pace, world.out);
  REQUIRE(world.out.size() == 2);
  CHECK(world.out[1].count == 49);
  CHECK(world.out[1].first == begin + millisecond);
  CHECK(world.out[1].last == begin + 49 * millisecond);
  world.watch.advance(begin + 2 * FieldWatch::pace, world.out);
  CHECK(world.out.size() == 2);
}

TEST_CASE("another function and another device are told apart") {
  World world;
  world.modbus(read_holding, begin);
  world.modbus(write_coil, begin);
  world.modbus(read_holding, begin, "10.77.0.31");
  REQUIRE(world.out.size() == 3);
  CHECK(world.out[1].changes);
  CHECK(world.out[1].action == "write");
}

TEST_CASE("what is on a field port and not of the protocol is counted as unread") {
  World world;
  world.modbus({'G', 'E', 'T', ' ', '/', ' ', 'H', 'T'}, begin);
  world.send(frames::ipv4("172.18.0.7", "10.77.0.22", 17, frames::udp(40'000, 161, {1, 2, 3})), begin);
  CHECK(world.out.empty());
  CHECK(world.watch.stats().unread == 2);
}

TEST_CASE("regression: a request in fragments was not even counted") {
  World world;
  auto packet = frames::ipv4("172.18.0.7", "10.77.0.22", 17, frames::udp(40'000, 47'808, Bytes(32, 0x81)));
  packet[6] = 0x20; // more fragments
  world.send(packet, begin);
  CHECK(world.out.empty());
  CHECK(world.watch.stats().unread == 1);
}

TEST_CASE("functions of thousands of devices stay within fixed memory, and no request goes uncounted") {
  World world;
  std::uint64_t told = 0;
  const auto take = [&] {
    for (const auto& command : world.out)
      told += command.count;
    world.out.clear();
  };
  constexpr std::uint64_t devices = 3 * FieldWatch::ways * FieldWatch::sets;
  for (std::uint64_t i = 0; i < devices; ++i) {
    const auto device = "10.1." + std::to_string(i / 200) + "." + std::to_string(i % 200 + 1);
    world.modbus(read_holding, begin + Timestamp(i), device.c_str());
    world.modbus(read_holding, begin + Timestamp(i), device.c_str());
    if (world.out.size() > FieldWatch::harvest_limit / 2) take();
  }
  world.watch.flush(world.out);
  take();
  const auto& stats = world.watch.stats();
  CHECK(stats.requests == 2 * devices);
  CHECK(stats.evicted > devices / 2);
  CHECK(told + stats.dropped == stats.requests);
}
