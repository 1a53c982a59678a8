#pragma once
#include "core/inventory/inventory.hpp"
#include "core/net/device_names.hpp"
#include "core/net/dns.hpp"
#include "core/net/socket_owners.hpp"
#include "node/router/name_book.hpp"
#include "node/router/phase_clock.hpp"

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace iris {

/// Where a packet source listens; it decides which copy of a translated packet counts.
enum class InterfaceRole : std::uint8_t { bridge, lan };

/// Says whose an observation is and who is at the other end. One thread.
///
/// A packet that Docker translates is seen twice: on the container bridge with the container's own address,
/// and on the LAN with the gateway's. The bridge's copy counts. So on the LAN everything that the gateway's
/// own addresses open is left out (masqueraded, or the host's own), and everything that goes to a published
/// port of them, unless a socket of a container on the host's network is at that end: then it is that one's.
class Attribution {
public:
  struct Counters {
    std::uint64_t translated = 0;   ///< flows left out as the other copy
    std::uint64_t by_socket = 0;    ///< flows of containers on the host's network, by who has the socket
    std::uint64_t own = 0;          ///< the monitor's own traffic
    std::uint64_t unattributed = 0; ///< neither side is a service or a device
    std::uint64_t host_processes = 0;
    std::uint64_t strangers =
        0; ///< flows of addresses that nobody named and that never took part in an exchange
  };

  [[nodiscard]] Inventory& inventory() { return inventory_; }
  [[nodiscard]] PhaseClock& phases() { return phases_; }
  void set_own_addresses(std::string gateway, const std::vector<IpAddress>& addresses);
  /// What the monitor itself asks (core-metadata), so that it is no part of anyone's habits.
  void set_own_target(const IpAddress& address, std::uint16_t port);
  /// Someone was told a name: the addresses behind it have it, for him. An observation where he is a service
  /// or a LAN device and an address is outside.
  void lookup(const DnsSeen& seen, InterfaceRole role, std::vector<Observation>& out);

  /// What a device of the LAN calls itself; of containers the engine knows better.
  void device_name(const DeviceName& name);

  void process(const std::string& container, Timestamp at, std::int64_t boot_at,
               const std::variant<ProcessStart, ProcessExit>& what, std::vector<Observation>& out);
  /// Remembers whose socket it is. An observation where a known service listens.
  void socket(const SocketEvent& event, std::vector<Observation>& out);
  /// One observation for each side that is a service or a LAN device. An address without a name is a device
  /// only once it answered, or was answered and went on: others can be made up by the thousand.
  void flow(const Flow& flow, InterfaceRole role, std::vector<Observation>& out);
  /// One observation for each side that is a service or a LAN device.
  void command(const FieldCommand& command, InterfaceRole role, std::vector<Observation>& out);
  void container(const ContainerEvent& event, std::vector<Observation>& out);
  void usage(const std::string& container, Timestamp at, const Usage& usage, std::vector<Observation>& out);

  /// Whether traffic between these two, seen on such an interface, is the other copy of translated traffic.
  [[nodiscard]] bool is_other_copy(const IpAddress& src, const IpAddress& dst, std::uint16_t dport,
                                   std::uint8_t protocol, InterfaceRole role);
  /// @param other who deals with it: an address outside has the name that he was told for it.
  [[nodiscard]] EntityPtr entity_at(const IpAddress& address, const IpAddress& other);
  [[nodiscard]] const NameBook& names() const { return names_; }
  [[nodiscard]] const SocketOwners& sockets() const { return sockets_; }
  /// It ended: its sockets are no more.
  void sockets_gone(const std::string& container);
  [[nodiscard]] const Counters& counters() const { return counters_; }

private:
  static constexpr std::size_t proven_limit =
      4'096; ///< addresses; the oldest is forgotten and has to show itself again
  [[nodiscard]] bool is_real(const Entity& entity, const IpAddress& address, bool exchanged);
  /// The one address under which a client with several is known.
  [[nodiscard]] IpAddress own_address_of(const IpAddress& client);
  [[nodiscard]] bool is_own(const IpAddress& address) const { return own_.contains(address); }
  /// The container on the gateway's own network that has this socket; null where it is none's.
  [[nodiscard]] EntityPtr owner_at(const IpAddress& local, std::uint16_t local_port, const IpAddress& remote,
                                   std::uint16_t remote_port, std::uint8_t protocol, Timestamp at);

  Inventory inventory_;
  PhaseClock phases_;
  Counters counters_;
  std::unordered_map<IpAddress, bool, IpAddressHash> own_;
  NameBook names_;
  SocketOwners sockets_;
  static constexpr std::size_t listens_limit = 256,
                               listeners_limit = 1'024; ///< ports of one container, containers
  std::unordered_map<std::string, std::unordered_map<std::uint32_t, bool>>
      listens_; ///< told; true: kernel's choice
  std::unordered_set<IpAddress, IpAddressHash> proven_;
  std::vector<IpAddress> proven_order_; ///< ring
  std::size_t next_proven_ = 0;
  IpAddress target_;
  std::uint16_t target_port_ = 0;
};

} // namespace iris
