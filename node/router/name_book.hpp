#pragma once
#include "core/base/entity.hpp"

#include <list>
#include <string>
#include <unordered_map>
#include <vector>

namespace iris {

/// Which names clients were told for addresses outside. What one client was told names nothing for another
/// one, so that a service in strange hands cannot make a friend of its peer for the others. One thread.
class NameBook {
public:
  static constexpr std::size_t client_limit = 128;  ///< the one that was told nothing for longest goes first
  static constexpr std::size_t address_limit = 256; ///< of each client; the oldest goes first
  static constexpr std::size_t name_limit = 255;    ///< a longer one (escapes) names nothing

  void tell(const IpAddress& client, const IpAddress& address, const std::string& name);
  /// The same entity until it is told anew, so that who sees it often need not look again; null where the
  /// client was told no name.
  [[nodiscard]] EntityPtr find(const IpAddress& client, const IpAddress& address) const;
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; } ///< names forgotten at a limit

private:
  struct Client {
    std::unordered_map<IpAddress, EntityPtr, IpAddressHash> names;
    std::vector<IpAddress> order; ///< ring of what was named
    std::size_t next = 0;         ///< oldest of the ring
    std::list<IpAddress>::iterator age;
  };
  std::unordered_map<IpAddress, Client, IpAddressHash> clients_;
  std::list<IpAddress> ages_; ///< longest untold first
  std::uint64_t evicted_ = 0;
};

} // namespace iris
