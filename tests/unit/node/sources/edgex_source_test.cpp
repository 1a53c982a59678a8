#include "node/sources/edgex_source.hpp"

#include <arpa/inet.h>
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace iris;

namespace {

/// A pretended core-metadata on loopback: one answer a connection.
class Server {
public:
  using Answer = std::function<std::string(const std::string& target)>; ///< status line's rest, blank, body
  explicit Server(Answer answer) : answer_{std::move(answer)} {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(fd_, 8) == 0);
    socklen_t size = sizeof address;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~Server() {
    ::shutdown(fd_, SHUT_RDWR);
    thread_.join();
    ::close(fd_);
  }
  std::uint16_t port = 0;

private:
  void serve() {
    while (true) {
      int client = ::accept(fd_, nullptr, nullptr);
      if (client < 0) return;
      std::string request;
      char buffer[1024];
      while (request.find("\r\n\r\n") == std::string::npos) {
        auto count = ::recv(client, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        request.append(buffer, std::size_t(count));
      }
      auto begin = request.find(' ') + 1;
      auto reply = answer_(request.substr(begin, request.find(' ', begin) - begin));
      (void)!::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
      ::close(client);
    }
  }
  Answer answer_;
  int fd_;
  std::thread thread_;
};

std::string ok(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}
const std::string not_found = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// What the source told, waited for.
struct Told {
  std::mutex lock;
  std::condition_variable changed;
  std::vector<std::vector<EdgexDevice>> devices;
  std::vector<SensorHealth> health;

  EdgexSourceSinks sinks() {
    return {[this](std::vector<EdgexDevice> list) {
              std::lock_guard guard{lock};
              devices.push_back(std::move(list));
              changed.notify_all();
            },
            [this](SensorHealth what) {
              std::lock_guard guard{lock};
              health.push_back(std::move(what));
              changed.notify_all();
            }};
  }
  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock guard{lock};
    for (int i = 0; i < 1000 && !condition(); ++i)
      changed.wait_for(guard, std::chrono::milliseconds{10});
    return condition();
  }
};

EdgexSourceOptions options(const Server& server) {
  EdgexSourceOptions out;
  out.url = "http://127.0.0.1:" + std::to_string(server.port);
  out.interval = 50 * millisecond;
  out.request_timeout = second;
  return out;
}

} // namespace

TEST_CASE("devices of API v1 are found though v3 and v2 do not answer, and told once") {
  std::atomic<int> asked{0};
  Server server{[&](const std::string& target) {
    if (target != "/api/v1/device") return not_found;
    ++asked;
    return ok(R"([{"name":"patlite1","addressable":{"address":"192.168.1.103","port":161}}])");
  }};
  Told told;
  auto source = EdgexSource::start(options(server), told.sinks());
  REQUIRE(source);
  REQUIRE(told.wait([&] { return !told.devices.empty() && asked >= 4; }));
  source.value().reset();
  REQUIRE(told.devices.size() == 1);
  CHECK(told.devices[0].at(0).name == "patlite1");
  CHECK(told.health.at(0).detail == "API v1, 1 devices");
}

TEST_CASE("a restart without core-metadata still names devices, and one by its hardware address") {
  const auto folder = std::filesystem::temp_directory_path() / ("iris-edgex-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const auto cache = (folder / "devices").string();
  std::ofstream{folder / "arp"} << "10.0.0.40 0x1 0x2 aa:bb:cc:dd:ee:ff * eth1\n";
  std::atomic<bool> there{true};
  Server server{[&](const std::string& target) {
    if (!there || target.find("/api/v3/") == std::string::npos) return not_found;
    return ok(R"({"totalCount":1,"devices":[{"name":"camera",
      "protocols":{"Onvif":{"Address":"10.0.0.16","MACAddress":"AA:BB:CC:DD:EE:FF"}}}]})");
  }};
  auto wanted = options(server);
  wanted.cache = cache;
  wanted.neighbours = (folder / "arp").string();
  {
    Told told;
    auto source = EdgexSource::start(wanted, told.sinks());
    REQUIRE(told.wait([&] { return !told.devices.empty(); }));
    source.value().reset();
  }
  there = false;
  {
    Told told;
    auto source = EdgexSource::start(wanted, told.sinks());
    REQUIRE(told.wait([&] { return !told.devices.empty() && !told.health.empty(); }));
    source.value().reset();
    REQUIRE(told.devices.size() == 1);
    CHECK(told.devices[0].at(0).name == "camera");
    REQUIRE(told.devices[0].at(0).addresses.size() == 2);
    CHECK(to_string(told.devices[0].at(0).addresses[1]) == "10.0.0.40");
    CHECK(told.health[0].what == "down");
  }
  std::ofstream{cache} << "no list of devices";
  Told told;
  auto source = EdgexSource::start(wanted, told.sinks());
  REQUIRE(told.wait([&] { return told.health.size() >= 2; }));
  source.value().reset();
  CHECK(told.health[0].what == "unreadable");
  CHECK(told.devices.empty());
  std::filesystem::remove_all(folder);
}

TEST_CASE("all pages of API v3 are read") {
  Server server{[&](const std::string& target) {
    if (!target.starts_with("/api/v3/device/all?")) return not_found;
    const bool first = target.find("offset=0&") != std::string::npos;
    return ok(std::string{R"({"totalCount":1025,"devices":[{"name":")"} + (first ? "a" : "b") + R"("}]})");
  }};
  Told told;
  auto source = EdgexSource::start(options(server), told.sinks());
  REQUIRE(told.wait([&] { return !told.devices.empty(); }));
  source.value().reset();
  CHECK(told.devices[0].size() == 2);
}

TEST_CASE("answers that are none, too large or never end do no harm") {
  const std::string answers[] = {"",
                                 "nonsense\r\n\r\n",
                                 "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
                                 ok("{}"),
                                 "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx",
                                 "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx"};
  for (const auto& answer : answers) {
    CAPTURE(answer);
    Server server{[&](const std::string&) { return answer; }};
    Told told;
    auto source = EdgexSource::start(options(server), told.sinks());
    REQUIRE(told.wait([&] { return !told.health.empty(); }));
    source.value().reset();
    CHECK(told.devices.empty());
    CHECK(told.health.size() == 1);
    CHECK(told.health[0].what == "down");
    CHECK_FALSE(told.health[0].detail.empty());
  }
}

TEST_CASE("URLs are checked at the start") {
  Told told;
  for (const char* url :
       {"https://x:1", "http://host", "http://:80", "http://127.0.0.1:0", "http://127.0.0.1:80/x", "ftp"}) {
    EdgexSourceOptions wrong;
    wrong.url = url;
    CAPTURE(url);
    auto source = EdgexSource::start(wrong, told.sinks());
    REQUIRE_FALSE(source);
    CHECK(source.error().message.find(url) != std::string::npos);
  }
}

TEST_CASE("core-metadata of every generation is recognised") {
  ContainerFacts facts;
  facts.running = facts.is_edgex = true;
  for (const char* image :
       {"edgexfoundry/docker-core-metadata:0.2.1", "edgexfoundry/docker-core-metadata-go:1.3.1",
        "edgexfoundry/core-metadata:3.1.1"}) {
    facts.image = image;
    CHECK(is_core_metadata(facts));
  }
  facts.image = "edgexfoundry/core-data:3.1.1";
  CHECK_FALSE(is_core_metadata(facts));
  facts.name = "edgex-core-metadata";
  CHECK(is_core_metadata(facts));
}
