#!/bin/bash
# Code inside the BACnet device service, which only ever reads the thermostat, sets its value: nothing but the function
# is new, since program, peer and port are the usual ones.
# expect: detector=network.command entity=edgex-device-bacnet peer='KMC-BAC-121036CE 10.77.0.21' text='writeProperty of analog-value'
# also: detector=network.client entity=edgex-device-bacnet peer=198.51.100.77
set -euo pipefail
source "$(dirname "$0")/common.sh"
for _ in 1 2 3; do # BACnet WriteProperty of analog value 1, present value, 100.0
  exploit_send 49986 udp "$thermostat_address" 47808 '\x81\x0a\x00\x18\x01\x04\x00\x05\x0a\x0f\x0c\x00\x80\x00\x01\x19\x55\x3e\x44\x42\xc8\x00\x00\x3f'
done
sleep 1
