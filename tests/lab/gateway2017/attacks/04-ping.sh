#!/bin/bash
# ping runs in the logging service, at the thermostat.
# expect: detector=process.tool|process.novel entity=edgex-support-logging text=ping
# also: detector=process.novel entity=edgex-support-logging
# also: detector=network.lateral entity=edgex-support-logging peer='KMC-BAC-121036CE 10.77.0.21'
set -euo pipefail
source "$(dirname "$0")/common.sh"
exploit_exec 48061 "ping -c 3 -i 0.3 $thermostat_address"
sleep 1.5
