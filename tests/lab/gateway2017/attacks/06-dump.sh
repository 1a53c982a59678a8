#!/bin/bash
# The same client dumps the readings, about 25 MB.
# expect: detector=network.volume entity=edgex-mongo peer=198.51.100.77
# also: detector=network.client entity=edgex-mongo peer=198.51.100.77
set -euo pipefail
source "$(dirname "$0")/common.sh"
outside timeout 60 python3 "$root/tests/lab/lib/mongo_dump.py" --bind "$attacker_address" "$wan_gateway"
