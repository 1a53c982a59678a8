#pragma once
#include "actors/link/link.hpp"
#include "core/base/result.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include <memory>
#include <string>
#include <vector>

namespace iris {

struct LinkClientOptions {
  std::vector<std::string> addresses; ///< "host:port" of the shards, tried in turn
  /// Asked before every attempt, on the link's thread; what it gives takes the place of `addresses`. An error
  /// leaves them as they are and is told once. May be empty.
  std::function<Result<std::vector<std::string>>()> read_addresses;
  TlsFiles tls;
  LinkTiming timing;
  std::chrono::milliseconds backoff_least{1'000}; ///< doubles with every failure …
  std::chrono::milliseconds backoff_most{60'000}; ///< … up to this; the wait is random between 0 and that
  std::vector<WireType> to_cloud, from_cloud;     ///< empty: wire_types() of our own role
};

/// All run on the link's thread and must not block.
struct LinkClientEvents {
  /// The session that speaks for the cloud; who it is, and where.
  std::function<void(caf::strong_actor_ptr session, const Identity& server, const std::string& address)> up;
  /// After every up(); CloseCause::local where nothing is wrong. The session's DOWN comes by itself;
  /// connecting goes on after it.
  std::function<void(const CloseReason&)> down;
  /// An attempt that did not lead to up(); or, with an empty address, files that could not be read again,
  /// which may be while connected.
  std::function<void(const CloseReason&, const std::string& address)> failed;
};

/// The end of the link that connects: a gateway, or an operator's shell. Must be gone before its actor system
/// is.
class LinkClient {
public:
  /// Goes on connecting until it is destroyed. Fails only when the certificates cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<LinkClient>>
  start(caf::actor_system& system, LinkClientOptions options, LinkClientEvents events);
  ~LinkClient();

  /// Closes the present connection, if any; the next one comes after the usual pause, or with `later` after
  /// one of up to the longest.
  void leave(std::string why, bool later = false);
  [[nodiscard]] Identity identity() const; ///< our own
  [[nodiscard]] LinkCounters counters() const;

private:
  struct Impl;
  explicit LinkClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace iris
