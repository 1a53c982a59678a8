#pragma once
#include "core/link/guard.hpp"
#include "core/link/identity.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What the two ends of the link have in common. Neither OpenSSL, Asio nor CAF are named here.
namespace iris {

/// Why a connection ended. The numbers cross the wire: append only.
enum class CloseCause : std::uint8_t {
  peer_closed = 0,  ///< the other side closed it or its network did
  local = 1,        ///< somebody here asked for it
  tls = 2,          ///< certificate or protocol refused
  deadline = 3,     ///< not authenticated and admitted in time
  violation = 4,    ///< broke the rules of the link
  silent = 5,       ///< no heartbeat
  slow = 6,         ///< does not take what it is sent
  clone = 7,        ///< its identity is in use by another machine that answers
  replaced = 8,     ///< the same peer has a newer connection
  revoked = 9,      ///< its certificate was revoked
  limit = 10,       ///< too many connections
  refused = 11,     ///< not wanted: no session for it
  unreachable = 12, ///< no connection came about
};
[[nodiscard]] const char* to_string(CloseCause cause); ///< "peer-closed", …

struct CloseReason {
  CloseCause cause = CloseCause::local;
  Violation violation = Violation::none;
  std::string detail;
};
[[nodiscard]] std::string to_string(const CloseReason& reason); ///< one line for people

/// PEM files; read again when one of them changes.
struct TlsFiles {
  std::string certificate;
  std::string key;
  std::string ca;
  std::string crl; ///< empty: none
};

struct LinkTiming {
  std::chrono::milliseconds handshake{10'000}; ///< from accept or connect until admitted
  std::chrono::milliseconds heartbeat{10'000};
  std::chrono::milliseconds silence{
      30'000}; ///< without a whole frame (or least_progress of one) the peer is gone
  std::chrono::milliseconds probe{3'000};    ///< for an old connection of the same identity to answer
  std::chrono::milliseconds slow{30'000};    ///< for least_progress of what waits for it
  std::chrono::milliseconds stalled{30'000}; ///< with as many unanswered messages as it may have
};

/// Bytes: a peer that takes (or, within a frame, sends) fewer in LinkTiming::slow (silence) is closed.
inline constexpr std::size_t least_progress = 64 << 10;
/// Bytes that wait for a peer, what CAF has written for it included; more closes it at once. Credit keeps an
/// honest one far below.
inline constexpr std::size_t max_buffered = 4 << 20;
inline constexpr std::size_t max_inwards = 4 << 20; ///< not yet taken by CAF; then reading pauses

/// Counted since start. Names are stable and end up in metrics.
using LinkCounters = std::vector<std::pair<std::string, std::uint64_t>>;

inline constexpr std::size_t largest_enrolment = 8192; ///< bytes of JSON, both directions

struct EnrolRequest {
  std::string secret; ///< raw bytes; empty in a renewal
  std::string csr;    ///< PEM
  std::string version;
  std::string remote;             ///< address it came from
  std::optional<Identity> renews; ///< who asks for the next certificate, proven by the one it has
  std::string serial;             ///< of that one, hex
  std::int64_t renewable = 0;     ///< when two thirds of its life are over; seconds since the epoch
};
/// Either an error for the person who enrols, or the other three.
struct EnrolResponse {
  std::string error;
  std::string certificate; ///< PEM
  std::string ca;          ///< PEM
  std::string identity;    ///< URI
};
/// Answer by calling `reply` once, from any thread, now or later. Runs on the link's thread: must not block.
using EnrolHandler = std::function<void(const EnrolRequest&, std::function<void(EnrolResponse)> reply)>;

} // namespace iris
