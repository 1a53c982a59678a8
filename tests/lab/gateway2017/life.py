"""Watches the lab's normal traffic on its bridges for some seconds and checks that every documented flow is there.

usage: life.py BRIDGE LAN SPEED SECONDS
A TCP flow is counted by its opening SYN, a kept connection by the segments that carry data, UDP by datagrams. The
rates are those of facts about EdgeX Barcelona (docs/lab.md), in events a minute of the gateway's life; half to twice
the rate is accepted.
"""
import json
import select
import socket
import struct
import subprocess
import sys
import time

bridge, lan, speed, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])

# client, server, protocol, port, what is counted, a minute
EXPECTED = [
    *[("edgex-config-seed", name, "tcp", port, "connections", 6.0) for name, port in (
        ("edgex-support-logging", 48061), ("edgex-support-notifications", 48060), ("edgex-core-metadata", 48081),
        ("edgex-core-data", 48080), ("edgex-core-command", 48082), ("edgex-export-distro", 48070),
        ("edgex-device-bacnet", 49986), ("edgex-device-snmp", 49989))],
    *[(name, "edgex-config-seed", "tcp", 8500, "requests", 20.0) for name in (
        "edgex-support-logging", "edgex-support-notifications", "edgex-core-metadata", "edgex-core-data",
        "edgex-core-command", "edgex-export-distro", "edgex-device-bacnet", "edgex-device-snmp")],
    *[(name, "edgex-support-logging", "tcp", 48061, "connections", 0.2) for name in (
        "edgex-support-notifications", "edgex-core-metadata", "edgex-core-data", "edgex-core-command",
        "edgex-export-distro", "edgex-device-bacnet", "edgex-device-snmp")],
    ("edgex-device-bacnet", "thermostat", "udp", 47808, "datagrams", 8.0),
    ("edgex-device-snmp", "tower", "udp", 161, "datagrams", 4.0),
    ("edgex-device-bacnet", "edgex-core-data", "tcp", 48080, "connections", 2.0),
    ("edgex-device-snmp", "edgex-core-data", "tcp", 48080, "connections", 1.0),
    ("edgex-device-bacnet", "edgex-core-metadata", "tcp", 48081, "connections", 1.0),
    ("edgex-device-snmp", "edgex-core-metadata", "tcp", 48081, "connections", 1.0),
    ("edgex-core-data", "edgex-core-metadata", "tcp", 48081, "requests", 3.0),
    ("edgex-core-data", "edgex-mongo", "tcp", 27017, "requests", 9.0),
    ("edgex-core-metadata", "edgex-mongo", "tcp", 27017, "requests", 12.0),
    ("edgex-support-notifications", "edgex-mongo", "tcp", 27017, "requests", 7.0),
    ("edgex-core-command", "edgex-core-metadata", "tcp", 48081, "requests", 1.0),
    ("edgex-core-command", "edgex-device-bacnet", "tcp", 49986, "connections", 1.0),
    ("edgex-core-command", "edgex-device-snmp", "tcp", 49989, "connections", 1.0),
    ("edgex-export-distro", "ingest", "tcp", 1883, "requests", 9.0),
]

names = {"10.77.0.1": "gateway", "10.77.0.21": "thermostat", "10.77.0.22": "tower", "198.51.100.10": "ingest", "198.51.100.53": "dns"}
inspected = json.loads(subprocess.run(["docker", "network", "inspect", "edgex-network"], capture_output=True, text=True, check=True).stdout)
for entry in inspected[0]["Containers"].values():
    names[entry["IPv4Address"].split("/")[0]] = entry["Name"]

seen = {}  # (client, server, protocol, port, what) -> count
other = {}  # flows that nobody expects
bytes_seen = {bridge: 0, lan: 0}


def count(interface, frame):
    bytes_seen[interface] += len(frame)
    if len(frame) < 34 or frame[12:14] != b"\x08\x00":
        return
    head = (frame[14] & 15) * 4
    total = struct.unpack(">H", frame[16:18])[0]
    protocol = frame[23]
    source, target = socket.inet_ntoa(frame[26:30]), socket.inet_ntoa(frame[30:34])
    if frame[0] & 1:
        return  # multicast and broadcast: the host's own name and group announcements, not the lab's
    client, server = names.get(source, source), names.get(target, target)
    if protocol not in (6, 17):
        other[(client, server, protocol, 0)] = other.get((client, server, protocol, 0), 0) + 1
        return
    at = 14 + head
    sport, dport = struct.unpack(">HH", frame[at:at + 4])
    if protocol == 17:
        kinds = ["datagrams"]
    else:
        flags, data = frame[at + 13], total - head - (frame[at + 12] >> 4) * 4
        kinds = (["connections"] if flags & 0x12 == 0x02 else []) + (["requests"] if data > 0 else [])
    for kind in kinds:
        key = (client, server, "udp" if protocol == 17 else "tcp", dport, kind)
        seen[key] = seen.get(key, 0) + 1
        reverse = (server, client, key[2], sport, kind)
        if kind != "requests" and key[:4] not in expected_flows and reverse[:4] not in expected_flows and server != "dns" and client != "dns":
            other[key[:4]] = other.get(key[:4], 0) + 1


expected_flows = {row[:4] for row in EXPECTED}
expected_flows |= {("gateway", "thermostat", "udp", 47808), ("gateway", "tower", "udp", 161)}  # masqueraded, on the LAN

sockets = {}
for interface in (bridge, lan):
    packet_socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    packet_socket.bind((interface, 0))
    # SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_MR_PROMISC: otherwise a bridge shows no frame between two containers.
    packet_socket.setsockopt(263, 1, struct.pack("iHH8s", socket.if_nametoindex(interface), 1, 0, b""))
    sockets[packet_socket.fileno()] = (interface, packet_socket)

end = time.monotonic() + seconds
while (left := end - time.monotonic()) > 0:
    for fd in select.select(list(sockets), [], [], left)[0]:
        interface, packet_socket = sockets[fd]
        frame, address = packet_socket.recvfrom(65536)
        # A bridge shows a masqueraded packet twice, in and out; what goes out of the bridge's own port is the copy.
        if address[2] != socket.PACKET_OUTGOING or interface == lan:
            count(interface, frame)

missing = 0
minutes = seconds * speed / 60
for client, server, protocol, port, kind, rate in EXPECTED:
    got = seen.get((client, server, protocol, port, kind), 0)
    wanted = rate * minutes
    fits = wanted * 0.5 - 1 <= got <= wanted * 2 + 2 and (got > 0 or wanted < 1.5)
    missing += not fits
    print(f"{'ok ' if fits else 'BAD'} {client:28} -> {server:28} {protocol}/{port:<6} {got:5} {kind} (expected about {wanted:.0f})")
for key, number in sorted(other.items(), key=str):
    print(f"UNEXPECTED {key[0]} -> {key[1]} {key[2]}/{key[3]}: {number}")
print(f"{bridge}: {bytes_seen[bridge] / seconds / 1000:.1f} kB/s, {lan}: {bytes_seen[lan] / seconds / 1000:.1f} kB/s; "
      f"{len(EXPECTED) - missing} of {len(EXPECTED)} documented flows as expected")
sys.exit(1 if missing or other else 0)
