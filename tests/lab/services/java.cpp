// The Java services of EdgeX Barcelona 0.2.1: their ports, their peers and how often they speak to them, as
// far as the public sources say (edgex-compose@barcelona, core-config-seed application.properties, device
// schedules).
#include "tests/lab/services/bson.hpp"
#include "tests/lab/services/devices.hpp"
#include "tests/lab/services/gateway.hpp"
#include "tests/lab/services/hole.hpp"
#include "tests/lab/services/messaging.hpp"
#include "tests/lab/services/mongo.hpp"
#include "tests/lab/services/pace.hpp"
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

namespace iris::lab {
namespace {

using Json = nlohmann::json;
using Route = std::function<Response(const Request&)>;

constexpr auto heart_beat = Seconds{300};  // heart.beat.time=300000
constexpr auto catalog_watch = Seconds{3}; // 1 s delay and 2 s block of spring-cloud-consul's catalog watch
constexpr auto bacnet_schedule = Seconds{30};
constexpr auto snmp_schedule = Seconds{60};
constexpr const char* broker = "ingest.example.net";

Json parse(const std::string& text) { return Json::parse(text, nullptr, false); }

[[noreturn]] void sleep_for_ever() {
  for (;;)
    std::this_thread::sleep_for(std::chrono::hours(1));
}

/// What every one of them has: a server with ping, a heart beat in the log, a watch on the registry.
class Service {
public:
  Service(std::string name, std::uint16_t port, std::size_t footprint = 16 * 1024)
      : name_(std::move(name)), port_(port), footprint_(footprint) {}

  bool serve(Route route) {
    ServerOptions options;
    options.port = port_;
    options.footprint = footprint_;
    options.idle_limit = Seconds{60}; // Tomcat's keep-alive
    server_ =
        std::make_unique<TcpServer>(options, http_handler([route = std::move(route)](const Request& request) {
                                      if (request.path == "/api/v1/ping")
                                        return Response{200, "pong", "text/plain"};
                                      Response response;
                                      return answer_hole(request, response) ? response : route(request);
                                    }));
    every(catalog_watch, [this] { registry_.request("GET", "/v1/catalog/services?wait=2s&index=42"); });
    if (name_ != "edgex-support-logging") every(heart_beat, [this] { log("heart beat"); });
    return server_->start();
  }

  void log(const std::string& message) {
    logging_.request(
        "POST", "/api/v1/logs",
        Json{{"logLevel", "INFO"}, {"originService", name_}, {"labels", Json::array()}, {"message", message}}
            .dump());
  }

private:
  std::string name_;
  std::uint16_t port_;
  std::size_t footprint_;
  HttpClient registry_{"edgex-core-consul", 8500, 40}, logging_{"edgex-support-logging", 48061, 1};
  std::unique_ptr<TcpServer> server_;
};

Response not_found() { return {404, R"({"error":"no such resource"})"}; }

/// A name in a path: blanks are all that the lab's names hold.
std::string escaped(std::string name) {
  for (std::size_t at = 0; (at = name.find(' ', at)) != std::string::npos;)
    name.replace(at, 1, "%20");
  return name;
}

int core_metadata() {
  std::ifstream file("/edgex/devices.json");
  const auto devices = Json::parse(file, nullptr, false);
  if (!devices.is_array()) {
    std::fprintf(stderr, "/edgex/devices.json is not a JSON array of devices\n");
    return 1;
  }
  static Service service("edgex-core-metadata", 48081);
  static MongoClient mongo("edgex-mongo", 27017);
  every(Seconds{10}, [] { mongo.hello(); });
  const bool up = service.serve([devices](const Request& request) {
    constexpr std::string_view by_name = "/api/v1/device/name/", by_service = "/api/v1/device/servicename/";
    mongo.find("metadata", "device", 2);
    if (request.path == "/api/v1/device") return Response{200, devices.dump()};
    Json found = Json::array();
    for (const auto& device : devices)
      if ((request.path.starts_with(by_name) &&
           escaped(device["name"]) == request.path.substr(by_name.size())) ||
          (request.path.starts_with(by_service) &&
           device["service"]["name"] == request.path.substr(by_service.size())))
        found.push_back(device);
    return found.empty() ? not_found() : Response{200, found.dump()};
  });
  if (!up) return 1;
  sleep_for_ever();
}

int core_data() {
  static Service service("edgex-core-data", 48080);
  static MongoClient mongo("edgex-mongo", 27017);
  static HttpClient metadata("edgex-core-metadata", 48081);
  static TcpServer publisher({.port = 5563}, zmtp::publisher());
  every(Seconds{10}, [] { mongo.hello(); });
  const bool up = publisher.start() && service.serve([](const Request& request) {
    if (request.path != "/api/v1/event" || request.method != "POST") return not_found();
    const auto event = parse(request.body);
    if (!event.is_object() || !event.contains("device") || !event["device"].is_string())
      return Response{400, R"({"error":"not an event"})"};
    const auto device = event["device"].get<std::string>();
    metadata.request("GET", "/api/v1/device/name/" + escaped(device));
    mongo.insert("coredata", "event", Bson{}.add("device", device).add("body", request.body).done());
    publisher.broadcast(zmtp::frame(request.body), zmtp::subscribed);
    return Response{200, "5a2e8d0fe4b0c3936d1f2b7a", "text/plain"};
  });
  if (!up) return 1;
  sleep_for_ever();
}

// Spends 48 KiB on each connection (a thread's stack and Tomcat's buffers) and no limit of its own, so a
// flood of connections runs it out of its container's memory.
int core_command() {
  static Service service("edgex-core-command", 48082, 48 * 1024);
  static HttpClient metadata("edgex-core-metadata", 48081), bacnet("edgex-device-bacnet", 49986, 1),
      snmp("edgex-device-snmp", 49989, 1);
  every(Seconds{60}, [] {
    metadata.request("GET", "/api/v1/device");
    bacnet.request("GET", "/api/v1/device/Temperature");
    snmp.request("GET", "/api/v1/device/AllLightStates");
  });
  if (!service.serve([](const Request&) { return Response{200, "[]"}; })) return 1;
  sleep_for_ever();
}

int support_logging() {
  static Service service("edgex-support-logging", 48061);
  static std::ofstream file("/edgex/logs/edgex.log", std::ios::app);
  const bool up = service.serve([](const Request& request) {
    if (request.path != "/api/v1/logs" || request.method != "POST") return not_found();
    file << request.body << std::endl;
    return Response{202, ""};
  });
  if (!up) return 1;
  sleep_for_ever();
}

int support_notifications() {
  static Service service("edgex-support-notifications", 48060);
  static MongoClient mongo("edgex-mongo", 27017);
  every(Seconds{10}, [] { mongo.hello(); });
  every(Seconds{60}, [] { mongo.find("notifications", "notification", 5); });
  if (!service.serve([](const Request&) { return not_found(); })) return 1;
  sleep_for_ever();
}

int export_distro() {
  static Service service("edgex-export-distro", 48070);
  static TcpServer publisher({.port = 5566}, zmtp::publisher());
  static mqtt::Client mqtt(broker, 1883, "edgex-export-distro");
  every(Seconds{10}, [] { mqtt.keep_alive(); });
  every(Seconds{300}, [] { mqtt.disconnect(); }); // the ingest's session limit
  if (!publisher.start() || !service.serve([](const Request&) { return not_found(); })) return 1;
  for (;;) {
    zmtp::subscribe("edgex-core-data", 5563, [](const std::string& event) {
      mqtt.publish("edgex/gateway-1/events", event);
      publisher.broadcast(zmtp::frame(event), zmtp::subscribed);
    });
    std::this_thread::sleep_for(Seconds{1});
  }
}

std::string event_of(const std::string& device, const Json& readings) {
  return Json{{"device", device}, {"readings", readings}}.dump();
}

int device_bacnet() {
  static Service service("edgex-device-bacnet", 49986);
  static HttpClient controller("127.0.0.1", 5002, 1), data("edgex-core-data", 48080, 1),
      metadata("edgex-core-metadata", 48081, 1);
  every(Seconds{60}, [] { metadata.request("GET", "/api/v1/device/servicename/edgex-device-bacnet"); });
  every(bacnet_schedule, [] {
    Json readings = Json::array();
    for (const char* property : {"Temperature", "Humidity", "CoolingPoint", "HeatingPoint"}) {
      const auto answer = controller.request("GET", std::string("/api/v1/read/") + property);
      if (answer.status == 200) readings.push_back({{"name", property}, {"value", answer.body}});
    }
    if (!readings.empty())
      data.request("POST", "/api/v1/event", event_of("KMC-BAC-121036CE 10.77.0.21", readings));
  });
  if (!service.serve([](const Request&) { return Response{200, R"({"Temperature":"21.5"})"}; })) return 1;
  sleep_for_ever();
}

int device_snmp() {
  static Service service("edgex-device-snmp", 49989);
  static HttpClient data("edgex-core-data", 48080, 1), metadata("edgex-core-metadata", 48081, 1);
  static std::mutex mutex;
  static std::string address;
  every(Seconds{60}, [] {
    const auto found = parse(metadata.request("GET", "/api/v1/device/servicename/edgex-device-snmp").body);
    const std::lock_guard lock(mutex);
    if (found.is_array() && !found.empty()) address = found[0]["addressable"].value("address", "");
  });
  every(snmp_schedule, [] {
    std::string tower;
    {
      const std::lock_guard lock(mutex);
      tower = address;
    }
    if (tower.empty()) return;
    Json readings = Json::array();
    std::uint8_t id = 1;
    for (const char* light : {"1", "2", "3", "6"}) { // red, amber, green, buzzer: one request an object
      const auto object = std::string("1.3.6.1.4.1.20440.4.1.5.1.2.1.4.") + light;
      const auto answer = ask_udp(tower, 161, snmp_get("private", object, id++));
      if (!answer.empty())
        readings.push_back(
            {{"name", "light" + std::string(light)}, {"value", static_cast<int>(answer.back())}});
    }
    if (!readings.empty()) data.request("POST", "/api/v1/event", event_of("Patlite NHL-FBL", readings));
  });
  if (!service.serve([](const Request&) { return Response{200, R"({"AllLightStates":"0,0,1,0"})"}; }))
    return 1;
  sleep_for_ever();
}

} // namespace

int run_java(const std::string& jar) {
  constexpr std::pair<const char*, int (*)()> programs[] = {
      {"core-metadata.jar", core_metadata}, {"core-data.jar", core_data},
      {"core-command.jar", core_command},   {"support-logging.jar", support_logging},
      {"export-distro.jar", export_distro}, {"support-notifications.jar", support_notifications},
      {"device-bacnet.jar", device_bacnet}, {"fuse-device-snmp.jar", device_snmp},
  };
  if (jar == "core-config-seed.jar") { // fills the registry once and is done
    HttpClient registry("127.0.0.1", 8500);
    for (int key = 0; key < 20; ++key)
      registry.request("PUT", "/v1/kv/config/edgex/" + std::to_string(key), "value");
    return 0;
  }
  for (const auto& [name, run] : programs)
    if (jar == name) return run();
  std::fprintf(stderr, "no stand-in for %s\n", jar.c_str());
  return 1;
}

} // namespace iris::lab
