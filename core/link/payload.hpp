#pragma once
#include "core/base/printable.hpp"
#include "core/link/frame.hpp"

#include <string>
#include <string_view>

/// The contents of BASP's frames as far as the guard has to understand them.
namespace iris {

inline constexpr std::string_view error_type = "@error";

struct ServerHandshake {
  NodeId node{};
  std::uint64_t actor = 0; ///< what the server offers on this connection
};

[[nodiscard]] bool read_client_handshake(std::string_view payload, NodeId& node);
[[nodiscard]] bool read_server_handshake(std::string_view payload, ServerHandshake& content);
/// Of the same kind as ours and not the empty one.
[[nodiscard]] bool plausible_node(const NodeId& node, const NodeId& own);
/// The name of a message of exactly one value.
[[nodiscard]] bool read_message_type(PayloadReader& in, std::string_view& name);
/// An error up to its context, and past it when that is empty (`context` = false).
[[nodiscard]] bool read_error(PayloadReader& in, bool& context);
/// True when the rest is exactly fields of this layout: see WireType.
[[nodiscard]] bool matches_layout(PayloadReader& in, std::string_view layout);
/// `in` stands before an error within `frame`. When that has a context: the frame without it.
[[nodiscard]] bool cut_error_context(const Frame& frame, PayloadReader& in, std::string& rewritten);

} // namespace iris
