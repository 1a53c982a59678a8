#pragma once
#include "core/link/frame.hpp"
#include "core/link/identity.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace iris {

/// Why a peer's frame closes the connection.
enum class Violation : std::uint8_t {
  none,
  oversized,            ///< announces more payload than allowed
  malformed,            ///< the payload is not what its operation needs
  operation,            ///< an operation that this role never sends
  flags,                ///< flags or padding that this operation never has
  order,                ///< a handshake too many, or anything before it
  routed,               ///< asks to be passed on to another node
  named_receiver,       ///< addresses an actor by name
  destination,          ///< addresses an actor that is not its own to address
  source,               ///< speaks for an actor that cannot speak here
  sources,              ///< too many different actors speak
  node,                 ///< a node id that is not bound to this connection
  node_taken,           ///< a node id that belongs to another identity or to us
  forwarding,           ///< wants its answer to go somewhere else
  message_type,         ///< a message that is not on its role's list
  message_layout,       ///< a message whose content is not what its type says
  error_context,        ///< an error with something in its luggage
  unsolicited_response, ///< an answer to a question that was not asked
  unanswered,           ///< more that waits for an answer than allowed, for too long
};
[[nodiscard]] const char* to_string(Violation violation); ///< "message-type", …

/// A message that may cross the link. `layout` has a character a field: '1' u8, '4' u32, '8' u64, 'b' bytes.
/// It is checked here since CAF would allocate whatever length a peer writes before it looks for the bytes.
struct WireType {
  std::string name; ///< as registered, "iris::wire::Batch"
  std::string layout;
};
/// Of actors/wire.hpp: what a client of this role sends to the cloud (`to_cloud`), or is sent by it.
[[nodiscard]] std::vector<WireType> wire_types(Role client, bool to_cloud);

enum class Side : std::uint8_t { server, client };

struct GuardOptions {
  Side side = Side::server; ///< ours
  Role peer = Role::gateway;
  NodeId own{};                    ///< our node id
  std::vector<WireType> inwards;   ///< what the peer may send
  std::vector<WireType> outwards;  ///< what it may be sent
  std::size_t max_sources = 16;    ///< distinct actors of the peer that are alive at a time
  std::size_t max_requests = 4096; ///< of ours that wait for an answer; older ones are forgotten
  /// Server: the peer's messages that wait for an answer, and their bytes; then the guard is crowded().
  std::size_t max_unanswered = 256, max_unanswered_bytes = 8 << 20;
  /// Sees every frame before it is judged; for tests that record.
  std::function<void(const Frame&, bool inward)> tap;
};

struct Rule;

/// Stands between a connection and CAF: judges every frame of both directions. One per connection, not
/// thread-safe. What passes inwards is one table per role in guard.cpp; everything else is a violation.
class Guard {
public:
  enum class Inward { pass, ping, pong, goodbye, absorb, violation };
  struct Verdict {
    Inward action = Inward::pass;
    Violation violation = Violation::none;
    std::string detail;     ///< bounded, printable
    std::uint64_t code = 0; ///< of goodbye
  };
  enum class Outward { pass, drop, rewritten };

  explicit Guard(GuardOptions options);

  [[nodiscard]] Verdict inward(const Frame& frame);
  /// Ours: what the peer would have to take for a violation is dropped, the context of errors is cut off
  /// (then `rewritten` holds the frame).
  [[nodiscard]] Outward outward(const Frame& frame, std::string& rewritten);

  /// The peer has as much under way as it may: let nothing more in until an answer has gone out.
  [[nodiscard]] bool crowded() const {
    return unanswered_.size() >= options_.max_unanswered ||
           unanswered_bytes_ >= options_.max_unanswered_bytes;
  }
  [[nodiscard]] std::size_t unanswered() const { return unanswered_.size(); }

  /// The peer's node id, once its handshake was seen.
  [[nodiscard]] const NodeId* peer_node() const { return handshakes_ > 0 ? &peer_ : nullptr; }
  /// Server: the session's actor id, once our handshake went out. Client: the peer's session.
  [[nodiscard]] std::uint64_t session() const { return session_; }

private:
  Verdict refuse(Violation violation, std::string detail = {}) const;
  Verdict judge(const Rule& rule, const Frame& frame);
  Verdict client_handshake(const Frame& frame);
  Verdict server_handshake(const Frame& frame);
  Verdict node_pair(const Rule& rule, const Frame& frame);
  Verdict message(const Frame& frame);
  bool answered(std::uint64_t message_id);
  void asked(std::uint64_t message_id);
  void answers(const FrameHeader& header);
  [[nodiscard]] bool spoke(std::uint64_t actor) const;

  /// A message of the peer's that its session has not answered.
  struct Unanswered {
    std::uint64_t source, id; ///< id 0: it asks for none, and gets one without a number
    std::size_t bytes;
    bool orphan; ///< nobody is left to answer to: gone when one that came later was answered
  };

  GuardOptions options_;
  NodeId peer_{};
  std::uint64_t session_ = 0;
  unsigned handshakes_ = 0;
  std::unordered_set<std::uint64_t> peer_sources_;
  std::deque<std::uint64_t> own_sources_; ///< the last few of ours that spoke, oldest first
  std::unordered_set<std::uint64_t> requests_;
  std::deque<std::uint64_t> request_order_;
  std::vector<Unanswered> unanswered_; ///< in order of arrival
  std::size_t unanswered_bytes_ = 0;
};

/// Heartbeats are made and eaten by the link itself; "operation data" tells them apart. From
/// heartbeat_goodbye on it is the reason why the sender closes the connection.
inline constexpr std::uint64_t heartbeat_plain = 0, heartbeat_ping = 1, heartbeat_pong = 2;
inline constexpr std::uint64_t heartbeat_goodbye = 256, heartbeat_last = 511;
[[nodiscard]] std::string heartbeat_frame(std::uint64_t kind);

} // namespace iris
