#include "core/field/field_request.hpp"

#include <algorithm>
#include <optional>

namespace iris {

namespace {

using Bytes = std::span<const std::uint8_t>;
constexpr std::uint16_t unconfirmed = 256;

bool carries_network_part(std::uint8_t function) {
  return function == 0x04 || function == 0x09 || function == 0x0a || function == 0x0b;
}

/// The APDU within an NPDU (clause 6.2). Empty: a message of the network layer. Nothing: broken or cut.
std::optional<Bytes> application_part(Bytes part) {
  if (part.size() < 2 || part[0] != 1) return std::nullopt;
  const auto control = part[1];
  if ((control & 0x80) != 0) return Bytes{};
  std::size_t at = 2;
  for (const auto bit : {0x20, 0x08}) { // destination, source: network (2), length (1), address
    if ((control & bit) == 0) continue;
    if (part.size() < at + 3) return std::nullopt;
    at += 3 + std::size_t(part[at + 2]);
  }
  if ((control & 0x20) != 0) ++at; // hop count
  if (part.size() <= at) return std::nullopt;
  return part.subspan(at);
}

/// The type of the first object that the service's data names, + 1. Services name it in context tag 0 with
/// four bytes (clause 20.2.14: type in the upper ten bits); createObject and COV have it elsewhere.
std::uint32_t first_object(std::uint16_t service, Bytes data) {
  switch (service) {
  case 10: // createObject: opening tag 0, then type as enumeration in tag 0, or an identifier in tag 1
    if (data.size() >= 3 && data[0] == 0x0e && data[1] == 0x09) return data[2] + 1U;
    if (data.size() < 6 || data[0] != 0x0e || data[1] != 0x1c) return 0;
    data = data.subspan(1);
    break;
  case 11: // deleteObject: an identifier with its application tag
    if (data.empty() || data[0] != 0xc4) return 0;
    break;
  case 6: // atomicReadFile, atomicWriteFile
  case 7:
    if (data.empty() || data[0] != 0xc4) return 0;
    break;
  case 5: // subscribeCOV: process in tag 0, object in tag 1
  case 28:
    if (data.empty() || (data[0] & 0xf8) != 0x08) return 0;
    data = data.subspan(std::min<std::size_t>(data.size(), 1 + (data[0] & 0x07)));
    if (data.empty() || data[0] != 0x1c) return 0;
    break;
  default:
    if (data.empty() || data[0] != 0x0c) return 0;
  }
  if (data.size() < 5) return 0;
  return (std::uint32_t(data[1]) << 2 | std::uint32_t(data[2]) >> 6) + 1;
}

/// Clause 21, BACnetConfirmedServiceChoice.
FieldAction confirmed_action(std::uint8_t service) {
  using enum FieldAction;
  switch (service) {
  case 3:  // getAlarmSummary
  case 4:  // getEnrollmentSummary
  case 5:  // subscribeCOV
  case 6:  // atomicReadFile
  case 12: // readProperty
  case 13: // readPropertyConditional
  case 14: // readPropertyMultiple
  case 26: // readRange
  case 28: // subscribeCOVProperty
  case 29: // getEventInformation
  case 30: // subscribeCOVPropertyMultiple
    return read;
  case 0:  // acknowledgeAlarm
  case 7:  // atomicWriteFile
  case 8:  // addListElement
  case 9:  // removeListElement
  case 15: // writeProperty
  case 16: // writePropertyMultiple
  case 27: // lifeSafetyOperation
    return write;
  case 10: // createObject
  case 11: // deleteObject
  case 17: // deviceCommunicationControl
  case 20: // reinitializeDevice
    return manage;
  case 1:  // confirmedCOVNotification
  case 2:  // confirmedEventNotification
  case 19: // confirmedTextMessage
  case 31: // confirmedCOVNotificationMultiple
    return notify;
  default: // private transfer, virtual terminal, authentication
    return hidden;
  }
}

/// Clause 21, BACnetUnconfirmedServiceChoice.
FieldAction unconfirmed_action(std::uint8_t service) {
  using enum FieldAction;
  switch (service) {
  case 7: // whoHas
  case 8: // whoIs
    return find;
  case 6: // timeSynchronization
  case 9: // utcTimeSynchronization
    return manage;
  case 10: // writeGroup
    return write;
  case 4: // private transfer
    return hidden;
  default: // iAm, iHave, COV, event, text
    return notify;
  }
}

} // namespace

bool parse_bacnet(Bytes payload, std::vector<FieldRequest>& found) {
  if (payload.size() < 4 || payload[0] != 0x81 || payload[1] > 0x0c) return false;
  if (std::size_t(payload[2] << 8 | payload[3]) < 4) return false;
  if (payload[1] == 0x01 || payload[1] == 0x08) { // writes or deletes in the table of broadcasts
    found.push_back({FieldProtocol::bacnet, FieldAction::manage, std::uint16_t(512 + payload[1]), 0});
    return true;
  }
  if (!carries_network_part(payload[1])) return true;
  const std::size_t begin = payload[1] == 0x04 ? 10 : 4; // a forwarded one names its first sender
  const auto application = application_part(payload.subspan(std::min(payload.size(), begin)));
  if (!application) return false;
  const auto part = *application;
  if (part.empty()) return true;
  if (part[0] >> 4 == 0) { // a confirmed request: sizes, invoke id, [sequence, window], service
    const bool segmented = (part[0] & 0x08) != 0;
    const std::size_t at = segmented ? 5 : 3;
    if (part.size() <= at) return false;
    if (segmented && part[3] != 0) return true; // a later piece names no object
    const auto service = part[at];
    found.push_back({FieldProtocol::bacnet, confirmed_action(service), service,
                     first_object(service, part.subspan(at + 1))});
  } else if (part[0] >> 4 == 1) {
    if (part.size() < 2) return false;
    found.push_back(
        {FieldProtocol::bacnet, unconfirmed_action(part[1]), std::uint16_t(unconfirmed + part[1]), 0});
  }
  return true;
}

} // namespace iris
