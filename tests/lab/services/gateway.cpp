#include "tests/lab/services/gateway.hpp"
#include "tests/lab/services/devices.hpp"
#include "tests/lab/services/http.hpp"
#include "tests/lab/services/messaging.hpp"
#include "tests/lab/services/mongo.hpp"
#include "tests/lab/services/pace.hpp"
#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

namespace iris::lab {
namespace {

// The registry's health checks: GET /api/v1/ping each 10 s on a new connection, as Consul's HTTP checks do.
constexpr std::pair<const char*, std::uint16_t> registered[] = {
    {"edgex-support-logging", 48061}, {"edgex-support-notifications", 48060},
    {"edgex-core-metadata", 48081},   {"edgex-core-data", 48080},
    {"edgex-core-command", 48082},    {"edgex-export-distro", 48070},
    {"edgex-device-bacnet", 49986},   {"edgex-device-snmp", 49989}};

std::string catalog() {
  std::string json = R"({"consul":[])";
  for (const auto& [name, port] : registered)
    json += std::string(",\"") + name + "\":[]";
  return json + "}";
}

[[noreturn]] void sleep_for_ever() {
  for (;;)
    std::this_thread::sleep_for(std::chrono::hours(1));
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

} // namespace

int run_consul() {
  const auto handler = http_handler([](const Request& request) {
    if (request.path.starts_with("/v1/catalog/services") || request.path.starts_with("/v1/agent/services"))
      return Response{200, catalog()};
    if (request.path == "/v1/status/leader") return Response{200, "\"127.0.0.1:8300\""};
    return Response{200, "true"};
  });
  static TcpServer api({.port = 8500}, handler), rpc({.port = 8300}, [](Connection&) {}),
      cli({.port = 8400}, [](Connection&) {});
  if (!api.start() || !rpc.start() || !cli.start()) return 1;
  std::printf("==> Consul agent running!\n");
  std::fflush(stdout);
  static std::array<std::unique_ptr<HttpClient>, std::size(registered)> clients;
  for (std::size_t i = 0; i < std::size(registered); ++i) {
    clients[i] = std::make_unique<HttpClient>(registered[i].first, registered[i].second, 1);
    every(Seconds{10}, [i] { clients[i]->request("GET", "/api/v1/ping"); });
  }
  sleep_for_ever();
}

int run_mongod() {
  static MongoStandIn mongo;
  static TcpServer server({.port = 27017}, mongo.handler());
  if (!server.start()) return 1;
  sleep_for_ever();
}

int run_mongo_shell() {
  MongoClient client("127.0.0.1", 27017);
  if (!client.hello()) return 1;
  for (const char* database : {"admin", "coredata", "metadata", "logging", "notifications", "rules_engine"})
    if (!client.find(database, "system.users", 1)) return 1;
  return 0;
}

int run_outside(const std::string& download_folder) {
  static TcpServer ingest({.address = "198.51.100.10", .port = 1883}, mqtt::broker());
  static TcpServer downloads(
      {.address = "198.51.100.80", .port = 80}, http_handler([download_folder](const Request& request) {
        const auto name = request.path.substr(request.path.rfind('/') + 1);
        const auto bytes =
            name.empty() || name == ".." ? std::string{} : read_file(download_folder + "/" + name);
        return bytes.empty() ? Response{404, "", "text/plain"}
                             : Response{200, bytes, "application/octet-stream"};
      }));
  static TcpServer listed({.address = "203.0.113.66", .port = 443}, [](Connection& connection) {
    connection.out += "+" + std::to_string(connection.in.size()) + "\n";
    connection.in.clear();
  });
  static TcpServer victim({.address = "198.51.100.200", .port = 80}, [](Connection&) {});
  if (!ingest.start() || !downloads.start() || !listed.start() || !victim.start()) return 1;
  return run_name_server("198.51.100.53");
}

} // namespace iris::lab
