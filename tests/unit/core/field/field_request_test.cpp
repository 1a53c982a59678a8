#include "core/field/field_request.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace iris;
using Bytes = std::vector<std::uint8_t>;

namespace {

struct Case {
  const char* text; ///< what describe() says of the only request; empty: none
  FieldAction action;
  Bytes bytes;
};

void check(const Case& one, bool (*parse)(std::span<const std::uint8_t>, std::vector<FieldRequest>&)) {
  std::vector<FieldRequest> found;
  INFO(one.text);
  CHECK(parse(one.bytes, found));
  REQUIRE(found.size() == (*one.text == 0 ? 0 : 1));
  if (found.empty()) return;
  CHECK(describe(found[0]) == one.text);
  CHECK(found[0].action == one.action);
}

/// BVLL and NPDU around an APDU.
Bytes bacnet(Bytes apdu, Bytes npdu = {1, 4}) {
  Bytes bytes{0x81, 0x0a, 0, 0};
  bytes.insert(bytes.end(), npdu.begin(), npdu.end());
  bytes.insert(bytes.end(), apdu.begin(), apdu.end());
  bytes[3] = std::uint8_t(bytes.size());
  return bytes;
}

Bytes ber(std::uint8_t tag, const std::vector<Bytes>& parts) {
  Bytes inside;
  for (const auto& part : parts)
    inside.insert(inside.end(), part.begin(), part.end());
  Bytes bytes{tag, std::uint8_t(inside.size())};
  bytes.insert(bytes.end(), inside.begin(), inside.end());
  return bytes;
}

const Bytes light{0x06, 15, 0x2b, 6, 1, 4, 1, 0x81, 0x9f, 0x54, 4, 1, 5, 1, 2, 1, 4}; // 1.3.6.1.4.1.20436...
const Bytes uptime{0x06, 8, 0x2b, 6, 1, 2, 1, 1, 3, 0};
const Bytes one{2, 1, 1}, nothing{5, 0}, community{4, 6, 'p', 'u', 'b', 'l', 'i', 'c'};

Bytes pdu(std::uint8_t tag, const Bytes& oid) {
  return ber(tag, {one, one, one, ber(0x30, {ber(0x30, {oid, nothing})})});
}
Bytes snmp(std::uint8_t version, const Bytes& inside) {
  return ber(0x30, {{2, 1, version}, community, inside});
}

} // namespace

TEST_CASE("a Modbus request is known by its function and its table") {
  using enum FieldAction;
  for (const auto& one : std::vector<Case>{
           {"read holding registers (function 3)", read, {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10}},
           {"write coils (function 5)", write, {0, 1, 0, 0, 0, 6, 1, 5, 0, 0, 0xff, 0}},
           {"write holding registers (function 16)", write, {0, 1, 0, 0, 0, 9, 1, 16, 0, 0, 0, 1, 2, 0, 7}},
           {"manage (function 8/1)", manage, {0, 1, 0, 0, 0, 6, 1, 8, 0, 1, 0, 0}},
           {"read (function 8/0)", read, {0, 1, 0, 0, 0, 6, 1, 8, 0, 0, 0, 0}},
           {"read (function 43/14)", read, {0, 1, 0, 0, 0, 5, 1, 43, 14, 1, 0}},
           {"hidden (function 90)", hidden, {0, 1, 0, 0, 0, 4, 1, 90, 0, 16}},
           {"", read, {0, 1, 0, 0, 0, 3, 1, 0x83, 2}}})
    check(one, parse_modbus);
}

TEST_CASE("regression: a Modbus write hid behind eight reads in one segment") {
  Bytes bytes;
  for (int i = 0; i < 20; ++i)
    bytes.insert(bytes.end(), {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 10});
  bytes.insert(bytes.end(), {0, 1, 0, 0, 0, 6, 1, 6, 0, 0, 0, 7});
  std::vector<FieldRequest> found;
  CHECK(parse_modbus(bytes, found));
  REQUIRE(found.size() == 2); // each kind once
  CHECK(found[1].action == FieldAction::write);
  found.clear();
  CHECK(parse_modbus(std::span{bytes}.last(24).first(12 + 9),
                     found)); // the second one is cut behind its function
  CHECK(found.size() == 2);
}

TEST_CASE("more kinds of Modbus request than a packet may have are unread, not overlooked") {
  Bytes bytes;
  for (std::uint8_t function = 65; function < 75; ++function)
    bytes.insert(bytes.end(), {0, 1, 0, 0, 0, 4, 1, function, 0, 0});
  std::vector<FieldRequest> found;
  CHECK_FALSE(parse_modbus(bytes, found));
  CHECK(found.size() == field_requests_of_a_packet);
}

TEST_CASE("what is not Modbus is none") {
  std::vector<FieldRequest> found;
  CHECK_FALSE(parse_modbus(Bytes{0, 1, 0, 1, 0, 6, 1, 3, 0, 0, 0, 10}, found)); // protocol 1
  CHECK_FALSE(parse_modbus(Bytes{'G', 'E', 'T', ' ', '/', ' ', 'H', 'T', 'T'}, found));
  CHECK_FALSE(parse_modbus(Bytes{0, 1, 0, 0, 0, 6, 1}, found));
  CHECK_FALSE(parse_modbus(Bytes{0, 1, 0, 0, 0, 6, 1, 8, 0}, found)); // cut before it says what it asks
  CHECK(found.empty());
}

TEST_CASE("a BACnet request is known by its service and object") {
  using enum FieldAction;
  const Bytes analog_output_1{0x0c, 0, 0x40, 0, 1}, present_value{0x19, 85};
  const auto with = [&](Bytes head) {
    head.insert(head.end(), analog_output_1.begin(), analog_output_1.end());
    head.insert(head.end(), present_value.begin(), present_value.end());
    return head;
  };
  for (const auto& one : std::vector<Case>{
           {"readProperty of analog-output", read, bacnet(with({0x00, 5, 1, 12}))},
           {"writeProperty of analog-output", write, bacnet(with({0x00, 5, 1, 15}))},
           {"writeProperty of analog-output", write, bacnet(with({0x08, 5, 1, 0, 4, 15}))}, // first segment
           {"writeProperty of analog-output", write,
            bacnet(with({0x00, 5, 1, 15}), {1, 0x24, 0, 9, 1, 7, 255})}, // to another network
           {"deleteObject of analog-output", manage, bacnet({0x00, 5, 1, 11, 0xc4, 0, 0x40, 0, 1})},
           {"createObject of binary-value", manage, bacnet({0x00, 5, 1, 10, 0x0e, 0x09, 5, 0x0f})},
           {"reinitializeDevice", manage, bacnet({0x00, 5, 1, 20, 0x09, 0})},
           {"subscribeCOV of analog-output", read, bacnet({0x00, 5, 1, 5, 0x09, 1, 0x1c, 0, 0x40, 0, 1})},
           {"confirmedPrivateTransfer", hidden, bacnet({0x00, 5, 1, 18})},
           {"whoIs", find, bacnet({0x10, 8})},
           {"timeSynchronization", manage, bacnet({0x10, 6})},
           {"iAm", notify, bacnet({0x10, 0, 0xc4, 2, 0, 0, 1})},
           {"manage broadcasts (BVLL function 1)", manage, {0x81, 1, 0, 4}},
           {"", read, bacnet({0x30, 1, 12, 0x0c, 0, 0, 0, 1})},          // an answer
           {"", read, bacnet({0x08, 5, 1, 1, 4, 15, 9, 9, 9, 9, 9, 9})}, // a later segment
           {"", read, bacnet({0x12, 0}, {1, 0x80})},                     // of the network layer
       })
    check(one, parse_bacnet);
}

TEST_CASE("a forwarded BACnet request names its first sender before its network part") {
  std::vector<FieldRequest> found;
  CHECK(parse_bacnet(Bytes{0x81, 0x04, 0, 14, 10, 77, 0, 21, 0xba, 0xc0, 1, 0, 0x10, 8}, found));
  REQUIRE(found.size() == 1);
  CHECK(describe(found[0]) == "whoIs");
}

TEST_CASE("an SNMP request is known by its PDU and by whose object it names") {
  using enum FieldAction;
  for (const auto& one : std::vector<Case>{{"get MIB-2 group 1", read, snmp(0, pdu(0xa0, uptime))},
                                           {"get-bulk MIB-2 group 1", read, snmp(1, pdu(0xa5, uptime))},
                                           {"set enterprise 20436", write, snmp(0, pdu(0xa3, light))},
                                           {"inform enterprise 20436", notify, snmp(1, pdu(0xa6, light))},
                                           {"trap enterprise 20436", notify, snmp(0, ber(0xa4, {light}))},
                                           {"", read, snmp(1, pdu(0xa2, light))}})
    check(one, parse_snmp);
}

TEST_CASE("SNMPv3 is read where it is not encrypted") {
  const auto head = ber(0x30, {one, one, {4, 1, 0}, {2, 1, 3}});
  const Bytes security{4, 0}, engine{4, 2, 1, 2}, context{4, 0};
  check({"set enterprise 20436", FieldAction::write,
         ber(0x30, {{2, 1, 3}, head, security, ber(0x30, {engine, context, pdu(0xa3, light)})})},
        parse_snmp);
  check({"encrypted request", FieldAction::hidden, ber(0x30, {{2, 1, 3}, head, security, {4, 3, 1, 2, 3}})},
        parse_snmp);
}

TEST_CASE("a field request that is cut anywhere gives nothing that the whole one does not give, and never "
          "crashes") {
  for (const auto& [bytes, parse] :
       {std::pair{Bytes{0, 1, 0, 0, 0, 6, 1, 8, 0, 1, 0, 0}, &parse_modbus},
        std::pair{bacnet({0x00, 5, 1, 15, 0x0c, 0, 0x40, 0, 1}, {1, 0x24, 0, 9, 1, 7, 255}), &parse_bacnet},
        std::pair{snmp(0, pdu(0xa3, light)), &parse_snmp}}) {
    std::vector<FieldRequest> whole;
    CHECK(parse(bytes, whole));
    REQUIRE(whole.size() == 1);
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      std::vector<FieldRequest> found;
      parse(std::span{bytes}.first(length), found);
      REQUIRE(found.size() <= 1);
      if (!found.empty()) CHECK(found[0].code == whole[0].code);
    }
  }
}
