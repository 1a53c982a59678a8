#include "core/link/payload.hpp"

#include <algorithm>
#include <cstring>

namespace iris {

namespace {

// Bounds of a server's handshake: we send one application identifier and no interface names.
constexpr std::uint32_t most_texts = 16;
constexpr std::size_t longest_text = 256;

bool skip_texts(PayloadReader& in) {
  std::uint32_t count = 0;
  if (!in.varint(count) || count > most_texts) return false;
  for (std::uint32_t i = 0; i < count; ++i) {
    std::string_view text;
    if (!in.text(text) || text.size() > longest_text) return false;
  }
  return true;
}

/// A message as CAF writes it: u16 0, then "@<>" for nothing or "@<>+name+name".
bool read_type_names(PayloadReader& in, std::string_view& names) {
  std::uint16_t number = 0;
  return in.u16(number) && number == 0 && in.text(names);
}

constexpr std::string_view no_values = "@<>";
constexpr std::string_view first_value = "@<>+";

} // namespace

bool read_client_handshake(std::string_view payload, NodeId& node) {
  PayloadReader in{payload};
  return in.node(node) && in.at_end();
}

bool read_server_handshake(std::string_view payload, ServerHandshake& content) {
  PayloadReader in{payload};
  return in.node(content.node) && skip_texts(in) && in.u64(content.actor) && skip_texts(in) && in.at_end();
}

bool plausible_node(const NodeId& node, const NodeId& own) {
  // The first 8 bytes say which kind of node id follows; other kinds have other lengths.
  auto zero = [](char c) { return c == 0; };
  return std::memcmp(node.data(), own.data(), 8) == 0 && !std::all_of(node.begin() + 12, node.end(), zero);
}

bool read_message_type(PayloadReader& in, std::string_view& name) {
  std::string_view names;
  if (!read_type_names(in, names) || !names.starts_with(first_value)) return false;
  name = names.substr(first_value.size());
  return !name.empty();
}

bool read_error(PayloadReader& in, bool& context) {
  std::uint8_t code = 0;
  std::uint64_t category = 0;
  std::string_view names;
  if (!in.u8(code) || !in.u64(category) || !read_type_names(in, names)) return false;
  context = names != no_values;
  return true;
}

bool matches_layout(PayloadReader& in, std::string_view layout) {
  for (auto field : layout) {
    std::uint32_t length = 0;
    switch (field) {
    case '1':
      length = 1;
      break;
    case '4':
      length = 4;
      break;
    case '8':
      length = 8;
      break;
    case 'b':
      if (!in.varint(length)) return false;
      break;
    default:
      return false;
    }
    if (!in.skip(length)) return false;
  }
  return in.at_end();
}

bool cut_error_context(const Frame& frame, PayloadReader& in, std::string& rewritten) {
  auto before = frame.bytes.size() - in.rest().size();
  bool context = false;
  if (!read_error(in, context) || !context) return false;
  constexpr std::size_t code_and_category = 9;
  rewritten = frame.bytes.substr(0, before + code_and_category);
  rewritten += std::string_view{"\0\0\3@<>", 6};
  auto header = frame.header;
  header.payload_length = static_cast<std::uint32_t>(rewritten.size() - frame_header_size);
  rewritten.replace(0, frame_header_size, encode_header(header));
  return true;
}

} // namespace iris
