#include "core/link/frame.hpp"

#include <cstring>

namespace iris {

namespace {

std::uint64_t big_endian(const char* bytes, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

void put(std::string& out, std::uint64_t value, std::size_t width) {
  for (std::size_t i = width; i > 0; --i)
    out.push_back(static_cast<char>(value >> (8 * (i - 1))));
}

/// A reader that has nothing to keep gives memory beyond this back: ten thousand connections are mostly idle.
constexpr std::size_t kept_when_idle = 4096;

} // namespace

FrameHeader decode_header(const char* bytes) {
  FrameHeader header;
  header.operation = static_cast<std::uint8_t>(bytes[0]);
  header.padding1 = static_cast<std::uint8_t>(bytes[1]);
  header.padding2 = static_cast<std::uint8_t>(bytes[2]);
  header.flags = static_cast<std::uint8_t>(bytes[3]);
  header.payload_length = static_cast<std::uint32_t>(big_endian(bytes + 4, 4));
  header.data = big_endian(bytes + 8, 8);
  header.source = big_endian(bytes + 16, 8);
  header.dest = big_endian(bytes + 24, 8);
  return header;
}

std::string encode_header(const FrameHeader& header) {
  std::string out;
  out.reserve(frame_header_size);
  put(out, header.operation, 1);
  put(out, header.padding1, 1);
  put(out, header.padding2, 1);
  put(out, header.flags, 1);
  put(out, header.payload_length, 4);
  put(out, header.data, 8);
  put(out, header.source, 8);
  put(out, header.dest, 8);
  return out;
}

void FrameReader::feed(std::string_view bytes) {
  if (offset_ == buffer_.size()) {
    buffer_.clear();
    if (buffer_.capacity() > kept_when_idle && bytes.size() <= kept_when_idle) buffer_.shrink_to_fit();
    offset_ = 0;
  } else if (offset_ > 0) {
    buffer_.erase(0, offset_);
    offset_ = 0;
  }
  buffer_.append(bytes);
}

FrameReader::Status FrameReader::next(Frame& frame) {
  if (buffered() < frame_header_size) return Status::more;
  auto* start = buffer_.data() + offset_;
  frame.header = decode_header(start);
  if (frame.header.payload_length > max_payload_) return Status::oversized;
  auto size = frame_header_size + frame.header.payload_length;
  if (buffered() < size) return Status::more;
  frame.bytes = {start, size};
  offset_ += size;
  return Status::frame;
}

bool PayloadReader::number(std::uint64_t& value, std::size_t width) {
  if (rest_.size() < width) return false;
  value = big_endian(rest_.data(), width);
  rest_.remove_prefix(width);
  return true;
}

bool PayloadReader::u8(std::uint8_t& value) {
  std::uint64_t wide = 0;
  if (!number(wide, 1)) return false;
  value = static_cast<std::uint8_t>(wide);
  return true;
}

bool PayloadReader::u16(std::uint16_t& value) {
  std::uint64_t wide = 0;
  if (!number(wide, 2)) return false;
  value = static_cast<std::uint16_t>(wide);
  return true;
}

bool PayloadReader::u64(std::uint64_t& value) { return number(value, 8); }

bool PayloadReader::node(NodeId& value) {
  if (rest_.size() < value.size()) return false;
  std::memcpy(value.data(), rest_.data(), value.size());
  rest_.remove_prefix(value.size());
  return true;
}

bool PayloadReader::varint(std::uint32_t& value) {
  std::uint64_t sum = 0;
  for (unsigned shift = 0; shift < 35; shift += 7) {
    std::uint8_t byte = 0;
    if (!u8(byte)) return false;
    sum |= std::uint64_t(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) {
      value = static_cast<std::uint32_t>(sum);
      return sum <= 0xffffffff;
    }
  }
  return false;
}

bool PayloadReader::text(std::string_view& value) {
  std::uint32_t length = 0;
  if (!varint(length) || rest_.size() < length) return false;
  value = rest_.substr(0, length);
  rest_.remove_prefix(length);
  return true;
}

bool PayloadReader::skip(std::size_t count) {
  if (rest_.size() < count) return false;
  rest_.remove_prefix(count);
  return true;
}

} // namespace iris
