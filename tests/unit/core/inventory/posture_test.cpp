#include "core/inventory/known_settings.hpp"
#include "core/inventory/posture.hpp"
#include "core/inventory/posture_book.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace iris;

namespace {

constexpr Duration day = 86'400 * second;

ContainerFacts facts_of(std::string service, std::string image) {
  ContainerFacts facts;
  facts.id = std::string(64, 'a');
  facts.name = facts.service = std::move(service);
  facts.image = std::move(image);
  facts.running = true;
  facts.network_mode = "edgex";
  return facts;
}

const PostureStatement* find(const std::vector<PostureStatement>& all, const std::string& key) {
  auto found = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.key == key; });
  return found == all.end() ? nullptr : &*found;
}

ContainerFacts open_mongo() {
  auto facts = facts_of("edgex-mongo", "edgexfoundry/docker-edgex-mongo:0.2");
  facts.ports = {{"0.0.0.0", 27017, 27017, 6}, {"::", 27017, 27017, 6}};
  facts.login = Login::none;
  return facts;
}

} // namespace

TEST_CASE("image references come apart") {
  auto name = parse_image("registry.local:5000/edgexfoundry/docker-core-data-go-arm64:1.3.0@sha256:aa");
  CHECK(name.product == "core-data");
  CHECK(name.tag == "1.3.0");
  CHECK(parse_image("redis").product == "redis");
  CHECK(parse_image("redis").tag.empty());
  CHECK(parse_image("localhost:5000/redis").product == "redis");
  CHECK(parse_image("").product.empty());
}

TEST_CASE("versions with known holes, by numbers") {
  auto id = [](std::string_view image) {
    const auto* hole = known_hole(parse_image(image));
    return hole == nullptr ? std::string{} : std::string{hole->id};
  };
  CHECK(id("redis:7.0.15-alpine") == "CVE-2025-49844"); // what EdgeX Napa ships
  CHECK(id("redis:7.2.11") == "");
  CHECK(id("redis:7.10") == "");
  CHECK(id("mongo:3.4.9") == "MongoDB 3.4 or older");
  CHECK(id("mongo:4.4.29") == "CVE-2025-14847");
  CHECK(id("mongo:4.4.30") == "");
  CHECK(id("edgexfoundry/docker-edgex-mongo:0.2") == "MongoDB 3.4");
  CHECK(id("edgexfoundry/docker-core-config-seed:0.2.1") == "Consul 0.7.3");
  CHECK(id("consul:1.1.0") == "CVE-2020-7219");
  CHECK(id("hashicorp/consul:1.16.6") == "");
  CHECK(id("edgexfoundry/core-metadata:2.1.0") == "CVE-2022-31066");
  CHECK(id("edgexfoundry/core-metadata:2.1.1") == "");
  CHECK(id("lfedge/ekuiper:1.11.5-alpine") == "CVE-2024-43406");
  CHECK(id("redis:latest") == ""); // nobody can say
  CHECK(id("redis") == "");
  CHECK(id("mongo-express:1.0") == ""); // another product
}

TEST_CASE("what a data store asks of who reaches it") {
  CHECK(login_of("edgexfoundry/docker-edgex-mongo:0.2", {"/bin/sh", "launch-edgex-mongo.sh"}, {}) ==
        Login::none);
  CHECK(login_of("edgexfoundry/docker-edgex-mongo:1.2.1", {"bash"}, {}) == Login::unknown);
  CHECK(login_of("mongo:6", {"docker-entrypoint.sh", "mongod"}, {}) == Login::none);
  CHECK(login_of("mongo:6", {"docker-entrypoint.sh", "mongod", "--auth"}, {}) == Login::unknown);
  CHECK(login_of("mongo:6", {"docker-entrypoint.sh", "mongod"}, {"MONGO_INITDB_ROOT_USERNAME=a"}) ==
        Login::unknown);
  CHECK(login_of("redis:7.0.15-alpine", {"docker-entrypoint.sh", "redis-server"}, {}) == Login::none);
  CHECK(login_of("redis:7", {"redis-server", "--requirepass", "<redacted>"}, {}) == Login::unknown);
  CHECK(login_of("redis:7", {"redis-server", "/etc/redis.conf"}, {}) == Login::unknown);
  CHECK(login_of("redis:7", {"/edgex-init/redis_wait_install.sh"}, {}) == Login::unknown);
  CHECK(login_of("bitnami/redis:7", {"run.sh"}, {"ALLOW_EMPTY_PASSWORD=yes"}) == Login::none);
  CHECK(login_of("postgres:16", {"postgres"}, {"POSTGRES_PASSWORD=postgres"}) == Login::known_password);
  CHECK(login_of("postgres:16", {"postgres"}, {"POSTGRES_PASSWORD=8fh3kd"}) == Login::unknown);
  CHECK(login_of("postgres:16", {"postgres"}, {"POSTGRES_HOST_AUTH_METHOD=trust"}) == Login::none);
  CHECK(login_of("eclipse-mosquitto:2.0.22", {"/usr/sbin/mosquitto", "-c", "/mosquitto-no-auth.conf"}, {}) ==
        Login::none);
  CHECK(login_of("edgexfoundry/core-data:3.1.1", {"/core-data"}, {}) == Login::unknown);
}

TEST_CASE("a database that is open to the LAN without a password") {
  auto all = posture_of(open_mongo());
  const auto* open = find(all, "port:27017/tcp:open");
  REQUIRE(open);
  CHECK(&all.front() == open);
  CHECK(open->text == "opens the MongoDB database to every network of the gateway at "
                      "0.0.0.0:27017->27017/tcp, and asks for no password");
  CHECK(open->standing == 3.9);
  CHECK(open->fresh == 8);
  CHECK(std::count_if(all.begin(), all.end(), [](const auto& one) { return one.key.starts_with("port:"); }) ==
        1); // IPv4 and IPv6 of one port
  auto inside = open_mongo();
  inside.ports = {{"127.0.0.1", 27017, 27017, 6}};
  CHECK_FALSE(find(posture_of(inside), "port:27017/tcp:open"));
  REQUIRE(find(posture_of(inside), "login"));
  CHECK(find(posture_of(inside), "login")->standing == 0);
  auto host = open_mongo();
  host.network_mode = "host";
  host.ports.clear();
  REQUIRE(find(posture_of(host), "host-server"));
  auto data = facts_of("edgex-core-data", "edgexfoundry/core-data:1.0");
  data.ports = {{"", 48080, 48080, 6}}; // no host address: all of them
  REQUIRE(find(posture_of(data), "port:48080/tcp"));
  CHECK(find(posture_of(data), "port:48080/tcp")->standing == 0); // usual in EdgeX of 2017: no alert each
}

TEST_CASE("regression: what grew worse had the key of what was told before") {
  auto closed = open_mongo();
  closed.login = Login::unknown;
  CHECK(find(posture_of(closed), "port:27017/tcp"));
  CHECK_FALSE(find(posture_of(closed), "port:27017/tcp:open"));
  auto inside = open_mongo();
  inside.ports.clear();
  CHECK(find(posture_of(inside), "login")->fresh == 0); // withdrawing a port gives a container nothing
  auto facts = facts_of("portainer", "portainer/portainer:1.19");
  facts.mounts = {{"bind", "/etc", "/x", false}};
  CHECK(find(posture_of(facts), "mount:/etc"));
  facts.mounts[0].writable = true;
  CHECK(find(posture_of(facts), "mount:/etc:rw"));
}

TEST_CASE("regression: a tag that moves was taken for its oldest version, an exporter for the database") {
  for (const char* image : {"redis:6.2-alpine", "redis:7", "mongo:6", "mongo:7", "eclipse-mosquitto:2"}) {
    INFO(image);
    CHECK(known_hole(parse_image(image)) == nullptr);
  }
  CHECK(known_hole(parse_image("mongo:3.4")) != nullptr);
  CHECK(known_hole(parse_image("redis:6.2.5-alpine")) != nullptr);
  for (const char* product : {"redis_exporter", "mongodb_exporter", "postgres_exporter", "mongo-express"}) {
    INFO(product);
    CHECK(known_server(product) == nullptr);
    CHECK(known_server(product, 6379) == known_server("anything", 6379));
  }
}

TEST_CASE("rights over the host") {
  auto facts = facts_of("portainer", "portainer/portainer:1.19");
  facts.privileged = facts.engine_socket = true;
  facts.pid_mode = facts.ipc_mode = "host";
  facts.capabilities = {"SYS_ADMIN", "NET_BIND_SERVICE"};
  facts.security_options = {"seccomp=unconfined"};
  facts.devices = {"/dev/ttyUSB0"};
  facts.mounts = {{"bind", "/", "/host", false},
                  {"bind", "/etc/ssh", "/x", true},
                  {"bind", "/etc/localtime", "/etc/localtime", false},
                  {"volume", "/var/lib/docker/volumes/x/_data", "/data", true}};
  const auto all = posture_of(facts);
  for (const char* key : {"privileged", "engine-socket", "host-pid", "host-ipc", "capability:SYS_ADMIN",
                          "capability:NET_BIND_SERVICE", "unconfined:seccomp=unconfined",
                          "device:/dev/ttyUSB0", "mount:/", "mount:/etc/ssh:rw", "root", "writable-root"}) {
    INFO(key);
    CHECK(find(all, key) != nullptr);
  }
  CHECK_FALSE(find(all, "mount:/etc/localtime"));
  CHECK_FALSE(find(all, "mount:/var/lib/docker/volumes/x/_data"));
  CHECK(find(all, "capability:NET_BIND_SERVICE")->standing == 0);

  auto hard = facts_of("edgex-core-data", "edgexfoundry/core-data:3.1.1");
  hard.user = "2002:2001";
  hard.read_only = hard.memory_limited = true;
  hard.security_options = {"no-new-privileges:true"};
  CHECK(posture_of(hard).empty());
}

TEST_CASE("a stranger on EdgeX's network") {
  auto facts = facts_of("toolbox", "debian:12");
  facts.networks = {{"edgex_edgex-network", {}, {}, ""}};
  CHECK(find(posture_of(facts), "network:edgex_edgex-network"));
  auto own = facts_of("edgex-redis", "redis:7.2.11");
  own.networks = facts.networks;
  CHECK_FALSE(find(posture_of(own), "network:edgex_edgex-network"));
}

TEST_CASE("what was there from the start is told once, what comes later is a change") {
  PostureBook book;
  ContainerChange first;
  book.note(open_mongo(), day, first);
  CHECK_FALSE(first.new_container);
  REQUIRE_FALSE(first.notes.empty());
  CHECK(first.notes.front().bits == 3.9);
  CHECK_FALSE(first.notes.front().fresh);
  ContainerChange restarted;
  book.note(open_mongo(), day, restarted);
  CHECK(restarted.notes.empty());

  book.watched(day);
  auto saved = PostureBook::decode(book.encode());
  REQUIRE(saved);
  CHECK(saved->learned(day));
  ContainerChange after_restart;
  saved->note(open_mongo(), day, after_restart);
  CHECK(after_restart.notes.empty());
  CHECK_FALSE(after_restart.new_container);

  auto more = open_mongo();
  more.id = std::string(64, 'b'); // made anew
  more.privileged = true;
  more.ports.push_back({"0.0.0.0", 49153, 8080, 6});
  ContainerChange changed;
  saved->note(more, day, changed);
  CHECK_FALSE(changed.new_container);
  REQUIRE(changed.notes.size() == 2);
  CHECK(changed.notes[0].key == "privileged");
  CHECK(changed.notes[0].fresh);
  CHECK(changed.notes[0].bits == 8);
  CHECK(changed.notes[1].key == "port:8080/tcp");
  more.ports.back().host_port = 49999; // the engine chose another one
  ContainerChange again;
  saved->note(more, day, again);
  CHECK(again.notes.empty());

  ContainerChange stranger;
  saved->note(facts_of("toolbox", "debian:12"), day, stranger);
  CHECK(stranger.new_container);
  ContainerChange stranger_again;
  saved->note(facts_of("toolbox", "debian:12"), day, stranger_again);
  CHECK_FALSE(stranger_again.new_container);
}

TEST_CASE("names that nobody chose count as their image") {
  CHECK(posture_name(facts_of("zealous_fermat7", "backup:1")) == "image backup:1");
  CHECK(posture_name(facts_of("edgex_backup_run_1a2b3c4d5e6f", "backup:1")) == "image backup:1");
  CHECK(posture_name(facts_of("edgex-backup-run-1a2b3c4d5e6f", "backup:1")) == "image backup:1");
  CHECK(posture_name(facts_of("edgex-core-data", "x")) == "edgex-core-data");
  CHECK(posture_name(facts_of("backup_2", "x")) == "backup_2");
  CHECK(posture_name(facts_of("dry_run_tool", "x")) == "dry_run_tool");
}

TEST_CASE("security turned off is told once for all of EdgeX") {
  PostureBook book;
  auto one = facts_of("edgex-core-data", "edgexfoundry/core-data:3.1.1");
  auto two = facts_of("edgex-core-command", "edgexfoundry/core-command:3.1.1");
  one.security_off = two.security_off = true;
  auto tells = [&](const ContainerFacts& facts) {
    ContainerChange change;
    book.note(facts, day, change);
    return std::any_of(change.notes.begin(), change.notes.end(),
                       [](const PostureNote& note) { return note.key == "edgex-security"; });
  };
  CHECK(tells(one));
  CHECK_FALSE(tells(two));
}

TEST_CASE("an update to a version with a hole is posture, not a change that somebody made") {
  PostureBook book;
  ContainerChange change;
  book.note(facts_of("edgex-redis", "redis:7.2.11"), day, change);
  book.watched(day);
  ContainerChange updated;
  book.note(facts_of("edgex-redis", "redis:7.0.15"), day, updated);
  REQUIRE(updated.notes.size() == 1);
  CHECK(updated.notes[0].key == "hole:CVE-2025-49844");
  CHECK_FALSE(updated.notes[0].fresh);
  CHECK(updated.notes[0].bits == 3);
}

TEST_CASE("the book is bounded and does not mind damage") {
  PostureBook book;
  for (std::size_t i = 0; i < PostureBook::service_limit + 10; ++i) {
    ContainerChange change;
    book.note(facts_of("service-" + std::to_string(i), "x"), day, change);
  }
  CHECK(book.services() == PostureBook::service_limit);
  auto bytes = book.encode();
  auto read = PostureBook::decode(bytes);
  REQUIRE(read);
  CHECK(read->services() == PostureBook::service_limit);
  CHECK(read->encode() == bytes);
  CHECK_FALSE(PostureBook::decode({}));
  bytes.resize(bytes.size() / 2 / 8 * 8);
  CHECK_FALSE(PostureBook::decode(bytes));
}

TEST_CASE("a container that was renamed is no new one") {
  PostureBook book;
  auto facts = open_mongo();
  ContainerChange change;
  book.note(facts, day, change);
  book.watched(day);
  facts.name = facts.service = "edgex-mongo-old";
  book.renamed("edgex-mongo", "edgex-mongo-old");
  ContainerChange renamed;
  book.note(facts, day, renamed);
  CHECK_FALSE(renamed.new_container);
  CHECK(renamed.notes.empty());
  book.renamed("nobody", "x");
  CHECK(book.services() == 2);
}

TEST_CASE("EdgeX as its own compose files start it makes a handful of quiet alerts, not one a service") {
  auto alerts = [](std::vector<ContainerFacts> gateway) {
    PostureBook book;
    std::vector<std::string> told;
    for (auto& facts : gateway) {
      ContainerChange change;
      book.note(facts, day, change);
      if (std::any_of(change.notes.begin(), change.notes.end(),
                      [](const auto& note) { return note.bits >= 3; }))
        told.push_back(facts.service);
    }
    return told;
  };
  // Napa 3.1 without security (facts as its compose file gives them): ports on loopback but the console's.
  std::vector<ContainerFacts> napa;
  for (const char* name : {"core-metadata", "core-data", "core-command", "support-notifications"}) {
    napa.push_back(facts_of(std::string{"edgex-"} + name, std::string{"edgexfoundry/"} + name + ":3.1.1"));
    napa.back().security_off = true;
    napa.back().ports = {{"127.0.0.1", 59880, 59880, 6}};
  }
  napa.push_back(facts_of("edgex-redis", "redis:7.0.15-alpine"));
  napa.back().login = Login::none;
  napa.push_back(facts_of("edgex-core-consul", "hashicorp/consul:1.16.6"));
  napa.push_back(facts_of("edgex-ui-go", "edgexfoundry/edgex-ui:3.1.0"));
  napa.back().ports = {{"0.0.0.0", 4000, 4000, 6}};
  CHECK(alerts(napa) == std::vector<std::string>{"edgex-core-metadata", "edgex-redis", "edgex-ui-go"});
  // Barcelona: everything on every address; its database and its registry are the ones to know of.
  std::vector<ContainerFacts> barcelona{open_mongo()};
  for (const char* name : {"core-data", "core-command", "support-logging"}) {
    barcelona.push_back(
        facts_of(std::string{"edgex-"} + name, std::string{"edgexfoundry/docker-"} + name + ":0.2.1"));
    barcelona.back().ports = {{"0.0.0.0", 48080, 48080, 6}};
  }
  barcelona.push_back(facts_of("edgex-config-seed", "edgexfoundry/docker-core-config-seed:0.2.1"));
  barcelona.back().ports = {{"0.0.0.0", 8500, 8500, 6}, {"0.0.0.0", 8600, 8600, 6}};
  CHECK(alerts(barcelona) == std::vector<std::string>{"edgex-mongo", "edgex-config-seed"});
}
