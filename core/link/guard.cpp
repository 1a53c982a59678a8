#include "core/link/guard.hpp"

#include "core/link/payload.hpp"

#include <algorithm>
#include <span>

namespace iris {

/// Which actor a header's source or destination must be.
enum class Who : std::uint8_t {
  nobody,   ///< 0
  session,  ///< the session of this connection
  speaker,  ///< 0, or an actor of the peer: counted, bounded
  spoke,    ///< an actor of the peer that spoke before
  answerer, ///< 0 or the session: the only one that the cloud speaks with
  ours,     ///< an actor of ours that spoke before
};

enum class Content : std::uint8_t {
  none,
  client_handshake,
  server_handshake,
  node_pair,
  node_pair_and_error,
  message
};

struct Rule {
  Operation operation;
  std::uint8_t flags;
  unsigned after; ///< number of the peer's handshakes that must have been seen before, exactly
  Who source;
  Who dest;
  Content content;
};

namespace {

// What a gateway, an operator or another shard may send to the cloud. They differ by their list of messages.
constexpr Rule towards_cloud[] = {
    {Operation::client_handshake, 0, 0, Who::nobody, Who::nobody, Content::client_handshake},
    {Operation::client_handshake, flag_select_connection, 1, Who::nobody, Who::nobody,
     Content::client_handshake},
    {Operation::monitor, 0, 2, Who::nobody, Who::session, Content::node_pair},
    {Operation::direct, 0, 2, Who::speaker, Who::session, Content::message},
    {Operation::down, 0, 2, Who::spoke, Who::nobody, Content::node_pair_and_error},
};

// What the cloud may send to a gateway, an operator or another shard: the mirror image.
constexpr Rule from_cloud[] = {
    {Operation::server_handshake, 0, 0, Who::nobody, Who::nobody, Content::server_handshake},
    {Operation::monitor, 0, 1, Who::nobody, Who::ours, Content::node_pair},
    {Operation::direct, 0, 1, Who::answerer, Who::ours, Content::message},
    {Operation::down, 0, 1, Who::session, Who::nobody, Content::node_pair_and_error},
};

/// The cloud's view of a gateway, of an operator and of another shard; a gateway's, an operator's and another
/// shard's view of the cloud. A client that is told to talk to anything but the cloud takes nothing at all.
std::span<const Rule> table(Side side, Role peer) {
  if (side == Side::server) return towards_cloud;
  if (peer == Role::cloud) return from_cloud;
  return {};
}

/// Of our own actors that spoke. Answers to older ones are refused, so this is more than can be alive.
constexpr std::size_t own_sources_kept = 64;

constexpr std::uint64_t response_flag = 1ull << 63;
constexpr std::uint64_t stream_categories = 1ull << 61; // categories 2 and 3: CAF's streams
constexpr std::uint64_t request_mask = (1ull << 60) - 1;

const WireType* find(const std::vector<WireType>& types, std::string_view name) {
  auto i = std::find_if(types.begin(), types.end(), [&](const auto& type) { return type.name == name; });
  return i == types.end() ? nullptr : &*i;
}

} // namespace

const char* to_string(Violation violation) {
  switch (violation) {
  case Violation::none:
    return "none";
  case Violation::oversized:
    return "oversized";
  case Violation::malformed:
    return "malformed";
  case Violation::operation:
    return "operation";
  case Violation::flags:
    return "flags";
  case Violation::order:
    return "order";
  case Violation::routed:
    return "routed";
  case Violation::named_receiver:
    return "named-receiver";
  case Violation::destination:
    return "destination";
  case Violation::source:
    return "source";
  case Violation::sources:
    return "sources";
  case Violation::node:
    return "node";
  case Violation::node_taken:
    return "node-taken";
  case Violation::forwarding:
    return "forwarding";
  case Violation::message_type:
    return "message-type";
  case Violation::message_layout:
    return "message-layout";
  case Violation::error_context:
    return "error-context";
  case Violation::unsolicited_response:
    return "unsolicited-response";
  case Violation::unanswered:
    return "unanswered";
  }
  return "unknown";
}

std::vector<WireType> wire_types(Role client, bool to_cloud) {
  const WireType hello{"iris::wire::Hello", "b"}, welcome{"iris::wire::Welcome", "b"};
  const WireType batch{"iris::wire::Batch", "818b"}, ack{"iris::wire::Ack", "818"};
  const WireType push{"iris::wire::Push", "b"}, push_ack{"iris::wire::PushAck", "b"};
  const WireType query{"iris::wire::Query", "b"}, reply{"iris::wire::Reply", "b"};
  switch (client) {
  case Role::gateway:
    if (to_cloud) return {hello, batch, push_ack, reply};
    return {welcome, ack, push, query};
  case Role::operator_:
    if (to_cloud) return {hello, query};
    return {welcome, reply};
  case Role::cloud: // another shard passes on what its own gateways and operators say
    if (to_cloud) return {hello, batch, push_ack, query, reply};
    return {welcome, ack, push, query, reply};
  }
  return {};
}

std::string heartbeat_frame(std::uint64_t kind) {
  FrameHeader header;
  header.operation = static_cast<std::uint8_t>(Operation::heartbeat);
  header.data = kind;
  return encode_header(header);
}

Guard::Guard(GuardOptions options) : options_{std::move(options)} {}

Guard::Verdict Guard::refuse(Violation violation, std::string detail) const {
  return {Inward::violation, violation, std::move(detail)};
}

bool Guard::spoke(std::uint64_t actor) const {
  return std::find(own_sources_.begin(), own_sources_.end(), actor) != own_sources_.end();
}

Guard::Verdict Guard::inward(const Frame& frame) {
  if (options_.tap) options_.tap(frame, true);
  const auto& header = frame.header;
  if (header.payload_length > largest_payload)
    return refuse(Violation::oversized, std::to_string(header.payload_length) + " bytes");
  if (header.padding1 != 0 || header.padding2 != 0) return refuse(Violation::flags, "padding is not zero");
  auto operation = static_cast<Operation>(header.operation);
  // The two that people look for first have names of their own.
  if (operation == Operation::routed) return refuse(Violation::routed);
  if (operation == Operation::direct && (header.flags & flag_named_receiver) != 0)
    return refuse(Violation::named_receiver);
  if (operation == Operation::heartbeat) {
    if (header.flags != 0) return refuse(Violation::flags);
    auto goodbye = header.data >= heartbeat_goodbye && header.data <= heartbeat_last;
    if (header.payload_length != 0 || header.source != 0 || header.dest != 0 ||
        (header.data > heartbeat_pong && !goodbye))
      return refuse(Violation::malformed, "heartbeat with content");
    if (goodbye) return {Inward::goodbye, Violation::none, {}, header.data - heartbeat_goodbye};
    if (header.data == heartbeat_ping) return {Inward::ping, Violation::none, {}};
    if (header.data == heartbeat_pong) return {Inward::pong, Violation::none, {}};
    return {Inward::absorb, Violation::none, {}};
  }
  bool known = false, in_order = false;
  for (const auto& rule : table(options_.side, options_.peer)) {
    if (rule.operation != operation) continue;
    known = true;
    if (rule.after != handshakes_) continue;
    in_order = true;
    if (rule.flags == header.flags) return judge(rule, frame);
  }
  auto detail = "operation " + std::to_string(header.operation) + " flags " + std::to_string(header.flags);
  return refuse(!known ? Violation::operation : !in_order ? Violation::order : Violation::flags, detail);
}

Guard::Verdict Guard::judge(const Rule& rule, const Frame& frame) {
  const auto& header = frame.header;
  auto allowed = [&](Who who, std::uint64_t actor) {
    switch (who) {
    case Who::nobody:
      return actor == 0;
    case Who::session:
      return actor != 0 && actor == session_;
    case Who::speaker:
      return true; // counted in message()
    case Who::spoke:
      return peer_sources_.contains(actor);
    case Who::answerer:
      return actor == 0 || actor == session_;
    case Who::ours:
      return actor != 0 && spoke(actor);
    }
    return false;
  };
  if (!allowed(rule.dest, header.dest))
    return refuse(Violation::destination, "actor " + std::to_string(header.dest));
  if (!allowed(rule.source, header.source))
    return refuse(Violation::source, "actor " + std::to_string(header.source));
  switch (rule.content) {
  case Content::none:
    break;
  case Content::client_handshake:
    return client_handshake(frame);
  case Content::server_handshake:
    return server_handshake(frame);
  case Content::node_pair:
  case Content::node_pair_and_error:
    return node_pair(rule, frame);
  case Content::message:
    return message(frame);
  }
  return refuse(Violation::malformed);
}

Guard::Verdict Guard::client_handshake(const Frame& frame) {
  NodeId node;
  if (frame.header.data != 0 || !read_client_handshake(frame.payload(), node))
    return refuse(Violation::malformed);
  if (!plausible_node(node, options_.own)) return refuse(Violation::node, "not a node id of this protocol");
  if (handshakes_ > 0 && node != peer_) return refuse(Violation::node, "changed within the connection");
  if (node == options_.own) return refuse(Violation::node_taken, "our own");
  peer_ = node;
  ++handshakes_;
  return {};
}

Guard::Verdict Guard::server_handshake(const Frame& frame) {
  ServerHandshake content;
  if (frame.header.data == 0 || !read_server_handshake(frame.payload(), content))
    return refuse(Violation::malformed);
  if (!plausible_node(content.node, options_.own))
    return refuse(Violation::node, "not a node id of this protocol");
  if (content.node == options_.own) return refuse(Violation::node_taken, "our own");
  if (content.actor == 0) return refuse(Violation::destination, "the peer offers no session");
  peer_ = content.node;
  session_ = content.actor;
  ++handshakes_;
  return {};
}

Guard::Verdict Guard::node_pair(const Rule& rule, const Frame& frame) {
  if (frame.header.data != 0) return refuse(Violation::malformed);
  PayloadReader in{frame.payload()};
  NodeId from, to;
  if (!in.node(from) || !in.node(to)) return refuse(Violation::malformed);
  if (from != peer_ || to != options_.own) return refuse(Violation::node, "not the pair of this connection");
  if (rule.content == Content::node_pair_and_error) {
    bool context = false;
    if (!read_error(in, context)) return refuse(Violation::malformed);
    if (context) return refuse(Violation::error_context);
    peer_sources_.erase(frame.header.source);
    for (auto& entry : unanswered_)
      if (entry.source == frame.header.source) entry.orphan = true;
  }
  if (!in.at_end()) return refuse(Violation::malformed);
  return {};
}

Guard::Verdict Guard::message(const Frame& frame) {
  const auto& header = frame.header;
  if ((header.data & stream_categories) != 0) return refuse(Violation::malformed, "stream message");
  PayloadReader in{frame.payload()};
  std::uint32_t stack = 0;
  if (!in.varint(stack)) return refuse(Violation::malformed);
  if (stack != 0) return refuse(Violation::forwarding);
  std::string_view name;
  if (!read_message_type(in, name)) return refuse(Violation::malformed);
  auto response = (header.data & response_flag) != 0;
  if (name == error_type) {
    bool context = false;
    if (!response) return refuse(Violation::message_type, "error that answers nothing");
    if (!read_error(in, context)) return refuse(Violation::malformed);
    if (context) return refuse(Violation::error_context);
    if (!in.at_end()) return refuse(Violation::message_layout, "error");
  } else {
    const auto* type = find(options_.inwards, name);
    if (!type) return refuse(Violation::message_type, printable(name));
    if (!matches_layout(in, type->layout)) return refuse(Violation::message_layout, type->name);
  }
  if (response && !answered(header.data)) return refuse(Violation::unsolicited_response, printable(name));
  if (header.source != 0 && options_.side == Side::server && !peer_sources_.contains(header.source)) {
    if (peer_sources_.size() >= options_.max_sources) return refuse(Violation::sources);
    peer_sources_.insert(header.source);
  }
  if (!response && options_.side == Side::server) {
    unanswered_.push_back(
        {header.source, header.data & request_mask, frame.bytes.size(), header.source == 0});
    unanswered_bytes_ += frame.bytes.size();
  }
  return {};
}

/// A frame of ours that may be the answer to one of the peer's messages. The session takes them in order, so
/// orphans that came before one that it answered have left its mailbox.
void Guard::answers(const FrameHeader& header) {
  const auto id = header.data & request_mask;
  if (id != 0 && (header.data & response_flag) == 0) return; // a question of ours
  auto found = std::find_if(unanswered_.begin(), unanswered_.end(), [&](const Unanswered& entry) {
    return !entry.orphan && entry.source == header.dest && entry.id == id;
  });
  if (found == unanswered_.end()) return;
  unanswered_bytes_ -= found->bytes;
  auto rest = std::remove_if(unanswered_.begin(), found, [&](const Unanswered& entry) {
    if (entry.orphan) unanswered_bytes_ -= entry.bytes;
    return entry.orphan;
  });
  unanswered_.erase(rest, found + 1);
}

void Guard::asked(std::uint64_t message_id) {
  auto id = message_id & request_mask;
  if (id == 0 || (message_id & response_flag) != 0 || !requests_.insert(id).second) return;
  request_order_.push_back(id);
  // Answered ones leave requests_ at once and the order lazily.
  while (request_order_.size() > options_.max_requests) {
    requests_.erase(request_order_.front());
    request_order_.pop_front();
  }
}

bool Guard::answered(std::uint64_t message_id) { return requests_.erase(message_id & request_mask) > 0; }

Guard::Outward Guard::outward(const Frame& frame, std::string& rewritten) {
  if (options_.tap) options_.tap(frame, false);
  const auto& header = frame.header;
  PayloadReader in{frame.payload()};
  switch (static_cast<Operation>(header.operation)) {
  case Operation::client_handshake:
    return options_.side == Side::client ? Outward::pass : Outward::drop;
  case Operation::server_handshake: {
    ServerHandshake content;
    if (options_.side != Side::server || !read_server_handshake(frame.payload(), content))
      return Outward::drop;
    session_ = content.actor;
    return Outward::pass;
  }
  case Operation::monitor:
  case Operation::down: {
    NodeId from, to;
    if (!in.node(from) || !in.node(to) || from != options_.own || to != peer_) return Outward::drop;
    // The other side knows only actors that were named on this connection.
    if (header.operation == static_cast<std::uint8_t>(Operation::monitor))
      return options_.side == Side::client && header.dest != session_ ? Outward::drop : Outward::pass;
    if (options_.side == Side::server && header.source != session_) return Outward::drop;
    return cut_error_context(frame, in, rewritten) ? Outward::rewritten : Outward::pass;
  }
  case Operation::direct: {
    answers(header); // also one that is too large to go out: the session is done with it
    // By name: CAF's search for SpawnServ on every new node.
    if ((header.flags & flag_named_receiver) != 0 || header.payload_length > largest_payload)
      return Outward::drop;
    auto foreign = options_.side == Side::server ? header.source != 0 && header.source != session_
                                                 : header.dest != session_;
    std::uint32_t stack = 0;
    std::string_view name;
    if (foreign || !in.varint(stack) || stack != 0 || !read_message_type(in, name)) return Outward::drop;
    if (name != error_type && !find(options_.outwards, name)) return Outward::drop;
    asked(header.data);
    if (options_.side == Side::client && header.source != 0 && !spoke(header.source)) {
      if (own_sources_.size() >= own_sources_kept) own_sources_.pop_front();
      own_sources_.push_back(header.source);
    }
    if (name == error_type)
      return cut_error_context(frame, in, rewritten) ? Outward::rewritten : Outward::pass;
    return Outward::pass;
  }
  case Operation::routed:
  case Operation::heartbeat: // made by the link itself
    break;
  }
  return Outward::drop;
}

} // namespace iris
