#pragma once
#include "actors/link/link.hpp"
#include "core/base/result.hpp"

#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace iris {

struct ConnectionInfo {
  std::uint64_t id = 0; ///< unique in this process
  Identity identity;
  std::string remote;      ///< "address:port"
  std::string serial;      ///< of its certificate, hex
  std::string authority;   ///< that its certificate was verified by, see PeerCertificate
  std::int64_t issued = 0; ///< its certificate is good from, seconds since the epoch
  std::shared_ptr<const std::atomic<std::size_t>> buffered; ///< bytes that wait for it now
};

struct LinkServerOptions {
  std::vector<std::string> listen{"0.0.0.0:7443"}; ///< "address:port", "[v6]:port"; port 0 picks one
  TlsFiles tls;
  LinkTiming timing;
  unsigned threads = 1; ///< for sockets and TLS
  std::size_t max_connections = 12'000;
  std::size_t max_strangers = 1024;           ///< connections that are not authenticated yet, all together
  std::size_t max_strangers_per_address = 32; ///< of IPv6: per /64
  std::size_t max_per_operator = 8; ///< shells of one operator; gateways and shards have one connection
  std::size_t max_pending_per_identity =
      4;                             ///< beyond that: authenticated and not admitted, or on their way out
  std::uint32_t stranger_lines = 20; ///< of the log, a second, about who was never authenticated
  std::chrono::milliseconds repeat_pause{60'000}; ///< alarms and lines about the same peer and reason
  std::size_t max_unanswered = 256; ///< messages of one peer without an answer; then reading pauses
  std::function<void(const Frame&, bool inward)> tap; ///< see GuardOptions
  /// What a client of this role may send and be sent; empty: wire_types().
  std::vector<WireType> to_cloud, from_cloud;
};

/// All run on the link's control thread and must not block.
struct LinkServerEvents {
  /// A peer was authenticated and admitted: its session, which it and nobody else can address. Null refuses
  /// it.
  std::function<caf::strong_actor_ptr(const ConnectionInfo&)> open;
  /// It ended, for whatever reason; its session should quit. Called for every open() that gave a session.
  std::function<void(const ConnectionInfo&, const CloseReason&)> closed;
  /// Something that an operator should hear of: a violation (also of a peer that was not admitted), or a
  /// clone. `count`: how often since the last alarm about this peer for this reason.
  std::function<void(const ConnectionInfo&, const CloseReason&, std::uint64_t count)> alarm;
  EnrolHandler enrol; ///< none: enrolment is refused
  std::function<void(std::string line)> log;
};

/// The cloud's end of the link. Must be gone before its actor system is.
class LinkServer {
public:
  [[nodiscard]] static Result<std::unique_ptr<LinkServer>>
  start(caf::actor_system& system, LinkServerOptions options, LinkServerEvents events);
  ~LinkServer(); ///< closes everything

  /// The ports that are listened on, in the order of the options.
  [[nodiscard]] std::vector<std::uint16_t> ports() const;
  void close(std::uint64_t connection, std::string why);
  /// All of an identity's, e.g. when it was revoked; `rights` of operators do not matter.
  void close_identity(const Identity& identity, CloseCause cause, std::string why);
  /// Reads certificates and the list of revocations now and cuts who is on it. (Changes of the files are also
  /// noticed within a second.)
  Result<void> reload();
  [[nodiscard]] std::vector<ConnectionInfo> connections() const;
  [[nodiscard]] LinkCounters counters() const;

private:
  struct Impl;
  explicit LinkServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

} // namespace iris
