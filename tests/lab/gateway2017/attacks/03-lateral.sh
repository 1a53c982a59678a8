#!/bin/bash
# Code inside the logging service reads the thermostat by BACnet and talks to the SNMP device service.
# expect: detector=network.lateral entity=edgex-support-logging peer='KMC-BAC-121036CE 10.77.0.21'
# expect: detector=network.lateral entity=edgex-support-logging peer=edgex-device-snmp
# also: detector=network.client entity=edgex-support-logging peer=198.51.100.77
set -euo pipefail
source "$(dirname "$0")/common.sh"
for _ in 1 2 3; do # BACnet ReadProperty of analog value 1
  exploit_send 48061 udp "$thermostat_address" 47808 '\x81\x0a\x00\x11\x01\x04\x00\x05\x09\x0c\x0c\x00\x80\x00\x01\x19\x55'
  exploit_send 48061 tcp edgex-device-snmp 49989 'GET /api/v1/device/AllLightStates HTTP/1.1\r\nConnection: close\r\n\r\n'
done
sleep 1
