#pragma once
#include "core/base/entity.hpp"
#include "core/inventory/container.hpp"
#include "core/inventory/edgex_json.hpp"
#include "core/inventory/inventory_file.hpp"

#include <list>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// Who is who on and around this gateway: container ids and addresses -> entities. For one thread.
/// Entities are immutable: when something about one changes, later look-ups give a new one and observations
/// that hold the old one keep it.
class Inventory {
public:
  static constexpr std::size_t on_demand_limit =
      4096; ///< entities of addresses without a name, least used go first
  static constexpr std::size_t retired_limit =
      256; ///< containers that are gone but still known to late events

  /// The host itself; `addresses` are all of its own ones, the bridges' included.
  void set_gateway(std::string name, const std::vector<IpAddress>& addresses);
  /// The LAN's networks; their directed broadcast addresses are recognised.
  void set_lan(std::vector<Cidr> networks);
  /// Global addresses that are not the internet but ours (`--local CIDR`).
  void add_local(const Cidr& network);
  void set_container(ContainerFacts facts);
  /// The container is gone. Its id and addresses still answer for late events until they are used anew.
  void remove_container(const std::string& id);
  /// Replaces all names that came from EdgeX. Of several devices on one address the first by name gives the
  /// name. Only addresses that are private, link-local, of the LAN or local become devices.
  void set_devices(const std::vector<EdgexDevice>& devices);
  /// Names from a file; they go before EdgeX's names, but not before a running container's address.
  void set_names(const std::vector<InventoryEntry>& entries);

  /// What a device calls itself, for people: neither who it is nor how it is judged depends on it. Taken for
  /// addresses of ours that nobody else named; where there are too many, the one heard of first is forgotten.
  void hear_alias(const IpAddress& address, const std::string& alias);
  static constexpr std::size_t alias_limit = 1'024;

  [[nodiscard]] const EntityPtr& gateway() const { return gateway_; }
  [[nodiscard]] EntityPtr by_container(const std::string& id) const; ///< null where it is not known
  /// Never null: service, gateway, named device, device of a private or local address, internet.
  [[nodiscard]] EntityPtr by_address(const IpAddress& address);
  /// The service that the gateway forwards this port of its own to; null for none.
  [[nodiscard]] EntityPtr by_published_port(std::uint16_t host_port, std::uint8_t protocol) const;
  /// The port inside of that container; 0 for none.
  [[nodiscard]] std::uint16_t published_to(std::uint16_t host_port, std::uint8_t protocol) const;
  /// Services that share the gateway's network, so that the gateway's traffic may be theirs.
  [[nodiscard]] std::vector<EntityPtr> on_host_network() const;

  [[nodiscard]] const ContainerFacts* facts(const std::string& id) const; ///< also of retired ones
  [[nodiscard]] std::size_t containers() const { return containers_.size() - retired_.size(); }
  [[nodiscard]] const std::map<std::string, EdgexDevice>& devices() const { return devices_; }
  [[nodiscard]] std::uint64_t evicted() const {
    return evicted_;
  } ///< unnamed entities forgotten at the limit

private:
  struct Container {
    ContainerFacts facts;
    EntityPtr entity;
    bool retired = false;
  };
  struct OnDemand {
    EntityPtr entity;
    std::list<IpAddress>::iterator age;
  };
  struct Published {
    std::string container;
    std::uint16_t port = 0;
  };

  [[nodiscard]] EntityPtr on_demand(const IpAddress& address);
  /// Private, link-local, or of a network that we know as ours.
  [[nodiscard]] bool is_ours(const IpAddress& address) const;
  [[nodiscard]] bool broadcast_of_lan(const IpAddress& address) const;
  void forget_on_demand(const IpAddress& address);

  EntityPtr gateway_ = std::make_shared<Entity>(Entity{EntityKind::gateway, "gateway"});
  std::unordered_map<IpAddress, bool, IpAddressHash> own_;
  std::vector<Cidr> lan_, local_;
  std::unordered_map<std::string, Container> containers_;
  std::list<std::string> retired_; ///< oldest first
  std::unordered_map<IpAddress, std::string, IpAddressHash> container_at_;
  std::map<std::pair<std::uint16_t, std::uint8_t>, Published> published_;
  std::unordered_map<IpAddress, EntityPtr, IpAddressHash> named_by_file_, named_by_edgex_;
  std::map<std::string, EdgexDevice> devices_;
  std::unordered_map<IpAddress, OnDemand, IpAddressHash> on_demand_;
  std::list<IpAddress> ages_; ///< least recently used first
  std::unordered_map<IpAddress, std::string, IpAddressHash> aliases_;
  std::list<IpAddress> alias_order_; ///< first heard of first
  std::uint64_t evicted_ = 0;
};

} // namespace iris
