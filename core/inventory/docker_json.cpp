#include "core/inventory/docker_json.hpp"

#include "core/inventory/bounded_json.hpp"
#include "core/inventory/known_settings.hpp"
#include "core/process/redact.hpp"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace iris {
namespace {

using Json = nlohmann::json;

constexpr std::size_t text_limit = 4096; ///< longest string kept of the engine's answers
constexpr std::size_t list_limit = 256;  ///< most ports, mounts, networks, arguments of one container

const Json& at(const Json& object, const char* key) {
  static const Json none;
  if (!object.is_object()) return none;
  auto found = object.find(key);
  return found == object.end() ? none : *found;
}

std::string text(const Json& object, const char* key) {
  const auto& value = at(object, key);
  return value.is_string() ? value.get_ref<const std::string&>().substr(0, text_limit) : std::string{};
}

std::int64_t number(const Json& object, const char* key) {
  const auto& value = at(object, key);
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return 0;
  std::int64_t out = 0;
  const auto& digits = value.get_ref<const std::string&>();
  (void)std::from_chars(digits.data(), digits.data() + digits.size(), out);
  return out;
}

bool truth(const Json& object, const char* key) {
  return at(object, key).is_boolean() && at(object, key).get<bool>();
}

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> out;
  if (list.is_string()) out.push_back(list.get<std::string>());
  if (list.is_array())
    for (const auto& item : list)
      if (item.is_string() && out.size() < list_limit)
        out.push_back(item.get_ref<const std::string&>().substr(0, text_limit));
  return out;
}

Error bad(std::string_view what, const std::string& why) {
  return {Errc::invalid, "the container engine's " + std::string{what} + " does not parse: " + why};
}

Result<Json> parse(std::string_view json, std::string_view what) {
  return parse_bounded(json, "the container engine's " + std::string{what});
}

bool is_id(std::string_view id) {
  return id.size() == 64 && id.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::string without_slash(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

std::uint8_t protocol_of(std::string_view name) { return name == "udp" ? 17 : name == "sctp" ? 132 : 6; }

std::vector<PublishedPort> ports_of(const Json& ports) {
  std::vector<PublishedPort> out;
  if (!ports.is_object()) return out;
  for (const auto& [key, bindings] :
       ports.items()) { // "27017/tcp": [{"HostIp": "0.0.0.0", "HostPort": "27017"}]
    auto slash = key.find('/');
    PublishedPort port;
    (void)std::from_chars(key.data(), key.data() + std::min(slash, key.size()), port.container_port);
    port.protocol = protocol_of(slash == std::string::npos ? "" : key.substr(slash + 1));
    if (!bindings.is_array() || port.container_port == 0) continue; // null: exposed but not published
    for (const auto& binding : bindings) {
      port.host_ip = text(binding, "HostIp");
      port.host_port = std::uint16_t(number(binding, "HostPort"));
      if (out.size() < list_limit) out.push_back(port);
    }
  }
  return out;
}

/// compose makes up names like "edgex_data_1" or "edgex-data-1"; then the service's own name is the better
/// one.
std::string service_of(const std::string& name, const Json& labels) {
  auto service = text(labels, "com.docker.compose.service");
  const auto project = text(labels, "com.docker.compose.project");
  if (service.empty() || project.empty()) return name;
  for (char sep : {'-', '_'}) {
    const auto prefix = project + sep + service + sep;
    if (name.starts_with(prefix) && name.find_first_not_of("0123456789", prefix.size()) == std::string::npos)
      return service;
  }
  return name;
}

int stop_signal_of(std::string_view name) {
  constexpr std::pair<std::string_view, int> known[] = {{"HUP", 1},   {"INT", 2},   {"QUIT", 3},
                                                        {"KILL", 9},  {"USR1", 10}, {"USR2", 12},
                                                        {"TERM", 15}, {"WINCH", 28}};
  if (name.starts_with("SIG")) name.remove_prefix(3);
  for (const auto& [text, number] : known)
    if (name == text) return number;
  int number = 0;
  (void)std::from_chars(name.data(), name.data() + name.size(), number);
  if (number > 0 && number <= 64) return number;
  if (name.starts_with("RTMIN+")) { // systemd in a container: RTMIN+3
    (void)std::from_chars(name.data() + 6, name.data() + name.size(), number);
    return 34 + number;
  }
  return 15;
}

int compare_versions(std::string_view left, std::string_view right) {
  auto next = [](std::string_view& rest) {
    int part = 0;
    auto dot = rest.find('.');
    (void)std::from_chars(rest.data(), rest.data() + std::min(dot, rest.size()), part);
    rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
    return part;
  };
  while (!left.empty() || !right.empty())
    if (int a = next(left), b = next(right); a != b) return a < b ? -1 : 1;
  return 0;
}

} // namespace

Result<EngineVersion> parse_engine_version(std::string_view json) {
  auto value = parse(json, "version");
  if (!value) return value.error();
  EngineVersion out{text(*value, "Version"), text(*value, "ApiVersion"), text(*value, "MinAPIVersion"),
                    false};
  if (out.api.empty()) return bad("version", "no ApiVersion in it");
  if (out.api_min.empty()) out.api_min = "1.12";
  if (const auto& components = at(*value, "Components"); components.is_array())
    for (const auto& component : components)
      out.podman |= text(component, "Name").find("Podman") != std::string::npos;
  return out;
}

Result<std::string> choose_api(const EngineVersion& engine, std::string_view ours,
                               std::string_view ours_min) {
  const std::string chosen = compare_versions(engine.api, ours) < 0 ? engine.api : std::string{ours};
  if (compare_versions(chosen, ours_min) < 0 || compare_versions(chosen, engine.api_min) < 0)
    return Error{Errc::version, "the container engine " + engine.engine + " speaks API " + engine.api_min +
                                    " to " + engine.api + ", this node " + std::string{ours_min} + " to " +
                                    std::string{ours} + ": update the older of the two"};
  return chosen;
}

Result<std::vector<ContainerListing>> parse_container_list(std::string_view json) {
  auto value = parse(json, "container list");
  if (!value) return value.error();
  if (!value->is_array()) return bad("container list", "not an array");
  std::vector<ContainerListing> out;
  for (const auto& item : *value) {
    ContainerListing listing{text(item, "Id"), "", text(item, "State")};
    if (!is_id(listing.id)) return bad("container list", "an entry has no id");
    if (auto names = texts(at(item, "Names")); !names.empty()) listing.name = without_slash(names.front());
    out.push_back(std::move(listing));
  }
  return out;
}

Result<ContainerFacts> parse_container(std::string_view json) {
  auto value = parse(json, "container description");
  if (!value) return value.error();
  const auto& state = at(*value, "State");
  const auto& config = at(*value, "Config");
  const auto& host = at(*value, "HostConfig");
  const auto& labels = at(config, "Labels");
  ContainerFacts out;
  out.id = text(*value, "Id");
  if (!is_id(out.id)) return bad("container description", "it has no id");
  out.name = without_slash(text(*value, "Name"));
  out.service = service_of(out.name, labels);
  out.image = text(config, "Image");
  out.digest = text(*value, "Image");
  out.hostname = text(config, "Hostname");
  out.user = text(config, "User");
  out.pid = std::uint32_t(std::max<std::int64_t>(0, number(state, "Pid")));
  out.status = text(state, "Status");
  // Between two tries of a restart policy the engine calls it running, without a process and an address.
  out.running = truth(state, "Running") && !truth(state, "Restarting");
  out.out_of_memory = truth(state, "OOMKilled");
  out.exit_code = int(number(state, "ExitCode"));
  out.restarts = std::uint32_t(number(*value, "RestartCount"));
  out.created_at = parse_rfc3339(text(*value, "Created")).value_or(0);
  out.started_at = std::max<Timestamp>(0, parse_rfc3339(text(state, "StartedAt")).value_or(0));
  out.network_mode = text(host, "NetworkMode");
  out.pid_mode = text(host, "PidMode");
  out.ipc_mode = text(host, "IpcMode");
  out.privileged = truth(host, "Privileged");
  out.read_only = truth(host, "ReadonlyRootfs");
  out.capabilities = texts(at(host, "CapAdd"));
  for (auto& capability : out.capabilities) // podman says CAP_NET_ADMIN, Docker either
    if (capability.starts_with("CAP_")) capability.erase(0, 4);
  out.security_options = texts(at(host, "SecurityOpt"));
  out.memory_limited = number(host, "Memory") > 0;
  if (const auto& devices = at(host, "Devices"); devices.is_array())
    for (const auto& device : devices)
      if (out.devices.size() < list_limit) out.devices.push_back(text(device, "PathOnHost"));
  out.command = texts(at(*value, "Args"));
  if (auto path = text(*value, "Path"); !path.empty()) out.command.insert(out.command.begin(), path);
  redact_args(out.command);
  out.healthcheck = texts(at(at(config, "Healthcheck"), "Test"));
  if (!out.healthcheck.empty() && out.healthcheck.front() == "NONE") out.healthcheck.clear();
  if (out.healthcheck.size() == 2 && out.healthcheck.front() == "CMD-SHELL") {
    // As the probe's own arguments will look, so that the two can be compared.
    std::vector<std::string> shell{"/bin/sh", "-c", out.healthcheck.back()};
    redact_args(shell);
    out.healthcheck.back() = shell.back();
  } else if (!out.healthcheck.empty()) {
    std::vector<std::string> command{out.healthcheck.begin() + 1, out.healthcheck.end()};
    redact_args(command);
    std::copy(command.begin(), command.end(), out.healthcheck.begin() + 1);
  }
  const auto environment = texts(at(config, "Env"));
  for (const auto& variable : environment)
    if (variable == "EDGEX_SECURITY_SECRET_STORE=false") out.security_off = true;
  out.login = login_of(out.image, out.command, environment);
  out.stop_signal = stop_signal_of(text(config, "StopSignal"));
  out.upper_dir = text(at(at(*value, "GraphDriver"), "Data"), "UpperDir");
  const auto& network = at(*value, "NetworkSettings");
  // Published at run time; a container that does not run has only what was asked for.
  out.ports = ports_of(at(network, "Ports"));
  if (out.ports.empty() && !out.running) out.ports = ports_of(at(host, "PortBindings"));
  if (const auto& networks = at(network, "Networks"); networks.is_object())
    for (const auto& [name, attachment] : networks.items()) {
      ContainerNetwork one{name, {}, {}, text(attachment, "MacAddress")};
      if (auto ip = parse_ip(text(attachment, "IPAddress"))) one.address = *ip;
      if (auto ip = parse_ip(text(attachment, "GlobalIPv6Address"))) one.address6 = *ip;
      if (out.networks.size() < list_limit) out.networks.push_back(std::move(one));
    }
  if (const auto& mounts = at(*value, "Mounts"); mounts.is_array())
    for (const auto& mount : mounts) {
      ContainerMount one{text(mount, "Type"), text(mount, "Source"), text(mount, "Destination"),
                         truth(mount, "RW")};
      out.engine_socket |= is_engine_socket(one.source);
      if (out.mounts.size() < list_limit) out.mounts.push_back(std::move(one));
    }
  if (const auto& tmpfs = at(host, "Tmpfs"); tmpfs.is_object()) // not listed under Mounts
    for (const auto& [path, options] : tmpfs.items())
      if (out.mounts.size() < list_limit) out.mounts.push_back({"tmpfs", "", path, true});
  for (const char* attribute : {"exitCode", "signal", "name", "image", "container", "execID"})
    out.shadows_events |= labels.is_object() && labels.contains(attribute);
  out.is_edgex = is_edgex_container(out.name, out.image, out.networks);
  return out;
}

Result<EngineEvent> parse_engine_event(std::string_view line) {
  auto value = parse(line, "event");
  if (!value) return value.error();
  EngineEvent out;
  const auto type = text(*value, "Type");
  const auto action = text(*value, "Action");
  const auto& actor = at(*value, "Actor");
  const auto& attributes = at(actor, "Attributes");
  auto& event = out.event;
  event.at = number(*value, "timeNano");
  if (event.at == 0) event.at = number(*value, "time") * second;
  const bool podman = attributes.is_object() && attributes.contains("podId");
  if (type == "network") {
    if (action != "connect" && action != "disconnect") return out;
    const bool joined = action == "connect";
    // podman names the container itself there, and no network.
    event.id = podman ? text(actor, "ID") : text(attributes, "container");
    if (!is_id(event.id)) return out;
    if (!podman) event.network = text(attributes, "name");
    event.change.action = joined ? ContainerAction::connected : ContainerAction::disconnected;
    event.change.detail = std::string{joined ? "joined" : "left"} + " the network " +
                          (podman ? "that the engine does not name" : event.network);
    out.kind = EngineEvent::Kind::change;
    return out;
  }
  if (type != "container") return out;
  event.id = text(actor, "ID");
  if (!is_id(event.id)) return bad("event", "a container event has no id");
  event.name = text(attributes, "name");
  event.image = text(attributes, "image");
  auto& change = event.change;
  out.kind = EngineEvent::Kind::change;
  if (action == "create")
    change.action = ContainerAction::created;
  else if (action == "start")
    change.action = ContainerAction::started;
  else if (action == "oom")
    change.action = ContainerAction::oom, change.out_of_memory = true;
  else if (action == "stop")
    change.action = ContainerAction::stopped, change.asked_for = true;
  else if (action == "rename")
    change.action = ContainerAction::renamed;
  else if (action == "destroy" || (podman && action == "remove"))
    change.action = ContainerAction::removed;
  else if (action == "die" || (podman && action == "died")) {
    change.action = ContainerAction::died;
    change.exit_code = int(number(attributes, "exitCode"));
    if (change.exit_code > 128 && change.exit_code <= 128 + 64) change.signal = change.exit_code - 128;
  } else if (action == "kill") {
    change.action = ContainerAction::killed;
    change.signal = int(number(attributes, "signal"));
    change.asked_for = true; // podman gives no signal: 0
  } else if (podman && action == "exec") {
    out.kind = EngineEvent::Kind::exec;
    out.exec_command = "a command that the engine does not tell";
  } else if (action.starts_with("health_status")) {
    change.action = ContainerAction::health;
    auto colon = action.find(": ");
    change.detail = colon == std::string::npos ? "" : action.substr(colon + 2);
  } else if (action.starts_with("exec_create: ") || action.starts_with("exec_create:")) {
    out.kind = EngineEvent::Kind::exec;
    std::vector<std::string> command{"sh", "-c", action.substr(action.find(':') + 1)};
    if (command[2].starts_with(' ')) command[2].erase(0, 1);
    redact_args(command);
    out.exec_command = command[2];
  } else {
    out.kind = EngineEvent::Kind::other;
  }
  return out;
}

bool is_edgex_container(std::string_view name, std::string_view image,
                        const std::vector<ContainerNetwork>& networks) {
  if (name.starts_with("edgex-") || name == "kong" || name == "kong-db" || name == "kong-migrations")
    return true;
  for (std::string_view registry : {"edgexfoundry/", "nexus3.edgexfoundry.org"})
    if (image.starts_with(registry) || image.find("/" + std::string{registry}) != std::string_view::npos)
      return true;
  return std::any_of(networks.begin(), networks.end(),
                     [](const ContainerNetwork& network) { return network.name.ends_with("edgex-network"); });
}

bool PublishedPort::reachable_from_outside() const {
  auto ip = parse_ip(host_ip);
  return !ip || scope_of(*ip) != AddressScope::loopback;
}

std::string to_string(const PublishedPort& port) {
  const char* protocol = port.protocol == 17 ? "udp" : port.protocol == 132 ? "sctp" : "tcp";
  std::string host = port.host_ip.empty() ? "0.0.0.0" : port.host_ip;
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return host + ":" + std::to_string(port.host_port) + "->" + std::to_string(port.container_port) + "/" +
         protocol;
}

} // namespace iris
