#include "core/field/field_request.hpp"

namespace iris {

namespace {

const char* table_name(std::uint32_t table) {
  switch (table) {
  case 1:
    return "coils";
  case 2:
    return "discrete inputs";
  case 3:
    return "input registers";
  case 4:
    return "holding registers";
  case 5:
    return "files";
  default:
    return nullptr;
  }
}

const char* object_type(std::uint32_t type) { // clause 21, BACnetObjectType
  static constexpr const char* names[] = {"analog-input",
                                          "analog-output",
                                          "analog-value",
                                          "binary-input",
                                          "binary-output",
                                          "binary-value",
                                          "calendar",
                                          "command",
                                          "device",
                                          "event-enrollment",
                                          "file",
                                          "group",
                                          "loop",
                                          "multi-state-input",
                                          "multi-state-output",
                                          "notification-class",
                                          "program",
                                          "schedule",
                                          "averaging",
                                          "multi-state-value"};
  return type < std::size(names) ? names[type] : nullptr;
}

const char* confirmed_service(std::uint16_t service) {
  static constexpr const char* names[] = {"acknowledgeAlarm",
                                          "confirmedCOVNotification",
                                          "confirmedEventNotification",
                                          "getAlarmSummary",
                                          "getEnrollmentSummary",
                                          "subscribeCOV",
                                          "atomicReadFile",
                                          "atomicWriteFile",
                                          "addListElement",
                                          "removeListElement",
                                          "createObject",
                                          "deleteObject",
                                          "readProperty",
                                          "readPropertyConditional",
                                          "readPropertyMultiple",
                                          "writeProperty",
                                          "writePropertyMultiple",
                                          "deviceCommunicationControl",
                                          "confirmedPrivateTransfer",
                                          "confirmedTextMessage",
                                          "reinitializeDevice"};
  return service < std::size(names) ? names[service] : nullptr;
}

const char* unconfirmed_service(std::uint16_t service) {
  static constexpr const char* names[] = {"iAm",
                                          "iHave",
                                          "unconfirmedCOVNotification",
                                          "unconfirmedEventNotification",
                                          "unconfirmedPrivateTransfer",
                                          "unconfirmedTextMessage",
                                          "timeSynchronization",
                                          "whoHas",
                                          "whoIs",
                                          "utcTimeSynchronization",
                                          "writeGroup"};
  return service < std::size(names) ? names[service] : nullptr;
}

std::string describe_modbus(const FieldRequest& request) {
  const auto function = request.code & 0xff, sub = request.code >> 8;
  std::string text = to_string(request.action);
  if (const auto* table = table_name(request.object)) text += std::string{" "} + table;
  text += " (function " + std::to_string(function);
  if (function == 8 || function == 43) text += "/" + std::to_string(sub);
  return text + ")";
}

std::string describe_bacnet(const FieldRequest& request) {
  if (request.code >= 512)
    return "manage broadcasts (BVLL function " + std::to_string(request.code - 512) + ")";
  const bool confirmed = request.code < 256;
  const auto service = std::uint16_t(request.code & 0xff);
  const auto* name = confirmed ? confirmed_service(service) : unconfirmed_service(service);
  auto text = name != nullptr ? std::string{name}
                              : (confirmed ? "service " : "unconfirmed service ") + std::to_string(service);
  if (request.object == 0) return text;
  const auto* type = object_type(request.object - 1);
  return text + " of " + (type != nullptr ? type : "object type " + std::to_string(request.object - 1));
}

std::string describe_snmp(const FieldRequest& request) {
  std::string text;
  switch (request.code) {
  case 0:
    return "encrypted request";
  case 0xa0:
    text = "get";
    break;
  case 0xa1:
    text = "get-next";
    break;
  case 0xa3:
    text = "set";
    break;
  case 0xa5:
    text = "get-bulk";
    break;
  case 0xa6:
    text = "inform";
    break;
  default:
    text = "trap";
  }
  if (request.object == 0) return text;
  if (request.object < 256) return text + " MIB-2 group " + std::to_string(request.object);
  return text + " enterprise " + std::to_string(request.object - 256);
}

} // namespace

const char* to_string(FieldProtocol protocol) {
  switch (protocol) {
  case FieldProtocol::modbus:
    return "Modbus";
  case FieldProtocol::bacnet:
    return "BACnet";
  case FieldProtocol::snmp:
    return "SNMP";
  }
  return "unknown";
}

const char* to_string(FieldAction action) {
  switch (action) {
  case FieldAction::read:
    return "read";
  case FieldAction::write:
    return "write";
  case FieldAction::manage:
    return "manage";
  case FieldAction::notify:
    return "notify";
  case FieldAction::find:
    return "find";
  case FieldAction::hidden:
    return "hidden";
  }
  return "unknown";
}

std::string describe(const FieldRequest& request) {
  switch (request.protocol) {
  case FieldProtocol::modbus:
    return describe_modbus(request);
  case FieldProtocol::bacnet:
    return describe_bacnet(request);
  case FieldProtocol::snmp:
    return describe_snmp(request);
  }
  return "unknown";
}

} // namespace iris
