#!/bin/bash
# The signal tower floods the gateway's command service with connections until it runs out of memory and is killed.
# expect: detector=network.flood names='Patlite NHL-FBL' names='edgex-core-command|gateway|10.77.0.1'
# expect: detector=container.crash entity=edgex-core-command
# also: detector=network.client entity=edgex-core-command peer='Patlite NHL-FBL'
# The registry looks the name of the dead service up, and the engine asks the name server outside for it:
# also: detector=network.destination|network.lateral entity=edgex-config-seed
set -euo pipefail
source "$(dirname "$0")/common.sh"
tower timeout 20 "$(program lab_services)" flood connect "$lan_gateway" 48082 3000 4
