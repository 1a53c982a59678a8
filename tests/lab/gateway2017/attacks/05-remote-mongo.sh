#!/bin/bash
# A client from the Internet opens the database, which asks for no password, and lists what there is.
# expect: detector=network.client entity=edgex-mongo peer=198.51.100.77
set -euo pipefail
source "$(dirname "$0")/common.sh"
outside timeout 20 python3 "$root/tests/lab/lib/mongo_dump.py" --bind "$attacker_address" "$wan_gateway" --list
