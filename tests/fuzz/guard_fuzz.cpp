// libFuzzer entry: arbitrary bytes as a peer's stream, in pieces, through the reader and both guards.
#include "core/link/guard.hpp"

#include <cstdlib>

namespace {

void drive(iris::Guard& guard, std::string_view bytes, std::size_t piece) {
  iris::FrameReader reader;
  std::string rewritten;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    iris::Frame frame;
    for (;;) {
      auto status = reader.next(frame);
      if (status == iris::FrameReader::Status::oversized) return;
      if (status == iris::FrameReader::Status::more) break;
      if (frame.bytes.size() != iris::frame_header_size + frame.header.payload_length) std::abort();
      // Our own side sees the same bytes too: outward() must survive whatever CAF might write.
      if (guard.outward(frame, rewritten) == iris::Guard::Outward::rewritten) {
        iris::Frame again{iris::decode_header(rewritten.data()), rewritten};
        std::string unused;
        if (guard.outward(again, unused) == iris::Guard::Outward::rewritten) std::abort();
      }
      auto verdict = guard.inward(frame);
      if ((verdict.action == iris::Guard::Inward::violation) != (verdict.violation != iris::Violation::none))
        std::abort();
      if (verdict.action == iris::Guard::Inward::violation) return;
    }
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string_view bytes{reinterpret_cast<const char*>(data) + 2, size - 2};
  auto role = data[0] % 2 == 0 ? iris::Role::gateway : iris::Role::operator_;
  iris::NodeId own{};
  own[6] = 'x';
  own[31] = 1;
  iris::GuardOptions options{iris::Side::server, role, own, iris::wire_types(role, true),
                             iris::wire_types(role, false)};
  iris::Guard server{options};
  drive(server, bytes, std::size_t(data[1]) + 1);
  options.side = iris::Side::client;
  options.peer = iris::Role::cloud;
  std::swap(options.inwards, options.outwards);
  iris::Guard client{options};
  drive(client, bytes, std::size_t(data[1]) + 1);
  return 0;
}
