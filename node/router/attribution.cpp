#include "node/router/attribution.hpp"

#include "core/learn/behaviour.hpp"

namespace iris {
namespace {
bool is_group(const IpAddress& address) {
  auto scope = scope_of(address);
  return scope == AddressScope::multicast || scope == AddressScope::broadcast;
}
bool is_watched(const Entity& entity) {
  return entity.kind == EntityKind::service || entity.kind == EntityKind::device;
}
} // namespace

void Attribution::set_own_addresses(std::string gateway, const std::vector<IpAddress>& addresses) {
  own_.clear();
  for (const auto& address : addresses)
    own_.emplace(address, true);
  inventory_.set_gateway(std::move(gateway), addresses);
}

void Attribution::set_own_target(const IpAddress& address, std::uint16_t port) {
  target_ = address;
  target_port_ = port;
}

IpAddress Attribution::own_address_of(const IpAddress& client) {
  auto address = inventory_.by_address(client)->address;
  return address == IpAddress{} ? client : address;
}

void Attribution::lookup(const DnsSeen& seen, InterfaceRole role, std::vector<Observation>& out) {
  if (is_other_copy(seen.client, seen.server, 53, 17, role)) return;
  const auto client = own_address_of(seen.client);
  DnsAnswer outside{seen.answer.name, {}};
  for (const auto& address : seen.answer.addresses) {
    if (inventory_.by_address(address)->kind != EntityKind::internet) continue;
    names_.tell(client, address, seen.answer.name);
    outside.addresses.push_back(address);
  }
  auto entity = inventory_.by_address(seen.client);
  // Names without an address outside are those of the local network, and the tries of a search list.
  if (outside.addresses.empty() || !is_watched(*entity)) return;
  Observation observation;
  observation.entity = std::move(entity);
  observation.at = seen.at;
  observation.phase = phases_.phase_of(observation.entity->container, seen.at);
  observation.what = std::move(outside);
  out.push_back(std::move(observation));
}

void Attribution::device_name(const DeviceName& name) { inventory_.hear_alias(name.address, name.name); }

EntityPtr Attribution::entity_at(const IpAddress& address, const IpAddress& other) {
  auto entity = inventory_.by_address(address);
  if (entity->kind != EntityKind::internet) return entity;
  auto named = names_.find(own_address_of(other), address);
  return named ? named : entity;
}

void Attribution::process(const std::string& container, Timestamp at, std::int64_t boot_at,
                          const std::variant<ProcessStart, ProcessExit>& what,
                          std::vector<Observation>& out) {
  if (container.empty()) {
    ++counters_.host_processes;
    return;
  }
  auto entity = inventory_.by_container(container);
  if (!entity) {
    // The engine has not told of it yet: it is judged under its id, which the engine's name replaces.
    auto unnamed = std::make_shared<Entity>();
    unnamed->kind = EntityKind::service;
    unnamed->name = container.substr(0, 12);
    unnamed->container = container;
    entity = unnamed;
  }
  // The engine's probes go on for ever and say nothing about the container's start.
  if (const auto* start = std::get_if<ProcessStart>(&what); start && !start->process.health_check)
    phases_.exec(container, at);
  Observation observation;
  observation.entity = std::move(entity);
  observation.at = at;
  observation.boot_at = boot_at;
  observation.phase = phases_.phase_of(container, at);
  std::visit([&](const auto& w) { observation.what = w; }, what);
  out.push_back(std::move(observation));
}

void Attribution::socket(const SocketEvent& event, std::vector<Observation>& out) {
  const auto& use = event.use;
  if (event.action == SocketAction::closed)
    sockets_.closed(use);
  else
    sockets_.opened(use);
  if (event.action != SocketAction::listening || use.container.empty()) return;
  // Where the engine has not told of it yet, the next look does.
  auto entity = inventory_.by_container(use.container);
  if (!entity) return;
  if (listens_.size() >= listeners_limit && !listens_.contains(use.container)) listens_.clear();
  auto& told = listens_[use.container];
  if (told.size() >= listens_limit) told.clear();
  auto [port, fresh] = told.try_emplace(std::uint32_t(use.protocol) << 16 | use.local_port, false);
  if (!event.looked_up) port->second = !event.bound;
  Listen listen;
  listen.protocol = use.protocol;
  listen.address = use.local == IpAddress::v4(0) ? IpAddress{} : use.local;
  listen.port = use.local_port;
  listen.chosen_by_kernel = port->second;
  listen.pid = use.pid;
  listen.exe = use.exe;
  listen.again = event.looked_up && !fresh;
  Observation observation;
  observation.entity = std::move(entity);
  observation.at = use.at;
  observation.boot_at = event.boot_at;
  observation.phase = phases_.phase_of(use.container, use.at);
  observation.what = std::move(listen);
  out.push_back(std::move(observation));
}

void Attribution::sockets_gone(const std::string& container) {
  sockets_.container_gone(container);
  listens_.erase(container);
}

bool Attribution::is_other_copy(const IpAddress& src, const IpAddress& dst, std::uint16_t dport,
                                std::uint8_t protocol, InterfaceRole role) {
  if (role != InterfaceRole::lan) return false;
  if (is_own(src) || (is_own(dst) && inventory_.published_to(dport, protocol) != 0)) return true;
  // Where the LAN interface is a bridge itself, the kernel translates before the capture sees the packet.
  return inventory_.by_address(src)->kind == EntityKind::service ||
         inventory_.by_address(dst)->kind == EntityKind::service;
}

/// @param exchanged it did something that nobody can do with a made-up address.
bool Attribution::is_real(const Entity& entity, const IpAddress& address, bool exchanged) {
  if (entity.kind != EntityKind::device) return true;
  if (proven_.contains(address)) return true;
  if (!exchanged) return entity.name != to_string(address) && !is_group(address);
  if (proven_order_.size() < proven_limit) {
    proven_order_.push_back(address);
  } else {
    proven_.erase(proven_order_[next_proven_]);
    proven_order_[next_proven_] = address;
    next_proven_ = (next_proven_ + 1) % proven_limit;
  }
  proven_.insert(address);
  return true;
}

EntityPtr Attribution::owner_at(const IpAddress& local, std::uint16_t local_port, const IpAddress& remote,
                                std::uint16_t remote_port, std::uint8_t protocol, Timestamp at) {
  if (!is_own(local)) return nullptr;
  const auto* use = sockets_.find("", protocol, local, local_port, remote, remote_port, at);
  return use == nullptr || use->container.empty() ? nullptr : inventory_.by_container(use->container);
}

void Attribution::flow(const Flow& flow, InterfaceRole role, std::vector<Observation>& out) {
  const auto caller = owner_at(flow.src, flow.sport, flow.dst, flow.dport, flow.protocol, flow.last);
  const auto called = owner_at(flow.dst, flow.dport, flow.src, flow.sport, flow.protocol, flow.last);
  if (caller || called)
    ++counters_.by_socket;
  else if (is_other_copy(flow.src, flow.dst, flow.dport, flow.protocol, role)) {
    ++counters_.translated;
    return;
  }
  // Every generation's port is tried until one answers.
  if (target_port_ != 0 && flow.dst == target_ && is_own(flow.src) &&
      (flow.dport == target_port_ || flow.dport == 59881 || flow.dport == 48081)) {
    ++counters_.own;
    return;
  }
  auto src = caller ? caller : entity_at(flow.src, flow.dst);
  auto dst = called ? called : entity_at(flow.dst, flow.src);
  if (flow.server_name && dst->kind == EntityKind::internet)
    dst = names_.asked_for(own_address_of(flow.src), flow.dst, *flow.server_name);
  if (!is_watched(*src) && !is_watched(*dst)) {
    ++counters_.unattributed;
    return;
  }
  // Whoever forges an address never sees the answer, so he cannot go on after it.
  bool both = flow.packets_in > 0 && flow.packets_out > 0;
  bool went_on = both && (flow.protocol != 6 || is_contact(flow));
  bool of_src = is_watched(*src) && is_real(*src, flow.src, went_on);
  bool of_dst = is_watched(*dst) && is_real(*dst, flow.dst, both);
  if (!of_src && !of_dst) ++counters_.strangers;
  Observation observation;
  observation.at = flow.last;
  observation.what = flow;
  if (of_src) {
    observation.entity = src;
    observation.peer = dst;
    observation.phase = phases_.phase_of(src->container, flow.first);
    out.push_back(observation);
  }
  if (of_dst) {
    observation.entity = dst;
    observation.peer = src;
    observation.phase = phases_.phase_of(dst->container, flow.first);
    std::get<Flow>(observation.what).inbound = true;
    out.push_back(std::move(observation));
  }
}

void Attribution::command(const FieldCommand& command, InterfaceRole role, std::vector<Observation>& out) {
  if (is_other_copy(command.src, command.dst, command.dport, command.protocol, role)) return;
  const auto src = entity_at(command.src, command.dst), dst = entity_at(command.dst, command.src);
  Observation observation;
  observation.at = command.last;
  observation.what = command;
  // The address of whoever asks by UDP can be made up; one that nobody named is no entity for that.
  if (is_watched(*src) && is_real(*src, command.src, false)) {
    observation.entity = src;
    observation.peer = dst;
    observation.phase = phases_.phase_of(src->container, command.first);
    out.push_back(observation);
  }
  if (is_watched(*dst) && is_real(*dst, command.dst, false)) {
    observation.entity = dst;
    observation.peer = src;
    observation.phase = phases_.phase_of(dst->container, command.first);
    std::get<FieldCommand>(observation.what).inbound = true;
    out.push_back(std::move(observation));
  }
}

void Attribution::container(const ContainerEvent& event, std::vector<Observation>& out) {
  auto entity = inventory_.by_container(event.id);
  if (!entity) return;
  Observation observation;
  observation.entity = std::move(entity);
  observation.at = event.at;
  observation.phase = phases_.phase_of(event.id, event.at);
  observation.what = event.change;
  out.push_back(std::move(observation));
}

void Attribution::usage(const std::string& container, Timestamp at, const Usage& usage,
                        std::vector<Observation>& out) {
  auto entity = inventory_.by_container(container);
  if (!entity) return;
  Observation observation;
  observation.entity = std::move(entity);
  observation.at = at;
  observation.phase = phases_.phase_of(container, at);
  observation.what = usage;
  out.push_back(std::move(observation));
}

} // namespace iris
