#include "core/inventory/docker_json.hpp"
#include "node/sources/socket_source.hpp"
#include "tests/lab/sources/watch.hpp"

#include <algorithm>

namespace iris::lab {
namespace {

constexpr std::uint16_t port = 47'123;

/// Listens on a TCP port, calls itself there, has a UDP port, and sends a datagram from another one.
const std::string program =
    "perl -MIO::Socket::INET -e '"
    "$l=IO::Socket::INET->new(Listen=>5,LocalPort=>47123,Proto=>q(tcp),ReuseAddr=>1) or die;"
    "$f=IO::Socket::INET->new(Listen=>5,LocalAddr=>q(127.0.0.1),Proto=>q(tcp)) or die;"
    "$s=IO::Socket::INET->new(Proto=>q(udp),LocalPort=>20161) or die;"
    "$c=IO::Socket::INET->new(PeerAddr=>q(127.0.0.1:47123),Proto=>q(tcp)) or die;"
    "$u=IO::Socket::INET->new(PeerAddr=>q(127.0.0.1:20161),Proto=>q(udp)) or die; $u->send(q(x));"
    "sleep 60'";

bool is_perl(const SocketUse& use) { return use.exe.find("perl") != std::string::npos; }

} // namespace

/// What eBPF tells of a container on the host's network and of one in its own.
void test_sockets() {
  for (const bool host : {true, false}) {
    Watch watch{ProcessSensorChoice::ebpf};
    if (!watch.source) return;
    Container container{host ? "--network host" : "--network none", program};
    const auto told = [&](auto test) {
      return watch.sockets.wait([&](const SocketEvent& event) {
        return event.use.container == container.id() && event.use.host_network == host &&
               is_perl(event.use) && event.use.pid != 0 && test(event);
      });
    };
    LAB_CHECK(told([](const SocketEvent& event) {
      return event.action == SocketAction::listening && event.use.local_port == port && event.bound &&
             event.use.protocol == 6;
    }));
    LAB_CHECK(told([](const SocketEvent& event) { // a port that the kernel chose
      return event.action == SocketAction::listening && event.use.local_port != port && !event.bound &&
             to_string(event.use.local) == "127.0.0.1";
    }));
    LAB_CHECK(told([](const SocketEvent& event) {
      return event.action == SocketAction::called && event.use.remote_port == port &&
             event.use.protocol == 6 && event.use.local_port != 0 &&
             to_string(event.use.remote) == "127.0.0.1";
    }));
    LAB_CHECK(told([](const SocketEvent& event) {
      return event.action == SocketAction::called && event.use.remote_port == 20'161 &&
             event.use.protocol == 17 && event.use.local_port != 0;
    }));
    LAB_CHECK(watch.source->statistics().lost_sockets == 0);
    shell("docker kill " + container.id());
    LAB_CHECK(told([](const SocketEvent& event) {
      return event.action == SocketAction::closed && event.use.local_port == port;
    }));
  }
}

/// The same as found in /proc, for a node without eBPF.
void test_socket_looks() {
  Container on_host{"--network host", program}, apart{"--network none", program};
  SocketSourceStatistics statistics;
  std::unordered_set<std::uint64_t> unconnected;
  std::vector<SocketEvent> seen;
  const auto has = [&](const std::string& container, std::uint8_t protocol, std::uint16_t number) {
    return std::any_of(seen.begin(), seen.end(), [&](const SocketEvent& event) {
      return event.use.container == container && event.use.protocol == protocol &&
             event.use.local_port == number && event.action == SocketAction::listening && is_perl(event.use);
    });
  };
  for (int tries = 0; tries < 50; ++tries) {
    seen = look_at_sockets(statistics, unconnected);
    if (has(on_host.id(), 17, 20'161) && has(apart.id(), 17, 20'161)) break;
    shell("sleep 0.2");
  }
  for (const auto& container : {on_host.id(), apart.id()}) {
    LAB_CHECK(has(container, 6, port));
    LAB_CHECK(has(container, 17, 20'161));
  }
  LAB_CHECK(std::any_of(seen.begin(), seen.end(), [&](const SocketEvent& event) {
    return event.use.container == on_host.id() && event.action == SocketAction::called &&
           event.use.host_network && event.use.remote_port == port;
  }));
  LAB_CHECK(std::none_of(seen.begin(), seen.end(), [&](const SocketEvent& event) {
    return event.use.container == apart.id() && event.use.host_network;
  }));
  LAB_CHECK(statistics.namespaces >= 2);
  LAB_CHECK(statistics.cut == 0);
}

/// The engine's probe is marked, what comes in besides it is not.
void test_health_check(ProcessSensorChoice choice) {
  Watch watch{choice};
  if (!watch.source) return;
  Container container{"--network none --health-cmd 'sleep 0.05; echo --password=geheim' --health-interval 1s",
                      "sleep 60"};
  auto facts = parse_container(shell("docker inspect --format '{{json .}}' " + container.id()));
  LAB_CHECK_SAY(facts.ok(), facts ? "" : facts.error().message);
  if (!facts) return;
  watch.source->container_started(*facts);
  const auto is_probe = [&](const ProcessInfo& process) {
    return process.args.size() == 3 && process.args[2].starts_with("sleep 0.05");
  };
  LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) {
    const auto* start = std::get_if<ProcessStart>(&event.what);
    return event.container == container.id() && start != nullptr && start->process.health_check &&
           start->process.exe == "/usr/bin/sleep";
  }));
  const auto probe = watch.find(container.id(), is_probe);
  LAB_CHECK(probe.health_check);
  LAB_CHECK(!probe.entered);
  shell("docker exec " + container.id() + " sh -c 'sleep 0.06; true'");
  LAB_CHECK(watch.events.wait([&](const ProcessEvent& event) {
    const auto* start = std::get_if<ProcessStart>(&event.what);
    return start != nullptr && start->process.args == std::vector<std::string>{"sleep", "0.06"};
  }));
  const auto person = watch.find(container.id(), [](const ProcessInfo& process) {
    return process.args.size() == 3 && process.args[2].starts_with("sleep 0.06");
  });
  LAB_CHECK(!person.health_check);
  LAB_CHECK(person.entered);
}

} // namespace iris::lab
