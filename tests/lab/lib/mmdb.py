"""Writes a small MaxMind DB (version 2.0, https://maxmind.github.io/MaxMind-DB/) for IPv4 networks.

usage: mmdb.py OUT.mmdb NETWORKS.json
NETWORKS.json: {"198.51.100.0/24": {"country": "NL", "name": "Netherlands", "network": "Example Cloud", "asn": 64500}}

Every record carries the fields of both common layouts: country.iso_code and country.names.en (GeoLite2), and
country_code, as_name, autonomous_system_organization (the npm package's layout and GeoLite2-ASN's).
"""
import ipaddress
import json
import struct
import sys
import time

STRING, UINT16, UINT32, MAP, UINT64, ARRAY = 2, 5, 6, 7, 9, 11


def control(kind, size):
    """Control byte: three bits of type (0 and another byte for types above 7), five bits of size."""
    if size >= 29 + 256:
        raise ValueError("values of this size are not needed here")
    low, extra = (size, b"") if size < 29 else (29, bytes([size - 29]))
    return bytes([kind << 5 | low]) + extra if kind <= 7 else bytes([low, kind - 7]) + extra


class UInt:
    """An unsigned integer of a type; Python's ints do not tell which."""

    def __init__(self, value, kind=UINT32):
        self.value, self.kind = value, kind


def encode(value):
    if isinstance(value, str):
        raw = value.encode()
        return control(STRING, len(raw)) + raw
    if isinstance(value, UInt):
        raw = value.value.to_bytes((value.value.bit_length() + 7) // 8, "big")
        return control(value.kind, len(raw)) + raw
    if isinstance(value, dict):
        return control(MAP, len(value)) + b"".join(encode(k) + encode(v) for k, v in value.items())
    if isinstance(value, list):
        return control(ARRAY, len(value)) + b"".join(encode(v) for v in value)
    raise TypeError(type(value))


def record_of(info):
    return {
        "country": {"iso_code": info["country"], "names": {"en": info["name"]}},
        "country_code": info["country"],
        "as_name": info["network"],
        "autonomous_system_organization": info["network"],
        "autonomous_system_number": UInt(info["asn"]),
    }


def build(networks):
    tree = [[None, None]]  # node: what a 0 bit and a 1 bit lead to: None, a node's number, or ("data", offset)
    data = b""
    for text, info in networks.items():
        network = ipaddress.ip_network(text)
        bits = format(int(network.network_address), "032b")[: network.prefixlen]
        node = 0
        for bit in bits[:-1]:
            step = tree[node][int(bit)]
            if step is None:
                tree.append([None, None])
                step = tree[node][int(bit)] = len(tree) - 1
            node = step
        tree[node][int(bits[-1])] = ("data", len(data))
        data += encode(record_of(info))

    count = len(tree)

    def pointer(step):
        if step is None:
            return count  # not found
        return count + 16 + step[1] if isinstance(step, tuple) else step

    search = b"".join(struct.pack(">II", pointer(left), pointer(right)) for left, right in tree)
    metadata = {
        "node_count": UInt(count),
        "record_size": UInt(32, UINT16),
        "ip_version": UInt(4, UINT16),
        "database_type": "Iris-Lab-Country",
        "languages": ["en"],
        "binary_format_major_version": UInt(2, UINT16),
        "binary_format_minor_version": UInt(0, UINT16),
        "build_epoch": UInt(int(time.time()), UINT64),
        "description": {"en": "Networks of the lab"},
    }
    return search + b"\0" * 16 + data + b"\xab\xcd\xefMaxMind.com" + encode(metadata)


if __name__ == "__main__":
    with open(sys.argv[2], encoding="utf-8") as source:
        built = build(json.load(source))
    with open(sys.argv[1], "wb") as target:
        target.write(built)
