#include "core/field/field_request.hpp"

#include <algorithm>

namespace iris {

namespace {

constexpr std::size_t header = 7; ///< MBAP: transaction, protocol (0), length, unit
enum Table : std::uint32_t { none, coils, discrete_inputs, input_registers, holding_registers, files };

/// By MODBUS Application Protocol Specification V1.1b3, section 6.
FieldRequest classify(std::uint8_t function, std::uint16_t sub_function) {
  using enum FieldAction;
  const auto of = [function](FieldAction action, Table table) {
    return FieldRequest{FieldProtocol::modbus, action, function, table};
  };
  switch (function) {
  case 1:
    return of(read, coils);
  case 2:
    return of(read, discrete_inputs);
  case 3:
    return of(read, holding_registers);
  case 4:
    return of(read, input_registers);
  case 5:
  case 15:
    return of(write, coils);
  case 6:
  case 16:
  case 22: // mask write
  case 23: // reads and writes at once
    return of(write, holding_registers);
  case 24:
    return of(read, holding_registers); // FIFO
  case 20:
    return of(read, files);
  case 21:
    return of(write, files);
  case 7:
  case 11:
  case 12:
  case 17:
    return of(read, none);
  case 8: { // 1 restart, 3 change delimiter, 4 listen only, 10 and 20 clear counters
    auto request = of(read, none);
    if (sub_function == 1 || sub_function == 3 || sub_function == 4 || sub_function == 10 ||
        sub_function == 20)
      request.action = manage;
    request.code = std::uint16_t((sub_function & 0xff) << 8 | function);
    return request;
  }
  case 43: { // 14 device identification, 13 CANopen
    auto request = of(sub_function == 14 ? read : hidden, none);
    request.code = std::uint16_t((sub_function & 0xff) << 8 | function);
    return request;
  }
  default:
    return of(hidden, none);
  }
}

} // namespace

bool parse_modbus(std::span<const std::uint8_t> payload, std::vector<FieldRequest>& found) {
  for (std::size_t count = 0; !payload.empty(); ++count) {
    if (payload.size() < header + 1 || payload[2] != 0 || payload[3] != 0) return count != 0;
    const auto length = std::size_t(payload[4] << 8 | payload[5]); // of unit, function and data
    if (length < 2 || length > 254) return count != 0;
    const auto function = payload[header];
    const auto whole = header - 1 + length;
    // An exception (0x80) is an answer.
    if ((function & 0x80) == 0 && function != 0) {
      std::uint16_t sub = 0;
      if (function == 8) {
        if (payload.size() < header + 3 || length < 4) return count != 0;
        sub = std::uint16_t(payload[header + 1] << 8 | payload[header + 2]);
      } else if (function == 43) {
        if (payload.size() < header + 2 || length < 3) return count != 0;
        sub = payload[header + 1];
      }
      // Each kind once: a write must not hide behind many reads.
      const auto request = classify(function, sub);
      if (std::find(found.begin(), found.end(), request) == found.end()) {
        if (found.size() >= field_requests_of_a_packet) return false;
        found.push_back(request);
      }
    }
    if (payload.size() <= whole) return true;
    payload = payload.subspan(whole);
  }
  return true;
}

} // namespace iris
