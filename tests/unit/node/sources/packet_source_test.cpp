#include "node/sources/packet_source.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace iris;

namespace {

struct Collected {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Flow> flows;
  std::vector<SensorHealth> health;
  std::uint64_t frames = 0;

  PacketSource::Sink sink() {
    return [this](PacketBatch&& batch) {
      std::lock_guard lock{mutex};
      for (auto& flow : batch.harvest.flows)
        flows.push_back(std::move(flow));
      for (auto& report : batch.health)
        health.push_back(std::move(report));
      frames = batch.stats.frames;
      changed.notify_all();
    };
  }
  template <class Predicate>
  bool wait_for(Predicate predicate) {
    std::unique_lock lock{mutex};
    return changed.wait_for(lock, std::chrono::seconds{10}, predicate);
  }
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// A connection to a port of our own that is accepted, used and closed. @returns the port.
std::uint16_t talk_over_loopback() {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto address = loopback(0);
  auto size = socklen_t(sizeof address);
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(listen(listener, 1) == 0);
  getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(client, reinterpret_cast<sockaddr*>(&address), size) == 0);
  int server = accept(listener, nullptr, nullptr);
  char buffer[5];
  REQUIRE(write(client, "hello", 5) == 5);
  REQUIRE(read(server, buffer, 5) == 5);
  close(client);
  close(server);
  close(listener);
  return ntohs(address.sin_port);
}

} // namespace

TEST_CASE("live traffic on loopback becomes a flow") {
  if (geteuid() != 0) {
    WARN("skipped: capturing needs root");
    return;
  }
  Collected collected;
  PacketSourceOptions options;
  options.interface = "lo";
  options.filter = "tcp";
  options.pipeline.flows.interface = 3;
  PacketSource source{options, collected.sink()};
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  auto port = talk_over_loopback();
  const Flow* found = nullptr;
  CHECK(collected.wait_for([&] {
    for (const auto& flow : collected.flows)
      if (flow.dport == port && flow.last_report) found = &flow;
    return found != nullptr;
  }));
  REQUIRE(found != nullptr);
  CHECK(found->state == FlowState::closed);
  CHECK(found->initiator_known);
  CHECK(found->interface == 3);
}

TEST_CASE("a capture at rest leaves packets to the kernel, and goes on with them when there is room again") {
  if (geteuid() != 0) {
    WARN("skipped: capturing needs root");
    return;
  }
  Collected collected;
  PacketSourceOptions options;
  options.interface = "lo";
  options.filter = "tcp";
  PacketSource source{options, collected.sink()};
  source.shed(Shedding::packets);
  std::this_thread::sleep_for(std::chrono::milliseconds{300});
  auto port = talk_over_loopback();
  const auto seen = [&] {
    for (const auto& flow : collected.flows)
      if (flow.dport == port) return true;
    return false;
  };
  std::this_thread::sleep_for(std::chrono::milliseconds{500});
  {
    std::lock_guard lock{collected.mutex};
    CHECK_FALSE(seen());
  }
  source.shed(Shedding::nothing);
  CHECK(collected.wait_for(seen));
}

TEST_CASE("an interface that is not there is reported once, in one line, and waited for") {
  Collected collected;
  PacketSourceOptions options;
  options.interface = "iris-nosuch";
  options.retry = 50 * millisecond;
  {
    PacketSource source{options, collected.sink()};
    REQUIRE(collected.wait_for([&] { return !collected.health.empty(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds{300});
  }
  REQUIRE(collected.health.size() == 1);
  CHECK(collected.health[0].sensor == "packet:iris-nosuch");
  CHECK(collected.health[0].what == "down");
  CHECK(collected.health[0].detail.find("iris-nosuch") != std::string::npos);
  CHECK(collected.health[0].detail.find('\n') == std::string::npos);
}

TEST_CASE("an interface that goes away and comes back is reported and captured again") {
  auto run = [](const std::string& command) { return std::system((command + " 2>/dev/null").c_str()) == 0; };
  if (geteuid() != 0 || !run("ip link add iris-t0 type veth peer name iris-t1 && ip link set iris-t0 up")) {
    WARN("skipped: making an interface needs root and ip");
    return;
  }
  Collected collected;
  PacketSourceOptions options;
  options.interface = "iris-t0";
  options.retry = 50 * millisecond;
  PacketSource source{options, collected.sink()};
  std::this_thread::sleep_for(std::chrono::milliseconds{200});
  auto told = [&](const char* what) {
    return collected.wait_for([&] {
      return std::any_of(collected.health.begin(), collected.health.end(),
                         [&](const SensorHealth& report) { return report.what == what; });
    });
  };
  run("ip link del iris-t0");
  CHECK(told("down"));
  REQUIRE(run("ip link add iris-t0 type veth peer name iris-t1 && ip link set iris-t0 up"));
  CHECK(told("up"));
  run("ip link del iris-t0");
}
