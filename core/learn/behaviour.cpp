#include "core/learn/behaviour.hpp"

#include "core/base/hash.hpp"

#include <algorithm>
#include <array>

namespace iris {
namespace {

void put_level(Behaviour& behaviour, std::size_t level, std::string text) {
  auto seed = std::uint64_t(behaviour.family) * 16 + level + 1;
  behaviour.keys[level] = hash64(text, seed);
  if (behaviour.keys[level] == 0) behaviour.keys[level] = 1;
  if (text.size() > Behaviour::text_limit) {
    text.resize(Behaviour::text_limit - 3);
    text += "...";
  }
  behaviour.texts[level] = std::move(text);
}

Behaviour exec_behaviour(const ProcessInfo& process) {
  Behaviour behaviour{.family = Family::exec};
  std::string parent = process.entered ? "someone outside of the container" : process.parent_exe;
  // What the engine's probe starts is learned apart from what the service itself starts.
  if (process.health_check)
    parent = process.parent_exe.empty() ? "the health check" : process.parent_exe + " in the health check";
  if (parent.empty()) parent = "the container's start";
  auto arguments = normalise_arguments(process.args);
  put_level(behaviour, 0, process.exe + (arguments.empty() ? "" : " " + arguments) + " started by " + parent);
  put_level(behaviour, 1, process.exe + " started by " + parent);
  put_level(behaviour, 2, process.exe);
  return behaviour;
}

/// Where a program came from is a habit of its own: its path alone says nothing once the file was replaced.
/// What is of the image, or could not be looked at, has none.
std::optional<Behaviour> origin_behaviour(const ProcessInfo& process) {
  auto foreign = [](Origin origin) { return origin != Origin::image && origin != Origin::unknown; };
  std::string text;
  if (foreign(process.origin)) text = process.exe + " from " + to_string(process.origin);
  if (foreign(process.script_origin) && !process.script.empty())
    text += (text.empty() ? "" : " with ") + normalise_arguments({"", process.script}) + " from " +
            to_string(process.script_origin);
  if (text.empty()) return std::nullopt;
  Behaviour behaviour{.family = Family::origin};
  put_level(behaviour, 0, std::move(text));
  return behaviour;
}

std::string port_text(const Flow& flow) {
  auto number = std::to_string(flow.dport);
  // Where the start was not seen and both ports are high, neither names a service.
  if (!flow.initiator_known && flow.sport >= 32768 && flow.dport >= 32768) number = "ephemeral";
  switch (flow.protocol) {
  case 1:
  case 58: {
    auto type = flow.dport >> 8;
    bool echo = type == (flow.protocol == 1 ? 8 : 128);
    return echo ? "icmp echo" : "icmp type " + std::to_string(type);
  }
  case 6:
    return "tcp/" + number;
  case 17:
    return "udp/" + number;
  default:
    return "ip protocol " + std::to_string(flow.protocol);
  }
}

/// Answers and errors are sent because of someone else's packet.
bool is_icmp_reply(const Flow& flow) {
  auto type = flow.dport >> 8;
  if (flow.protocol == 1) return type == 0 || type == 3 || type == 4 || type == 5 || type == 11 || type == 12;
  if (flow.protocol == 58) return type < 128 || type == 129 || (type >= 131 && type <= 143);
  return false;
}

std::string network_of(const IpAddress& address) {
  return to_string(*parse_cidr(to_string(address) + (address.is_v4() ? "/24" : "/48")));
}

Behaviour peer_behaviour(const Observation& observation, const Flow& flow) {
  Behaviour behaviour{.family = flow.inbound ? Family::peer_in : Family::peer_out};
  const auto& address = flow.inbound ? flow.src : flow.dst;
  auto kind = observation.peer ? observation.peer->kind : EntityKind::unknown;
  auto name = observation.peer ? observation.peer->name : std::string{};
  auto scope = scope_of(address);
  auto port = port_text(flow);
  if (scope == AddressScope::multicast || scope == AddressScope::broadcast) {
    put_level(behaviour, 0, to_string(address) + " " + port);
    put_level(behaviour, 2, "multicast");
    return behaviour;
  }
  if (kind == EntityKind::unknown && scope == AddressScope::global) kind = EntityKind::internet;
  if (name.empty()) name = to_string(address);
  behaviour.peer_class = kind;
  put_level(behaviour, 0, name + " " + port);
  switch (kind) {
  case EntityKind::service:
    put_level(behaviour, 1, name);
    put_level(behaviour, 2, flow.inbound ? "any sibling service " + port : "any sibling service");
    break;
  case EntityKind::gateway:
    put_level(behaviour, 2, flow.inbound ? "the gateway " + port : "the gateway");
    break;
  case EntityKind::internet:
    if (!parse_ip(name) && !flow.inbound)
      put_level(behaviour, 1, std::string{registrable_domain(name)});
    else
      put_level(behaviour, 1, network_of(address));
    put_level(behaviour, 2, flow.inbound ? "the internet " + port : "the internet");
    behaviour.site_levels = flow.inbound ? 2 : 0;
    break;
  case EntityKind::device:
  case EntityKind::unknown: {
    std::string any = kind == EntityKind::device ? "any LAN device" : "any unlisted local address";
    put_level(behaviour, 1, any + " " + port);
    if (!flow.inbound) put_level(behaviour, 2, any);
    behaviour.site_levels = 1;
    break;
  }
  }
  return behaviour;
}

/// What a flow's content is, on which port: the same on every gateway. Between two services it is the
/// caller's.
std::optional<Behaviour> protocol_behaviour(const Observation& observation, const Flow& flow) {
  if (flow.application.empty() || !flow.initiator_known || !is_contact(flow)) return std::nullopt;
  if (flow.protocol != 6 && flow.protocol != 17) return std::nullopt;
  Behaviour behaviour{.family = Family::protocol};
  behaviour.peer_class = observation.peer ? observation.peer->kind : EntityKind::unknown;
  if (flow.inbound && behaviour.peer_class == EntityKind::service) return std::nullopt;
  const auto what = (flow.inbound ? "serves " : "speaks ") + flow.application;
  put_level(behaviour, 0, what + " on " + port_text(flow));
  put_level(behaviour, 1, what);
  return behaviour;
}

/// What is asked of a field device. Seen from the device, too: whoever else writes to it is new to it.
Behaviour command_behaviour(const Observation& observation, const FieldCommand& command) {
  Behaviour behaviour{.family = Family::command};
  const auto& address = command.inbound ? command.src : command.dst;
  auto name = observation.peer ? observation.peer->name : std::string{};
  if (name.empty()) name = to_string(address);
  behaviour.peer_class = observation.peer ? observation.peer->kind : EntityKind::unknown;
  const auto function = command.application + " " + command.function;
  const std::string direction = command.inbound ? " by " : " to ";
  const auto scope = scope_of(command.dst);
  const bool group = scope == AddressScope::multicast || scope == AddressScope::broadcast;
  if (!group) {
    put_level(behaviour, 0, function + direction + name);
    behaviour.site_levels = 1;
  }
  put_level(behaviour, group ? 0 : 1, function + (command.inbound ? " by anybody" : group ? " to all" : ""));
  put_level(behaviour, 2,
            command.application + " " + command.action + (command.inbound ? " by anybody" : ""));
  return behaviour;
}

} // namespace

const char* to_string(Family family) {
  switch (family) {
  case Family::exec:
    return "exec";
  case Family::peer_out:
    return "peer-out";
  case Family::peer_in:
    return "peer-in";
  case Family::dns:
    return "dns";
  case Family::listen:
    return "listen";
  case Family::exit:
    return "exit";
  case Family::origin:
    return "origin";
  case Family::command:
    return "command";
  case Family::protocol:
    return "protocol";
  }
  return "unknown";
}

bool is_reported(Family family, EntityKind entity, EntityKind peer_class) {
  switch (family) {
  case Family::exec:
  case Family::origin:
    return true;
  case Family::dns:
    return peer_class == EntityKind::internet;
  case Family::listen:
    return entity == EntityKind::service;
  case Family::exit:
    return false;
  case Family::command:
  case Family::protocol:
    // As with calls: a service tells what it asks; a device what is asked of it by who is not watched
    // himself.
    return entity == EntityKind::service ||
           (peer_class != EntityKind::service && peer_class != EntityKind::gateway);
  case Family::peer_out:
    // A device that calls a service is that service's client; the service's pair says so.
    return entity == EntityKind::service || peer_class != EntityKind::service;
  case Family::peer_in:
    if (peer_class == EntityKind::service) return false;
    // Behind masquerading a service's call reaches a device from the gateway's address.
    return entity == EntityKind::service ||
           (peer_class != EntityKind::device && peer_class != EntityKind::gateway);
  }
  return false;
}

bool is_contact(const Flow& flow) {
  if (flow.protocol == 6) {
    if (flow.state == FlowState::opening || flow.state == FlowState::refused) return false;
    // A forged SYN is answered too; only a real caller sends a second packet.
    return flow.payload_out + flow.payload_in > 0 || (flow.packets_out >= 2 && flow.packets_in >= 1) ||
           (!flow.first_report && flow.packets_out >= 1 && flow.packets_in >= 1);
  }
  const auto& other = flow.inbound ? flow.src : flow.dst;
  auto from_us = flow.inbound ? flow.packets_in : flow.packets_out;
  return from_us > 0 || scope_of(other) != AddressScope::global;
}

Behaviour call_of(const Observation& observation, const FieldCommand& command) {
  Flow flow;
  flow.src = command.src;
  flow.dst = command.dst;
  flow.dport = command.dport;
  flow.protocol = command.protocol;
  flow.inbound = command.inbound;
  auto behaviour = peer_behaviour(observation, flow);
  behaviour.phase = observation.phase;
  return behaviour;
}

std::vector<Behaviour> behaviours_of(const Observation& observation) {
  std::vector<Behaviour> all;
  if (const auto* start = std::get_if<ProcessStart>(&observation.what)) {
    all.push_back(exec_behaviour(start->process));
    if (auto origin = origin_behaviour(start->process)) all.push_back(std::move(*origin));
  } else if (const auto* flow = std::get_if<Flow>(&observation.what)) {
    bool ours = flow->inbound ? is_contact(*flow) : flow->packets_out > 0;
    constexpr std::uint8_t igmp = 2; // group membership, by the kernel itself
    if (!ours || is_icmp_reply(*flow) || flow->protocol == igmp) return all;
    all.push_back(peer_behaviour(observation, *flow));
    if (auto protocol = protocol_behaviour(observation, *flow)) all.push_back(std::move(*protocol));
  } else if (const auto* listen = std::get_if<Listen>(&observation.what)) {
    Behaviour port{.family = Family::listen};
    put_level(port, 0,
              std::string{listen->protocol == 17 ? "udp/" : "tcp/"} +
                  (listen->chosen_by_kernel ? std::string{"any free port"} : std::to_string(listen->port)));
    all.push_back(std::move(port));
  } else if (const auto* answer = std::get_if<DnsAnswer>(&observation.what)) {
    Behaviour dns{.family = Family::dns};
    if (is_public_name(answer->name)) dns.peer_class = EntityKind::internet;
    auto name = answer->name;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
    while (name.ends_with('.'))
      name.pop_back();
    if (name.empty()) return all;
    put_level(dns, 0, name);
    put_level(dns, 1, std::string{registrable_domain(name)});
    all.push_back(std::move(dns));
  } else if (const auto* command = std::get_if<FieldCommand>(&observation.what)) {
    all.push_back(command_behaviour(observation, *command));
  } else if (const auto* exit = std::get_if<ProcessExit>(&observation.what)) {
    if ((exit->exit_code == 0 && exit->signal == 0) || exit->exe.empty()) return all; // unread: no name
    Behaviour ended{.family = Family::exit};
    put_level(ended, 0,
              exit->exe + (exit->signal ? " ended by signal " + std::to_string(exit->signal)
                                        : " exited with " + std::to_string(exit->exit_code)));
    put_level(ended, 1, exit->exe);
    all.push_back(std::move(ended));
  }
  for (auto& behaviour : all)
    behaviour.phase = observation.phase;
  return all;
}

std::string_view registrable_domain(std::string_view name) {
  // The public suffix list is 15,000 lines; these second levels cover most names where the last label alone
  // is a country's registry. A wrong guess makes the middle level coarser or finer, nothing else.
  static constexpr std::array<std::string_view, 8> seconds{"co",  "com", "net", "org",
                                                           "gov", "edu", "ac",  "or"};
  auto last = name.rfind('.');
  if (last == std::string_view::npos || last == 0) return name;
  auto middle = name.rfind('.', last - 1);
  if (middle == std::string_view::npos) return name;
  auto label = name.substr(middle + 1, last - middle - 1);
  bool registry =
      name.size() - last == 3 && std::find(seconds.begin(), seconds.end(), label) != seconds.end();
  if (!registry || middle == 0) return name.substr(middle + 1);
  auto third = name.rfind('.', middle - 1);
  return third == std::string_view::npos ? name : name.substr(third + 1);
}

bool is_public_name(std::string_view name) {
  while (name.ends_with('.'))
    name.remove_suffix(1);
  auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  auto last = name.substr(dot + 1);
  static constexpr std::array<std::string_view, 9> local{
      "local", "lan", "internal", "arpa", "home", "corp", "localhost", "intranet", "localdomain"};
  return std::find(local.begin(), local.end(), last) == local.end();
}

} // namespace iris
