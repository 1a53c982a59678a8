// libFuzzer entry: requests to field devices. The first byte says which protocol, the second how many packets
// follow; each is parsed as it is, and all go through the watch that tells of them.
#include "core/field/field_request.hpp"
#include "core/net/field_watch.hpp"
#include "tests/fuzz/bytes.hpp"

#include <cstdlib>

namespace {

using namespace iris;

void check(bool good) {
  if (!good) std::abort();
}

std::span<const std::uint8_t> span_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// What is told fits in an alert and in a key, and says the same each time.
void requests(FieldProtocol protocol, std::string_view payload) {
  std::vector<FieldRequest> found, again;
  const auto parse = protocol == FieldProtocol::modbus   ? parse_modbus
                     : protocol == FieldProtocol::bacnet ? parse_bacnet
                                                         : parse_snmp;
  const bool read = parse(span_of(payload), found);
  check(parse(span_of(payload), again) == read && again == found);
  check(found.size() <= field_requests_of_a_packet);
  for (const auto& request : found) {
    check(request.protocol == protocol);
    const auto text = describe(request);
    check(!text.empty() && text.size() <= 96);
    for (unsigned char c : text)
      check(c >= 0x20 && c < 0x7f);
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Bytes in{data, size};
  const auto protocol = FieldProtocol{std::uint8_t(1 + in.number(1) % 3)};
  const auto packets = 1 + in.number(1) % 16;
  FieldWatch watch{7};
  std::vector<FieldCommand> told;
  Timestamp at = second;
  std::uint64_t asked = 0;
  for (std::uint64_t i = 0; i < packets && !in.empty(); ++i) {
    const auto host = in.number(1);
    const auto payload = in.take(i + 1 == packets ? ~std::size_t{0} : in.number(1));
    requests(protocol, payload);
    PacketView view;
    view.protocol = protocol == FieldProtocol::modbus ? ip_protocol::tcp : ip_protocol::udp;
    view.dport = protocol == FieldProtocol::modbus ? 502 : protocol == FieldProtocol::bacnet ? 47'808 : 161;
    view.src = *parse_ip("10.0.0.1");
    view.dst = *parse_ip("10.0.1." + std::to_string(host));
    view.payload = span_of(payload).data();
    view.payload_captured = view.payload_length = std::uint32_t(payload.size());
    watch.packet(view, at, told);
    watch.advance(at += second, told);
  }
  watch.flush(told);
  for (const auto& command : told) {
    check(command.count > 0 && command.first <= command.last && command.last <= at);
    check(!command.function.empty() && !command.action.empty());
    asked += command.count;
  }
  check(asked + watch.stats().dropped == watch.stats().requests); // each is told once
  return 0;
}
