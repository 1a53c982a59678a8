#include "core/inventory/docker_json.hpp"

#include <catch2/catch.hpp>

using namespace iris;

namespace {
const std::string id(64, 'a');

std::string event(const std::string& action, const std::string& attributes,
                  const std::string& type = "container") {
  return R"({"Type":")" + type + R"(","Action":")" + action + R"(","Actor":{"ID":")" + id +
         R"(","Attributes":{)" + attributes +
         R"(}},"scope":"local","time":1700000000,"timeNano":1700000000123456789})";
}
} // namespace

TEST_CASE("API versions are negotiated") {
  auto engine = parse_engine_version(R"({"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"})");
  REQUIRE(engine);
  CHECK(choose_api(*engine, "1.45", "1.24").value() == "1.41");
  CHECK(choose_api(*engine, "1.30", "1.24").value() == "1.30");
  auto modern = parse_engine_version(R"({"Version":"29","ApiVersion":"1.52","MinAPIVersion":"1.44"})");
  CHECK(choose_api(*modern, "1.45", "1.24").value() == "1.45");
  CHECK(choose_api(*modern, "1.41", "1.24").error().code == Errc::version);
  auto old = parse_engine_version(R"({"Version":"17.05","ApiVersion":"1.29"})");
  CHECK(choose_api(*old, "1.45", "1.24").value() == "1.29"); // 1.29 < 1.45 by numbers, not by text
  auto ancient = parse_engine_version(R"({"Version":"1.9","ApiVersion":"1.9"})");
  CHECK_FALSE(choose_api(*ancient, "1.45", "1.24"));
  CHECK_FALSE(parse_engine_version("{}"));
  CHECK_FALSE(parse_engine_version("<html>"));
}

TEST_CASE("a container's description") {
  auto facts =
      parse_container(R"({"Id":")" + id + R"(","Created":"2026-11-24T08:43:28.908798892Z","Path":"/bin/sh",
    "Args":["launch-edgex-mongo.sh","--password=x"],"Image":"sha256:11","Name":"/edgex-mongo","RestartCount":2,
    "State":{"Status":"running","Running":true,"Pid":4711,"ExitCode":0,"OOMKilled":false,"StartedAt":"2026-11-24T08:43:29.5Z"},
    "GraphDriver":{"Data":{"UpperDir":"/var/lib/docker/overlay2/x/diff"},"Name":"overlay2"},
    "Mounts":[{"Type":"bind","Source":"/var/run/docker.sock","Destination":"/var/run/docker.sock","RW":false},
              {"Type":"volume","Source":"/v","Destination":"/data/db","RW":true}],
    "Config":{"Hostname":"edgex-mongo","User":"2002:2001","Image":"edgexfoundry/docker-edgex-mongo:0.2",
      "Env":["PATH=/bin","EDGEX_SECURITY_SECRET_STORE=false","PW=geheim"],
      "Healthcheck":{"Test":["CMD-SHELL","pg_isready"]},
      "Labels":{"com.docker.compose.project":"edgex","com.docker.compose.service":"mongo"}},
    "HostConfig":{"NetworkMode":"edgex_edgex-network","Privileged":true,"PidMode":"host","ReadonlyRootfs":true,
      "CapAdd":["CAP_NET_ADMIN"],"Tmpfs":{"/run":""},"SecurityOpt":["no-new-privileges"],"Memory":1048576,"IpcMode":"host",
      "Devices":[{"PathOnHost":"/dev/ttyS0","PathInContainer":"/dev/ttyS0"}]},
    "NetworkSettings":{"Ports":{"27017/tcp":[{"HostIp":"0.0.0.0","HostPort":"27017"},{"HostIp":"::","HostPort":"27017"}],
                                "5563/tcp":null,"161/udp":[{"HostIp":"127.0.0.1","HostPort":"1161"}]},
      "Networks":{"edgex_edgex-network":{"IPAddress":"172.18.0.3","MacAddress":"02:42:ac:12:00:03","GlobalIPv6Address":"fd00::3"}}}})");
  REQUIRE(facts);
  CHECK(facts->name == "edgex-mongo");
  CHECK(facts->service == "edgex-mongo");
  CHECK(facts->image == "edgexfoundry/docker-edgex-mongo:0.2");
  CHECK(facts->digest == "sha256:11");
  CHECK(facts->pid == 4711);
  CHECK(facts->is_edgex);
  CHECK(facts->privileged);
  CHECK(facts->read_only);
  CHECK(facts->security_off);
  CHECK(facts->engine_socket);
  CHECK(facts->pid_mode == "host");
  CHECK(facts->ipc_mode == "host");
  CHECK(facts->login == Login::none); // MongoDB as EdgeX 0.2 ran it
  CHECK(facts->capabilities == std::vector<std::string>{"NET_ADMIN"});
  CHECK(facts->security_options == std::vector<std::string>{"no-new-privileges"});
  CHECK(facts->devices == std::vector<std::string>{"/dev/ttyS0"});
  CHECK(facts->memory_limited);
  CHECK(facts->restarts == 2);
  CHECK(facts->started_at - facts->created_at == 591'201'108);
  CHECK(facts->healthcheck == std::vector<std::string>{"CMD-SHELL", "pg_isready"});
  CHECK(facts->command ==
        std::vector<std::string>{"/bin/sh", "launch-edgex-mongo.sh", "--password=<redacted>"});
  REQUIRE(facts->ports.size() == 3);
  CHECK(to_string(facts->ports[0]) == "127.0.0.1:1161->161/udp");
  CHECK_FALSE(facts->ports[0].reachable_from_outside());
  CHECK(to_string(facts->ports[1]) == "0.0.0.0:27017->27017/tcp");
  CHECK(facts->ports[1].reachable_from_outside());
  CHECK(to_string(facts->ports[2]) == "[::]:27017->27017/tcp");
  REQUIRE(facts->networks.size() == 1);
  CHECK(to_string(facts->networks[0].address) == "172.18.0.3");
  REQUIRE(facts->mounts.size() == 3);
  CHECK(facts->mounts[1].writable);
  CHECK(facts->mounts[2].type == "tmpfs");
  CHECK_FALSE(facts->shadows_events);
}

TEST_CASE("regression: a container that waits for its next try counted as running") {
  const auto facts = parse_container(
      R"({"Id":")" + std::string(64, 'a') +
      R"(","Name":"/web","State":{"Status":"restarting","Running":true,"Restarting":true,"Pid":0},"Config":{}})");
  REQUIRE(facts);
  CHECK_FALSE(facts->running);
}

TEST_CASE("made-up names give way to the compose service, chosen names stay") {
  auto named = [](const std::string& name, const std::string& extra = "") {
    return parse_container(R"({"Id":")" + id + R"(","Name":"/)" + name +
                           R"(","State":{},"Config":{"Image":"x",
      "Labels":{"com.docker.compose.project":"edgex","com.docker.compose.service":"data")" +
                           extra + "}}}");
  };
  CHECK(named("edgex_data_1")->service == "data");
  CHECK(named("edgex-data-12")->service == "data");
  CHECK(named("edgex-core-data")->service == "edgex-core-data");
  CHECK(named("edgex_data_x")->service == "edgex_data_x");
  CHECK(named("a", R"(,"exitCode":"0")")->shadows_events);
  CHECK_FALSE(parse_container("{}"));
  CHECK_FALSE(parse_container("[1"));
}

TEST_CASE("containers of EdgeX are recognised by name, image or network") {
  CHECK(is_edgex_container("edgex-core-data", "x", {}));
  CHECK(is_edgex_container("kong-db", "postgres", {}));
  CHECK_FALSE(is_edgex_container("kongfu", "postgres", {}));
  CHECK(is_edgex_container("a", "edgexfoundry/core-data:3.1.1", {}));
  CHECK(is_edgex_container("a", "registry.local:5000/edgexfoundry/docker-core-data-go-arm64:1.3", {}));
  CHECK(is_edgex_container("a", "nexus3.edgexfoundry.org:10004/core-data:latest", {}));
  CHECK(is_edgex_container("redis", "redis:7", {{"edgex_edgex-network", {}, {}, ""}}));
  CHECK_FALSE(is_edgex_container("nginx", "nginx", {{"bridge", {}, {}, ""}}));
}

TEST_CASE("the container list") {
  auto list = parse_container_list(R"([{"Id":")" + id + R"(","Names":["/x"],"State":"running"}])");
  REQUIRE(list);
  CHECK(list->at(0).name == "x");
  CHECK_FALSE(parse_container_list(R"({"message":"no"})"));
  CHECK_FALSE(parse_container_list(R"([{"Names":["/x"]}])"));
}

TEST_CASE("engine events") {
  auto die = parse_engine_event(event("die", R"("exitCode":"137","image":"x","name":"edgex-core-data")"));
  REQUIRE(die);
  CHECK(die->kind == EngineEvent::Kind::change);
  CHECK(die->event.change.action == ContainerAction::died);
  CHECK(die->event.change.exit_code == 137);
  CHECK(die->event.change.signal == 9);
  CHECK(die->event.at == 1700000000123456789);
  CHECK(die->event.name == "edgex-core-data");
  auto kill = parse_engine_event(event("kill", R"("signal":"15")"));
  CHECK(kill->event.change.action == ContainerAction::killed);
  CHECK(kill->event.change.signal == 15);
  CHECK(parse_engine_event(event("oom", ""))->event.change.out_of_memory);
  CHECK(parse_engine_event(event("start", ""))->event.change.action == ContainerAction::started);
  CHECK(parse_engine_event(event("destroy", ""))->event.change.action == ContainerAction::removed);
  auto health = parse_engine_event(event("health_status: unhealthy", ""));
  CHECK(health->event.change.action == ContainerAction::health);
  CHECK(health->event.change.detail == "unhealthy");
  auto exec = parse_engine_event(event("exec_create: /bin/sh -c mysql -psecret", ""));
  CHECK(exec->kind == EngineEvent::Kind::exec);
  CHECK(exec->exec_command == "/bin/sh -c mysql -p<redacted>");
  CHECK(parse_engine_event(event("exec_die", R"("exitCode":"0")"))->kind == EngineEvent::Kind::other);
  CHECK(parse_engine_event(event("pull", "", "image"))->kind == EngineEvent::Kind::other);
  auto join = parse_engine_event(
      event("connect", R"("container":")" + id + R"(","name":"edgex-network")", "network"));
  CHECK(join->event.change.action == ContainerAction::connected);
  CHECK(join->event.network == "edgex-network");
  // The old fields alone say nothing: they are gone since API 1.52.
  CHECK(parse_engine_event(R"({"status":"die","id":"x","from":"y","time":1})")->kind ==
        EngineEvent::Kind::other);
  CHECK_FALSE(parse_engine_event(""));
  CHECK_FALSE(parse_engine_event(R"({"Type":"container","Action":"die","Actor":{"ID":"short"}})"));
  CHECK(parse_engine_event("[]")->kind == EngineEvent::Kind::other);
}

TEST_CASE("podman's compatible API says some things otherwise, as podman 4.3 does") {
  auto engine = parse_engine_version(
      R"({"Platform":{"Name":"linux/amd64/debian-12"},"Components":[{"Name":"Podman Engine","Version":"4.3.1"},
      {"Name":"Conmon","Version":"conmon version 2.1.6"}],"Version":"4.3.1","ApiVersion":"1.41","MinAPIVersion":"1.24"})");
  REQUIRE(engine);
  CHECK(engine->podman);
  CHECK(choose_api(*engine, "1.45", "1.24").value() == "1.41");
  CHECK_FALSE(
      parse_engine_version(R"({"Version":"20.10.24","ApiVersion":"1.41","Components":[{"Name":"Engine"}]})")
          ->podman);
  auto podman = [](const std::string& action, const std::string& more = "",
                   const std::string& type = "container") {
    return parse_engine_event(
        event(action, R"("containerExitCode":"0",)" + more + R"("image":"x","name":"y","podId":"")", type));
  };
  CHECK(podman("die", R"("exitCode":"137",)")->event.change.exit_code == 137);
  CHECK(podman("died", R"("exitCode":"3",)")->event.change.action == ContainerAction::died);
  CHECK(podman("remove")->event.change.action == ContainerAction::removed);
  CHECK(podman("rename")->event.change.action == ContainerAction::renamed);
  auto kill = podman("kill");
  CHECK(kill->event.change.action == ContainerAction::killed);
  CHECK(kill->event.change.signal == 0);
  auto joined = podman("connect", "", "network");
  CHECK(joined->event.change.action == ContainerAction::connected);
  CHECK(joined->event.id == id);
  CHECK(podman("disconnect", "", "network")->event.change.action == ContainerAction::disconnected);
  CHECK(podman("exec")->kind == EngineEvent::Kind::exec);
  for (const char* action : {"init", "cleanup", "attach", "exec_died"})
    CHECK(podman(action)->kind == EngineEvent::Kind::other);
  // Docker's own: a network's event is about the network, and there is no "remove" of a container.
  CHECK(parse_engine_event(event("disconnect", R"("container":")" + id + R"(","name":"n")", "network"))
            ->event.change.action == ContainerAction::disconnected);
  CHECK(parse_engine_event(event("connect", R"("name":"n")", "network"))->kind == EngineEvent::Kind::other);
  CHECK(parse_engine_event(event("remove", ""))->kind == EngineEvent::Kind::other);
  CHECK(parse_engine_event(event("rename", R"("name":"new","oldName":"/old")"))->event.change.action ==
        ContainerAction::renamed);
}

TEST_CASE("a container as podman 4.3 describes it") {
  auto facts =
      parse_container(R"({"Id":")" + id + R"(","Created":"2026-11-24T21:04:31.857990211Z","Path":"sleep",
    "Args":["50"],"State":{"Status":"running","Running":true,"OOMKilled":false,"Pid":14006,"ExitCode":0,
    "StartedAt":"2026-11-24T21:04:32.323319757Z","FinishedAt":"0001-01-01T00:00:00Z","Health":{"Status":""}},
    "Image":"sha256:5a10","Name":"/edgex-redis","RestartCount":0,"Driver":"overlay",
    "HostConfig":{"Binds":[],"NetworkMode":"bridge","PortBindings":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"18080"}]},
      "CapAdd":["CAP_SYS_ADMIN"],"CapDrop":["AUDIT_WRITE","MKNOD","NET_RAW"],"IpcMode":"shareable","PidMode":"private",
      "Privileged":false,"ReadonlyRootfs":false,"SecurityOpt":[],"UsernsMode":"","Memory":0,"Devices":[]},
    "GraphDriver":{"Data":{"UpperDir":"/var/lib/containers/storage/overlay/3f05/diff"},"Name":"overlay"},"Mounts":[],
    "Config":{"Hostname":"0ca9f12e43cd","User":"","Env":["container=podman"],"Cmd":["sleep","50"],
      "Image":"docker.io/library/redis:7","Entrypoint":[],"Labels":{},"StopSignal":"15"},
    "NetworkSettings":{"Ports":{"80/tcp":[{"HostIp":"127.0.0.1","HostPort":"18080"}]},
      "Networks":{"podman":{"NetworkID":"podman","Gateway":"10.88.0.1","IPAddress":"10.88.0.6","MacAddress":"06:cd:2a:78:57:da"}}}})");
  REQUIRE(facts);
  CHECK(facts->name == "edgex-redis");
  CHECK(facts->pid == 14006);
  CHECK(to_string(facts->networks.at(0).address) == "10.88.0.6");
  CHECK(facts->capabilities == std::vector<std::string>{"SYS_ADMIN"});
  CHECK(facts->stop_signal == 15);
  CHECK(facts->pid_mode == "private");
  CHECK(facts->is_edgex);
  CHECK(to_string(facts->ports.at(0)) == "127.0.0.1:18080->80/tcp");
}
