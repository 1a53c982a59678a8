#include "core/inventory/inventory.hpp"

#include <algorithm>

namespace iris {
namespace {
constexpr std::size_t local_limit = 256;
} // namespace

void Inventory::set_gateway(std::string name, const std::vector<IpAddress>& addresses) {
  Entity entity{EntityKind::gateway, std::move(name)};
  own_.clear();
  for (const auto& address : addresses) {
    own_[address] = true;
    forget_on_demand(address);
    // The address under which others see it: the first that is not a loopback.
    if (entity.address == IpAddress{} && scope_of(address) != AddressScope::loopback)
      entity.address = address;
  }
  if (*gateway_ != entity) gateway_ = std::make_shared<const Entity>(std::move(entity));
}

void Inventory::set_lan(std::vector<Cidr> networks) {
  lan_ = std::move(networks);
  on_demand_.clear(); // as below
  ages_.clear();
}

void Inventory::add_local(const Cidr& network) {
  if (local_.size() >= local_limit) return;
  local_.push_back(network);
  on_demand_.clear(); // some of them may have been judged as internet
  ages_.clear();
}

void Inventory::set_container(ContainerFacts facts) {
  const std::string id = facts.id;
  auto& container = containers_[id];
  if (container.retired) {
    retired_.remove(id);
    container.retired = false;
  }
  for (const auto& network : container.facts.networks) // addresses that it no longer has
    for (const auto& address : {network.address, network.address6})
      if (auto found = container_at_.find(address); found != container_at_.end() && found->second == id)
        container_at_.erase(found);
  std::erase_if(published_, [&](const auto& entry) { return entry.second.container == id; });

  Entity entity{EntityKind::service, facts.service, facts.image, facts.digest, id};
  for (const auto& network : facts.networks)
    for (const auto& address : {network.address, network.address6}) {
      if (address == IpAddress{}) continue;
      if (entity.address == IpAddress{}) entity.address = address;
      container_at_[address] = id;
      forget_on_demand(address);
    }
  if (facts.running)
    for (const auto& port : facts.ports)
      published_[{port.host_port, port.protocol}] = {id, port.container_port};
  if (!container.entity || *container.entity != entity)
    container.entity = std::make_shared<const Entity>(std::move(entity));
  // A stopped container has no address in the engine's answer: keep the last ones for what is still on its
  // way.
  if (!facts.running &&
      (facts.networks.empty() || std::all_of(facts.networks.begin(), facts.networks.end(), [](const auto& n) {
         return n.address == IpAddress{} && n.address6 == IpAddress{};
       }))) {
    for (const auto& network : container.facts.networks)
      for (const auto& address : {network.address, network.address6})
        if (address != IpAddress{}) container_at_.try_emplace(address, id);
    facts.networks = std::move(container.facts.networks);
  }
  container.facts = std::move(facts);
}

void Inventory::remove_container(const std::string& id) {
  auto found = containers_.find(id);
  if (found == containers_.end() || found->second.retired) return;
  found->second.retired = true;
  found->second.facts.running = false;
  retired_.push_back(id);
  std::erase_if(published_, [&](const auto& entry) { return entry.second.container == id; });
  while (retired_.size() > retired_limit) {
    std::erase_if(container_at_, [&](const auto& entry) { return entry.second == retired_.front(); });
    containers_.erase(retired_.front());
    retired_.pop_front();
  }
}

void Inventory::set_devices(const std::vector<EdgexDevice>& devices) {
  named_by_edgex_.clear();
  devices_.clear();
  for (const auto& device : devices)
    devices_.emplace(device.name, device);
  for (const auto& [name, device] : devices_) // in the order of names, so that the same one always wins
    for (const auto& address : device.addresses) {
      named_by_edgex_.try_emplace(
          address, std::make_shared<const Entity>(Entity{EntityKind::device, name, "", "", "", address}));
      forget_on_demand(address);
    }
}

void Inventory::set_names(const std::vector<InventoryEntry>& entries) {
  named_by_file_.clear();
  for (const auto& entry : entries) {
    auto entity = std::make_shared<const Entity>(Entity{entry.kind, entry.name, "", "", "", entry.address});
    if (entry.kind == EntityKind::gateway && gateway_->name == "gateway") gateway_ = entity;
    named_by_file_[entry.address] = std::move(entity);
    forget_on_demand(entry.address);
  }
}

void Inventory::hear_alias(const IpAddress& address, const std::string& alias) {
  if (alias.empty() || !is_ours(address) || own_.contains(address)) return;
  auto [known, fresh] = aliases_.try_emplace(address, alias);
  if (!fresh && known->second == alias) return;
  known->second = alias;
  forget_on_demand(address);
  if (!fresh) return;
  alias_order_.push_back(address);
  if (alias_order_.size() <= alias_limit) return;
  forget_on_demand(alias_order_.front());
  aliases_.erase(alias_order_.front());
  alias_order_.pop_front();
}

EntityPtr Inventory::by_container(const std::string& id) const {
  auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : found->second.entity;
}

EntityPtr Inventory::by_address(const IpAddress& address) {
  // A running container owns its address; a gone one answers only where nobody else does.
  EntityPtr gone;
  if (auto at = container_at_.find(address); at != container_at_.end()) {
    const auto& container = containers_.at(at->second);
    if (!container.retired) return container.entity;
    gone = container.entity;
  }
  if (own_.contains(address)) return gateway_;
  if (auto found = named_by_file_.find(address); found != named_by_file_.end()) return found->second;
  // core-metadata takes a device's address from any container: it cannot make the internet a known device.
  if (auto found = named_by_edgex_.find(address); found != named_by_edgex_.end() && is_ours(address))
    return found->second;
  if (gone) return gone;
  if (scope_of(address) == AddressScope::loopback) return gateway_;
  return on_demand(address);
}

bool Inventory::is_ours(const IpAddress& address) const {
  const auto scope = scope_of(address);
  if (scope == AddressScope::private_use || scope == AddressScope::link_local) return true;
  auto holds = [&](const Cidr& network) { return network.contains(address); };
  return scope == AddressScope::global &&
         (std::any_of(local_.begin(), local_.end(), holds) || std::any_of(lan_.begin(), lan_.end(), holds));
}

EntityPtr Inventory::on_demand(const IpAddress& address) {
  if (auto found = on_demand_.find(address); found != on_demand_.end()) {
    ages_.splice(ages_.end(), ages_, found->second.age);
    return found->second.entity;
  }
  Entity entity{EntityKind::device, to_string(address), "", "", "", address};
  switch (scope_of(address)) {
  case AddressScope::global:
    if (!is_ours(address)) entity.kind = EntityKind::internet;
    break;
  case AddressScope::multicast:
    entity.name = "multicast " + entity.name;
    break;
  case AddressScope::broadcast:
    entity.name = "broadcast";
    break;
  case AddressScope::unspecified:
    entity.kind = EntityKind::unknown;
    break;
  case AddressScope::private_use:
  case AddressScope::link_local:
  case AddressScope::loopback:
    break;
  }
  if (entity.kind == EntityKind::device && broadcast_of_lan(address)) entity.name = "broadcast";
  if (auto heard = aliases_.find(address); heard != aliases_.end() && entity.kind == EntityKind::device)
    entity.alias = heard->second;
  while (on_demand_.size() >= on_demand_limit) {
    on_demand_.erase(ages_.front());
    ages_.pop_front();
    ++evicted_;
  }
  auto shared = std::make_shared<const Entity>(std::move(entity));
  on_demand_[address] = {shared, ages_.insert(ages_.end(), address)};
  return shared;
}

bool Inventory::broadcast_of_lan(const IpAddress& address) const {
  if (!address.is_v4()) return false;
  return std::any_of(lan_.begin(), lan_.end(), [&](const Cidr& network) {
    if (!network.base.is_v4() || network.bits < 96 || network.bits > 126) return false;
    const std::uint32_t hosts = network.bits == 96 ? 0xffffffffU : (1U << (128 - network.bits)) - 1;
    return address.v4_number() == (network.base.v4_number() | hosts);
  });
}

void Inventory::forget_on_demand(const IpAddress& address) {
  if (auto found = on_demand_.find(address); found != on_demand_.end()) {
    ages_.erase(found->second.age);
    on_demand_.erase(found);
  }
}

EntityPtr Inventory::by_published_port(std::uint16_t host_port, std::uint8_t protocol) const {
  auto found = published_.find({host_port, protocol});
  return found == published_.end() ? nullptr : by_container(found->second.container);
}

std::uint16_t Inventory::published_to(std::uint16_t host_port, std::uint8_t protocol) const {
  auto found = published_.find({host_port, protocol});
  return found == published_.end() ? 0 : found->second.port;
}

std::vector<EntityPtr> Inventory::on_host_network() const {
  std::vector<EntityPtr> out;
  for (const auto& [id, container] : containers_)
    if (!container.retired && container.facts.running && container.facts.host_network())
      out.push_back(container.entity);
  std::sort(out.begin(), out.end(),
            [](const EntityPtr& a, const EntityPtr& b) { return a->container < b->container; });
  return out;
}

const ContainerFacts* Inventory::facts(const std::string& id) const {
  auto found = containers_.find(id);
  return found == containers_.end() ? nullptr : &found->second.facts;
}

} // namespace iris
