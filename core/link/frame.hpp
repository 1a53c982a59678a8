#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

/// The frames of BASP, CAF 0.17's wire protocol, as bytes: docs/link.md.
namespace iris {

enum class Operation : std::uint8_t {
  server_handshake = 0,
  client_handshake = 1,
  direct = 2,
  routed = 3,
  monitor = 4,
  down = 5,
  heartbeat = 6,
};

struct FrameHeader {
  std::uint8_t operation = 0; ///< an Operation, or anything when the peer is hostile
  std::uint8_t padding1 = 0, padding2 = 0;
  std::uint8_t flags = 0;
  std::uint32_t payload_length = 0;
  std::uint64_t data = 0; ///< "operation data": protocol version or message id
  std::uint64_t source = 0, dest = 0;
};

inline constexpr std::size_t frame_header_size = 32;
inline constexpr std::uint8_t flag_named_receiver = 0x01;
inline constexpr std::uint8_t flag_select_connection = 0x02;
/// More than any frame that is made here: batches are 64 to 256 KiB.
inline constexpr std::size_t largest_payload = 1 << 20;

/// `bytes` are at least frame_header_size.
[[nodiscard]] FrameHeader decode_header(const char* bytes);
[[nodiscard]] std::string encode_header(const FrameHeader& header);

/// A node id in BASP's form: atom "default" (8 bytes), pid (4), host (20).
using NodeId = std::array<char, 32>;

/// A frame within the buffer of its reader.
struct Frame {
  FrameHeader header;
  std::string_view bytes; ///< header and payload
  [[nodiscard]] std::string_view payload() const { return bytes.substr(frame_header_size); }
};

/// Cuts a stream into frames. Buffers at most one frame that is not complete yet.
class FrameReader {
public:
  enum class Status { more, frame, oversized };
  explicit FrameReader(std::size_t max_payload = largest_payload) : max_payload_{max_payload} {}

  void feed(std::string_view bytes);
  /// The next complete frame; valid until feed(). `oversized` as soon as a header announces too much, before
  /// a byte of that payload is kept; the reader is of no use afterwards.
  [[nodiscard]] Status next(Frame& frame);
  [[nodiscard]] std::size_t buffered() const { return buffer_.size() - offset_; }

private:
  std::size_t max_payload_;
  std::string buffer_;
  std::size_t offset_ = 0;
};

/// Reads BASP's encoding of values; every read says whether it was there.
class PayloadReader {
public:
  explicit PayloadReader(std::string_view bytes) : rest_{bytes} {}
  bool u8(std::uint8_t& value);
  bool u16(std::uint16_t& value);
  bool u64(std::uint64_t& value);
  bool node(NodeId& value);
  bool varint(std::uint32_t& value);  ///< at most 5 bytes, 32 bits: what CAF reads without overflow
  bool text(std::string_view& value); ///< varint length, bytes
  bool skip(std::size_t count);
  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] std::string_view rest() const { return rest_; }

private:
  bool number(std::uint64_t& value, std::size_t width);
  std::string_view rest_;
};

} // namespace iris
