"""What of the lab is running: for people, or as JSON with --json (fields are stable)."""
import json
import subprocess
import sys

bridge, lan, wan, speed, state, label, flag = sys.argv[1:8]
ids = subprocess.run(["docker", "ps", "-aq", "--filter", "label=" + label], capture_output=True, text=True, check=True).stdout.split()
inspected = json.loads(subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout) if ids else []
containers = {
    entry["Name"].lstrip("/"): {
        "id": entry["Id"][:12],
        "image": entry["Config"]["Image"],
        "address": entry["NetworkSettings"]["Networks"]["edgex-network"]["IPAddress"],
        "state": entry["State"]["Status"],
        "exit_code": entry["State"]["ExitCode"],
        "oom_killed": entry["State"]["OOMKilled"],
    }
    for entry in inspected
}
devices = {"KMC-BAC-121036CE 10.77.0.21": "10.77.0.21", "Patlite NHL-FBL": "10.77.0.22"}
answer = {
    "speed": int(speed), "bridge": bridge, "lan": lan, "wan": wan, "lan_gateway": "10.77.0.1", "wan_gateway": "198.51.100.1",
    "containers": containers, "devices": devices, "listed": "203.0.113.66",
    "country_file": state + "/country.mmdb", "threat_list": state + "/threats.txt",
}
if flag == "--json":
    print(json.dumps(answer))
else:
    print(f"speed {speed}   containers on {bridge}, LAN on {lan} (10.77.0.1), outside on {wan} (198.51.100.1)")
    for name, entry in sorted(containers.items()):
        print(f"  {name:30} {entry['address'] or '-':14} {entry['state']}")
    for name, address in devices.items():
        print(f"  {name:30} {address:14} LAN device")
sys.exit(0 if containers and all(entry["state"] == "running" for entry in containers.values()) else 1)
