#pragma once
#include "core/link/guard.hpp"

#include <string>

/// Frames as CAF writes them, and as an attacker would.
namespace iris::test {

inline NodeId node(char fill) {
  NodeId id{};
  const char kind[] = {0, 0, 0x0d, '5', 'm', 'e', 'a', 't'};
  std::copy(std::begin(kind), std::end(kind), id.begin());
  std::fill(id.begin() + 8, id.end(), fill);
  return id;
}
inline std::string text_of(const NodeId& id) { return {id.begin(), id.end()}; }

inline std::string number(std::uint64_t value, int width) {
  std::string out;
  for (int i = width - 1; i >= 0; --i)
    out.push_back(static_cast<char>(value >> (8 * i)));
  return out;
}
inline std::string varint(std::uint32_t value) {
  std::string out;
  for (; value > 0x7f; value >>= 7)
    out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
  return out;
}
inline std::string text(const std::string& value) {
  return varint(static_cast<std::uint32_t>(value.size())) + value;
}

inline std::string frame(Operation operation, std::uint8_t flags, std::uint64_t source, std::uint64_t dest,
                         const std::string& payload, std::uint64_t data = 0) {
  FrameHeader header;
  header.operation = static_cast<std::uint8_t>(operation);
  header.flags = flags;
  header.payload_length = static_cast<std::uint32_t>(payload.size());
  header.data = data;
  header.source = source;
  header.dest = dest;
  return encode_header(header) + payload;
}

inline std::string message(const std::string& type, const std::string& content, unsigned stack = 0) {
  return varint(stack) + number(0, 2) + text("@<>+" + type) + content;
}
inline std::string hello(const std::string& bytes = "hi") {
  return message("iris::wire::Hello", text(bytes));
}
inline std::string error(std::uint8_t code, const std::string& context = "@<>") {
  return number(code, 1) + number(42, 8) + number(0, 2) + text(context);
}
inline std::string server_hello(const NodeId& id, std::uint64_t actor) {
  return text_of(id) + varint(1) + text("generic-caf-app") + number(actor, 8) + varint(0);
}

inline constexpr std::uint64_t async_id = 1ull << 60, response = 1ull << 63;

/// A guard with a reader in front, driven by whole frames.
struct Gate {
  Guard guard;
  std::string rewritten;
  explicit Gate(GuardOptions options) : guard{std::move(options)} {}
  static Frame view(const std::string& bytes) { return {decode_header(bytes.data()), bytes}; }
  Guard::Verdict in(const std::string& bytes) { return guard.inward(view(bytes)); }
  Guard::Outward out(const std::string& bytes) { return guard.outward(view(bytes), rewritten); }
};

} // namespace iris::test
