#include "core/link/frame.hpp"

#include "tests/unit/core/link/frames.hpp"

#include <catch2/catch.hpp>

using namespace iris;
using namespace iris::test;

TEST_CASE("a stream falls into the same frames however it is cut", "[frame]") {
  std::string stream;
  for (int i = 0; i < 20; ++i)
    stream +=
        frame(Operation::direct, 0, 1, 2, std::string(std::size_t(i * 37), char('a' + i)), std::uint64_t(i));
  for (std::size_t piece : {1u, 7u, 31u, 32u, 33u, 1000u, 100000u}) {
    FrameReader reader;
    std::string seen;
    std::uint64_t count = 0;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view{stream}.substr(at, piece));
      Frame frame;
      while (reader.next(frame) == FrameReader::Status::frame) {
        CHECK(frame.header.data == count++);
        CHECK(frame.payload().size() == frame.header.payload_length);
        seen += frame.bytes;
      }
    }
    CHECK(seen == stream);
    CHECK(reader.buffered() == 0);
  }
}

TEST_CASE("a header that announces too much is refused before its payload is kept", "[frame]") {
  FrameHeader header;
  header.payload_length = 1025;
  FrameReader reader{1024};
  reader.feed(encode_header(header));
  Frame frame;
  CHECK(reader.next(frame) == FrameReader::Status::oversized);
  CHECK(reader.buffered() == frame_header_size);
}

TEST_CASE("varints are read as CAF reads them, without overflow", "[frame]") {
  for (std::uint32_t value : {0u, 1u, 127u, 128u, 300u, 1u << 20, 0xffffffffu}) {
    auto bytes = varint(value);
    PayloadReader in{bytes};
    std::uint32_t read = 1;
    CHECK(in.varint(read));
    CHECK(read == value);
    CHECK(in.at_end());
  }
  for (std::string bad :
       {std::string("\xff\xff\xff\xff\x1f"), std::string("\x80\x80\x80\x80\x80\x01"), std::string("\x80")}) {
    PayloadReader in{bad};
    std::uint32_t read = 0;
    CHECK(!in.varint(read));
  }
}
