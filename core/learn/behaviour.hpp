#pragma once
#include "core/base/observation.hpp"
#include "core/base/table_budget.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace iris {

/// What kind of habit a behaviour is. Values rest on disk and cross the wire: append only.
enum class Family : std::uint8_t { exec, peer_out, peer_in, dns, listen, exit, origin, command, protocol };
inline constexpr std::size_t family_count = 9;
inline constexpr std::size_t phase_count = 2;
inline constexpr std::size_t level_count = 3;
[[nodiscard]] const char* to_string(Family family);

/// The learnable shape of an observation. Back-off, finest first:
///   exec      program + normalised arguments + parent | program + parent | program
///   peer_out  peer + port | see below + … | class of the peer
///   peer_in   the same, seen from the one who is called
///   dns       name | registrable domain | -
///   listen    protocol and port | - | -
///   exit      program + code or signal | program | -
///   command   device + function of a field protocol | any such device + function | protocol + read, write, …
///   protocol  application protocol, spoken or served + port | application protocol, spoken or served | -
///   origin    program or script that is not of the image + where its file lies | - | -
/// Middle level of a peer: a sibling service by name without the port; "any LAN device" with the port; an
/// internet peer's registrable domain, or its /24 (IPv6: /48) where it has no name. Coarsest: the class ("LAN
/// device", "internet", …), for inbound ones with the port. Ephemeral ports are never part of a key.
struct Behaviour {
  Family family{};
  Phase phase = Phase::steady;
  /// How many of the finest levels depend on the site (addresses of devices and of remote clients). The rest
  /// is the same on every gateway.
  std::uint8_t site_levels = 0;
  /// Of peer families the peer's kind; of dns internet for a public name; otherwise unknown.
  EntityKind peer_class = EntityKind::unknown;
  std::array<std::uint64_t, level_count> keys{}; ///< 0 = no such level
  std::array<std::string, level_count> texts;    ///< for people, at most text_limit bytes each

  static constexpr std::size_t text_limit = 200;
  [[nodiscard]] bool site() const { return site_levels > 0; }
  /// The coarsest level that exists.
  [[nodiscard]] std::size_t coarsest() const { return keys[2] ? 2 : keys[1] ? 1 : 0; }
  /// Identity in a window's table: phases are counted apart.
  [[nodiscard]] std::uint64_t id() const { return keys[0] * 2 + std::uint64_t(phase == Phase::steady); }
};
using BehaviourPtr = std::shared_ptr<const Behaviour>;

/// At most two behaviours (a flow whose content is known is also a protocol, a start of a file that is not of
/// the image also an origin), the principal one first. Empty for what is not learned, such as unanswered
/// inbound connection attempts, whose source addresses can be made up, and container changes.
[[nodiscard]] std::vector<Behaviour> behaviours_of(const Observation& observation);

/// The call that carries a command, as flows show it.
[[nodiscard]] Behaviour call_of(const Observation& observation, const FieldCommand& command);

/// Whether the flow was a real exchange; a TCP opening without the caller's second packet is none, since its
/// source may be forged (spoofed floods). UDP and others: any packet that we send, or a packet inside the
/// local networks.
[[nodiscard]] bool is_contact(const Flow& flow);

/// Whether a novelty of this family is any detector's. What a sibling service or a device does to another one
/// that is watched itself is reported once, at the side that did it; exits explain, but do not
/// alert.
[[nodiscard]] bool is_reported(Family family, EntityKind entity, EntityKind peer_class);

/// An argument vector (argv[0] left out) as one line in which what changes from run to run is a placeholder:
/// <n> numbers, <hex>, <uuid>, <time>, <tmp> names, <ip>; inline scripts (-c, -e) as <script:HASH>.
[[nodiscard]] std::string normalise_arguments(const std::vector<std::string>& args);

/// "example.co.uk" of "a.b.example.co.uk": two labels, three under well-known second-level registries.
[[nodiscard]] std::string_view registrable_domain(std::string_view name);

/// Whether a name is looked up in the public DNS: has a dot and is not .local, .lan, .internal, .arpa and
/// such.
[[nodiscard]] bool is_public_name(std::string_view name);

/// Derives behaviours without hashing or allocating for flows and programs that it has seen before.
class BehaviourCache {
public:
  /// @param budget shared with other tables; null: none.
  explicit BehaviourCache(std::size_t limit = 4096, std::shared_ptr<TableBudget> budget = nullptr);
  ~BehaviourCache();
  BehaviourCache(BehaviourCache&&) noexcept;
  BehaviourCache& operator=(BehaviourCache&&) noexcept;
  /// Valid until the next call.
  [[nodiscard]] const std::vector<BehaviourPtr>& derive(const Observation& observation);
  /// How often it was full and had to be emptied.
  [[nodiscard]] std::uint64_t flushes() const;

private:
  struct State;
  std::unique_ptr<State> state_;
};

} // namespace iris
