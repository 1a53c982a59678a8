#pragma once
#include "tests/lab/services/net.hpp"

namespace iris::lab {

/// SNMPv1 GetRequest of one object (RFC 1157), 52 bytes for the Patlite's objects.
[[nodiscard]] std::string snmp_get(const std::string& community, const std::string& object,
                                   std::uint8_t request_id);

/// A KMC BAC-121036CE thermostat: answers BACnet/IP ReadProperty of an analog value's present value on UDP
/// 47808 (ASHRAE 135 clauses 15.5 and 20). Never returns unless the port is taken.
int run_thermostat(const std::string& address);

/// Name server of the lab's outside: a few names under example.net, the rest does not exist.
int run_name_server(const std::string& address);

} // namespace iris::lab
