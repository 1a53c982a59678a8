#include "core/inventory/known_settings.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace iris {
namespace {

constexpr std::array servers{
    KnownServer{"the MongoDB database", "mongo", 27017, true},
    KnownServer{"the Redis database", "redis", 6379, true},
    KnownServer{"the PostgreSQL database", "postgres", 5432, true},
    KnownServer{"the MySQL database", "mysql", 3306, true},
    KnownServer{"the MariaDB database", "mariadb", 3306, false},
    KnownServer{"the InfluxDB database", "influxdb", 8086, true},
    KnownServer{"Elasticsearch", "elasticsearch", 9200, true},
    KnownServer{"the etcd key store", "etcd", 2379, true},
    KnownServer{"the MQTT broker", "mosquitto", 1883, true},
    // Its key-value store holds the configuration of all services; edgex-docs PR#140: "anonymous read/write
    // access to the entire data store" before EdgeX 2's secure mode.
    KnownServer{"the Consul registry", "consul", 8500, true},
    KnownServer{"the Consul registry", "core-config-seed", 8500, false}, // Barcelona's image is Consul itself
    KnownServer{"EdgeX's registry", "core-keeper", 59890, true},
    KnownServer{"the secret store", "vault", 8200, true},
    KnownServer{"the secret store", "openbao", 8200, false},
    KnownServer{"the container engine's own API", "docker", 2375, true},
    // developer-scripts PR#236; edgex-docs Ch-GUI.md: "The GUI does not require any login".
    KnownServer{"Kong's administration", "kong", 8001, false},
    KnownServer{"Kong's administration", "kong", 8444, false},
    KnownServer{"EdgeX's console, which asks for no login,", "edgex-ui", 4000, false},
    KnownServer{"Portainer, which controls the container engine,", "portainer", 9000, false},
};

constexpr std::string_view mongobleed = "whoever reaches it can read its memory";
constexpr std::string_view redishell = "a client's script can take the server over";
constexpr std::array holes{
    // EdgeX's own image of MongoDB is 3.4.9 (docker-edgex-mongo@california:Dockerfile).
    KnownHole{"edgex-mongo", "0", "0.7", "MongoDB 3.4", "it gets no corrections since January 2020",
              "mongodb.com/legal/support-policy/lifecycles"},
    KnownHole{"mongo", "0", "3.6", "MongoDB 3.4 or older", "it gets no corrections since January 2020",
              "mongodb.com/legal/support-policy/lifecycles"},
    KnownHole{"mongo", "3.6", "4.4.30", "CVE-2025-14847", mongobleed,
              "nvd.nist.gov/vuln/detail/CVE-2025-14847"},
    KnownHole{"mongo", "5", "5.0.32", "CVE-2025-14847", mongobleed,
              "nvd.nist.gov/vuln/detail/CVE-2025-14847"},
    KnownHole{"mongo", "6", "6.0.27", "CVE-2025-14847", mongobleed,
              "nvd.nist.gov/vuln/detail/CVE-2025-14847"},
    KnownHole{"mongo", "7", "7.0.28", "CVE-2025-14847", mongobleed,
              "nvd.nist.gov/vuln/detail/CVE-2025-14847"},
    KnownHole{"mongo", "8", "8.0.17", "CVE-2025-14847", mongobleed,
              "nvd.nist.gov/vuln/detail/CVE-2025-14847"},
    KnownHole{"redis", "2.6", "6.2.20", "CVE-2025-49844", redishell,
              "redis.io/blog/security-advisory-cve-2025-49844"},
    KnownHole{"redis", "7", "7.2.11", "CVE-2025-49844", redishell,
              "redis.io/blog/security-advisory-cve-2025-49844"},
    KnownHole{"redis", "7.4", "7.4.6", "CVE-2025-49844", redishell,
              "redis.io/blog/security-advisory-cve-2025-49844"},
    KnownHole{"redis", "8", "8.0.4", "CVE-2025-49844", redishell,
              "redis.io/blog/security-advisory-cve-2025-49844"},
    KnownHole{"redis", "8.2", "8.2.2", "CVE-2025-49844", redishell,
              "redis.io/blog/security-advisory-cve-2025-49844"},
    // core-config-seed 0.2 is FROM consul:0.7.3. Script checks are off by default since Consul 0.9.0.
    KnownHole{"core-config-seed", "0.2", "0.3", "Consul 0.7.3",
              "whoever reaches port 8500 can run commands in it", "hashicorp/consul CHANGELOG.md 0.9.0"},
    KnownHole{"consul", "0", "0.9", "Consul before 0.9", "whoever reaches port 8500 can run commands in it",
              "hashicorp/consul CHANGELOG.md 0.9.0"},
    KnownHole{"consul", "0.9", "1.6.3", "CVE-2020-7219", "whoever reaches it can use up its memory",
              "nvd.nist.gov/vuln/detail/CVE-2020-7219"},
    KnownHole{"eclipse-mosquitto", "1.3.2", "2.0.16", "CVE-2023-28366",
              "whoever reaches it can use up its memory", "nvd.nist.gov/vuln/detail/CVE-2023-28366"},
    KnownHole{"app-service-configurable", "1", "2.1.0", "CVE-2021-41278", "its AES encryption can be broken",
              "golang/vulndb issue 262"},
    KnownHole{"core-metadata", "2", "2.1.1", "CVE-2022-31066", "it tells anybody the message bus's password",
              "golang/vulndb issue 491"},
    KnownHole{"core-data", "2", "2.1.1", "CVE-2022-31066", "it tells anybody the message bus's password",
              "golang/vulndb issue 491"},
    KnownHole{"core-command", "2", "2.1.1", "CVE-2022-31066", "it tells anybody the message bus's password",
              "golang/vulndb issue 491"},
    KnownHole{"ekuiper", "0", "1.14.2", "CVE-2024-43406", "SQL can be injected into its rules",
              "golang/vulndb issue 3078"},
    KnownHole{"kuiper", "0", "1.14.2", "CVE-2024-43406", "SQL can be injected into its rules",
              "golang/vulndb issue 3078"},
    KnownHole{"ekuiper", "1.14.2", "2.0.8", "CVE-2024-52812", "its rules can carry scripts into its console",
              "golang/vulndb"},
};

/// "7.0.15-alpine" against "7.2.11": by numbers, missing ones are 0.
int compare(std::string_view left, std::string_view right) {
  auto next = [](std::string_view& rest) {
    unsigned part = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), part);
    rest.remove_prefix(std::size_t(end - rest.data()));
    // Whatever follows the numbers is a flavour.
    rest = rest.starts_with('.') ? rest.substr(1) : std::string_view{};
    return error == std::errc{} ? part : 0U;
  };
  while (!left.empty() || !right.empty())
    if (auto a = next(left), b = next(right); a != b) return a < b ? -1 : 1;
  return 0;
}

/// A tag such as "6.2-alpine" or "7" moves: which of "6.2.0" to "6.2.20" it is nobody can tell.
bool floats_towards(std::string_view tag, std::string_view fixed) {
  const auto numbers = tag.substr(0, tag.find_first_not_of("0123456789."));
  return numbers.size() < fixed.size() && fixed.starts_with(numbers) && fixed[numbers.size()] == '.';
}

bool holds(const std::vector<std::string>& words, std::string_view part) {
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& word) { return word.find(part) != std::string::npos; });
}

/// The variable's value; null where it is not set.
const char* value_of(const std::vector<std::string>& environment, std::string_view name) {
  for (const auto& variable : environment)
    if (variable.size() > name.size() && variable.starts_with(name) && variable[name.size()] == '=')
      return variable.c_str() + name.size() + 1;
  return nullptr;
}

bool says(const std::vector<std::string>& environment, std::string_view name,
          std::initializer_list<std::string_view> values) {
  const char* value = value_of(environment, name);
  return value != nullptr && std::find(values.begin(), values.end(), value) != values.end();
}

Login mongo_login(const ImageName& image, const std::vector<std::string>& command,
                  const std::vector<std::string>& environment) {
  // EdgeX's own image asks for passwords since Geneva (docker-edgex-mongo#77); the ones that it makes before
  // are all "password", and mongod runs without --auth.
  if (image.product == "edgex-mongo")
    return !image.tag.empty() && std::isdigit(static_cast<unsigned char>(image.tag[0])) != 0 &&
                   compare(image.tag, "1.2") < 0
               ? Login::none
               : Login::unknown;
  if (!holds(command, "mongod") || holds(command, "--auth") || holds(command, "--keyFile") ||
      holds(command, "--config") || std::find(command.begin(), command.end(), "-f") != command.end())
    return Login::unknown;
  const char* root = value_of(environment, "MONGO_INITDB_ROOT_USERNAME");
  return root != nullptr || value_of(environment, "MONGO_INITDB_ROOT_USERNAME_FILE") != nullptr
             ? Login::unknown
             : Login::none;
}

} // namespace

ImageName parse_image(std::string_view reference) {
  ImageName out;
  reference = reference.substr(0, reference.find('@'));
  if (auto slash = reference.rfind('/'); slash != std::string_view::npos) reference.remove_prefix(slash + 1);
  if (auto colon = reference.find(':'); colon != std::string_view::npos) {
    out.tag = reference.substr(colon + 1);
    reference = reference.substr(0, colon);
  }
  out.product = reference;
  std::transform(out.product.begin(), out.product.end(), out.product.begin(),
                 [](unsigned char c) { return char(std::tolower(c)); });
  if (out.product.starts_with("docker-")) out.product.erase(0, 7);
  for (std::string_view suffix : {"-arm64", "-go", "-c"})
    if (out.product.ends_with(suffix)) out.product.erase(out.product.size() - suffix.size());
  return out;
}

namespace {
/// Its neighbours carry a server's name: redis_exporter, mongo-express.
bool is_neighbour(std::string_view product) {
  constexpr std::array words{"exporter", "express", "commander", "insight",
                             "admin",    "backup",  "proxy",     "client"};
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return product.find(word) != std::string_view::npos; });
}
} // namespace

const KnownServer* known_server(std::string_view product, std::uint16_t port) {
  for (const auto& server : servers)
    if (server.port == port && !is_neighbour(product) && product.find(server.image) != std::string_view::npos)
      return &server;
  for (const auto& server : servers)
    if (server.port == port && server.by_port) return &server;
  return nullptr;
}

const KnownServer* known_server(std::string_view product) {
  if (is_neighbour(product)) return nullptr;
  for (const auto& server : servers)
    if (product.find(server.image) != std::string_view::npos) return &server;
  return nullptr;
}

const KnownHole* known_hole(const ImageName& image) {
  if (image.tag.empty() || std::isdigit(static_cast<unsigned char>(image.tag[0])) == 0) return nullptr;
  for (const auto& hole : holes)
    if (image.product == hole.product && compare(image.tag, hole.from) >= 0 &&
        compare(image.tag, hole.fixed) < 0 && !floats_towards(image.tag, hole.fixed))
      return &hole;
  return nullptr;
}

Login login_of(std::string_view image, const std::vector<std::string>& command,
               const std::vector<std::string>& environment) {
  const auto name = parse_image(image);
  auto is = [&](std::string_view part) { return name.product.find(part) != std::string::npos; };
  if (is("mongo")) return mongo_login(name, command, environment);
  if (is("redis") || is("valkey")) {
    if (says(environment, "ALLOW_EMPTY_PASSWORD", {"yes", "true", "1"})) return Login::none;
    const bool server = holds(command, "redis-server") || holds(command, "valkey-server");
    const bool told = holds(command, "--requirepass") || holds(command, "--aclfile") ||
                      holds(command, ".conf") || value_of(environment, "REDIS_PASSWORD") != nullptr;
    return server && !told ? Login::none : Login::unknown;
  }
  if (is("postgres")) {
    if (says(environment, "POSTGRES_HOST_AUTH_METHOD", {"trust"})) return Login::none;
    return says(environment, "POSTGRES_PASSWORD", {"postgres", "password", "admin"}) ? Login::known_password
                                                                                     : Login::unknown;
  }
  if (is("mysql") || is("mariadb")) {
    for (const char* variable : {"MYSQL_ALLOW_EMPTY_PASSWORD", "MARIADB_ALLOW_EMPTY_ROOT_PASSWORD"})
      if (says(environment, variable, {"yes", "true", "1"})) return Login::none;
    for (const char* variable : {"MYSQL_ROOT_PASSWORD", "MARIADB_ROOT_PASSWORD"})
      if (says(environment, variable, {"root", "password", "admin", "mysql"})) return Login::known_password;
    return Login::unknown;
  }
  if (is("mosquitto")) return holds(command, "mosquitto-no-auth.conf") ? Login::none : Login::unknown;
  return Login::unknown;
}

bool is_engine_socket(std::string_view path) {
  for (std::string_view name : {"/docker.sock", "/podman.sock", "/containerd.sock", "/crio.sock"})
    if (path.ends_with(name)) return true;
  return false;
}

} // namespace iris
