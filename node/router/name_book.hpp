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

  static constexpr std::size_t names_limit = 4; ///< of one address, as of a content network; the same

  void tell(const IpAddress& client, const IpAddress& address, const std::string& name);
  /// The newest name. The same entity until it is told anew, so that who sees it often need not look again;
  /// null where the client was told no name.
  [[nodiscard]] EntityPtr find(const IpAddress& client, const IpAddress& address) const;
  /// Who is meant by a flow of this client in which it asked for `name` itself. What it was told before is
  /// believed; any other name is its own word, with which a program in strange hands could pass its peer off
  /// as a friend: it is marked as such, so that it is another name than the friend's.
  [[nodiscard]] EntityPtr asked_for(const IpAddress& client, const IpAddress& address,
                                    const std::string& name);
  static constexpr const char* own_word = " (by TLS only)";        ///< the mark
  [[nodiscard]] std::uint64_t evicted() const { return evicted_; } ///< names forgotten at a limit

private:
  struct Names {
    std::vector<EntityPtr> told; ///< newest first
    EntityPtr own_word;          ///< the last one
  };
  struct Client {
    std::unordered_map<IpAddress, Names, IpAddressHash> names;
    std::vector<IpAddress> order; ///< ring of what was named
    std::size_t next = 0;         ///< oldest of the ring
    std::list<IpAddress>::iterator age;
  };
  Names& names_of(const IpAddress& client, const IpAddress& address);

  std::unordered_map<IpAddress, Client, IpAddressHash> clients_;
  std::list<IpAddress> ages_; ///< longest untold first
  std::uint64_t evicted_ = 0;
};

} // namespace iris
