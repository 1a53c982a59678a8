#!/bin/bash
# The signal tower sends a SYN flood through the gateway at a host outside.
# expect: detector=network.flood names='Patlite NHL-FBL' names=198.51.100.200
# also: detector=network.destination entity='Patlite NHL-FBL' peer=198.51.100.200
set -euo pipefail
source "$(dirname "$0")/common.sh"
tower timeout 20 "$(program lab_services)" flood syn "$victim_address" 80 3000 4
