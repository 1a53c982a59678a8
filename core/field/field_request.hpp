#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

/// What a controller asks of a field device: the function itself, apart from the values it carries.
namespace iris {

enum class FieldProtocol : std::uint8_t {
  modbus = 1, ///< Modbus TCP: MODBUS Messaging on TCP/IP Implementation Guide V1.0b
  bacnet = 2, ///< BACnet/IP: ANSI/ASHRAE 135, clauses 6, 20, 21 and annex J
  snmp = 3,   ///< SNMPv1 RFC 1157, v2c RFC 3416, v3 RFC 3412
};

/// What a function does to the device that is asked.
enum class FieldAction : std::uint8_t {
  read = 1,
  write = 2,  ///< changes a value, an object or a file
  manage = 3, ///< restarts, silences or sets the clock of the device, deletes objects
  notify = 4, ///< tells of an event, asks for nothing
  find = 5,   ///< asks who is there
  hidden = 6, ///< encrypted, or a function of one vendor's own
};

/// One request. `code` and `object` are the protocol's own numbers:
///
/// | protocol | code | object |
/// |---|---|---|
/// | modbus | function code; of 8 (diagnostics) and 43 with the sub-function in the upper byte | table: 0
/// none, 1 coils, 2 discrete inputs, 3 input registers, 4 holding registers, 5 files | | bacnet | service
/// choice, 256 more where it is unconfirmed | object type of the first object + 1, 0 none | | snmp | PDU tag
/// (0xa0 get … 0xa7 trap, 0xa8 report), 0 where it is encrypted | enterprise number + 256, or the group of
/// MIB-2 (1 to 255), 0 anything else |
struct FieldRequest {
  FieldProtocol protocol = FieldProtocol::modbus;
  FieldAction action = FieldAction::read;
  std::uint16_t code = 0;
  std::uint32_t object = 0;
  friend bool operator==(const FieldRequest&, const FieldRequest&) = default;
};

/// Kinds of request of one packet; more are unread. A TCP segment may hold many Modbus requests.
inline constexpr std::size_t field_requests_of_a_packet = 8;

/// The requests in the payload of one packet from the client to the device; appends to `found`.
/// @returns false where the payload is not of this protocol, or cut before it says what it asks. Answers and
/// acknowledgements are of the protocol and append nothing.
bool parse_modbus(std::span<const std::uint8_t> payload, std::vector<FieldRequest>& found);
bool parse_bacnet(std::span<const std::uint8_t> payload, std::vector<FieldRequest>& found);
bool parse_snmp(std::span<const std::uint8_t> payload, std::vector<FieldRequest>& found);

[[nodiscard]] const char* to_string(FieldProtocol protocol);
[[nodiscard]] const char* to_string(FieldAction action);

/// "write holding registers (function 6)", "write property of analog-output", "set enterprise 20440": for
/// people, and stable, so that a behaviour can be known by it.
[[nodiscard]] std::string describe(const FieldRequest& request);

} // namespace iris
