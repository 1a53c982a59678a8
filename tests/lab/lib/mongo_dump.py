"""A small mongodump: lists databases and collections, then reads every document with find and getMore (OP_MSG).

usage: mongo_dump.py [--bind ADDRESS] HOST [--list]
"""
import argparse
import socket
import struct

options = argparse.ArgumentParser()
options.add_argument("host")
options.add_argument("--bind", default="")
options.add_argument("--list", action="store_true", help="only say what there is")
options = options.parse_args()


def encode(document):
    body = b""
    for name, value in document.items():
        key = name.encode() + b"\0"
        if isinstance(value, bool):
            body += b"\x08" + key + bytes([value])
        elif isinstance(value, int):
            body += b"\x12" + key + struct.pack("<q", value)
        elif isinstance(value, str):
            raw = value.encode() + b"\0"
            body += b"\x02" + key + struct.pack("<i", len(raw)) + raw
        else:
            raise TypeError(name)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def decode(raw):
    """Fields of a document; documents in arrays stay bytes."""
    at, end, fields = 4, struct.unpack_from("<i", raw)[0] - 1, {}
    while at < end:
        kind = raw[at]
        stop = raw.index(b"\0", at + 1)
        name, at = raw[at + 1:stop].decode(), stop + 1
        if kind in (1, 9, 18):
            fields[name] = struct.unpack_from("<d" if kind == 1 else "<q", raw, at)[0]
            at += 8
        elif kind == 2:
            size = struct.unpack_from("<i", raw, at)[0]
            fields[name] = raw[at + 4:at + 3 + size].decode()
            at += 4 + size
        elif kind in (3, 4):
            size = struct.unpack_from("<i", raw, at)[0]
            fields[name] = raw[at:at + size]
            at += size
        elif kind == 7:
            at += 12
        elif kind == 8:
            fields[name] = bool(raw[at])
            at += 1
        elif kind == 16:
            fields[name] = struct.unpack_from("<i", raw, at)[0]
            at += 4
        else:
            raise ValueError("type %d" % kind)
    return fields


class Client:
    def __init__(self, host):
        self.socket = socket.create_connection((host, 27017), timeout=10, source_address=(options.bind, 0) if options.bind else None)
        self.request, self.received = 0, 0

    def run(self, database, **command):
        self.request += 1
        body = struct.pack("<I", 0) + b"\0" + encode({**command, "$db": database})
        self.socket.sendall(struct.pack("<iiii", 16 + len(body), self.request, 0, 2013) + body)
        head = self.read(16)
        reply = self.read(struct.unpack("<i", head[:4])[0] - 16)
        fields = decode(reply[5:])
        if fields.get("ok") != 1.0:
            raise SystemExit("the server says: %s" % fields.get("errmsg"))
        return fields

    def read(self, size):
        parts, left = [], size
        while left:
            part = self.socket.recv(min(left, 1 << 18))
            if not part:
                raise SystemExit("the server closed the connection")
            parts.append(part)
            left -= len(part)
        self.received += size
        return b"".join(parts)


client = Client(options.host)
client.run("admin", hello=1)
databases = [decode(raw)["name"] for raw in decode(client.run("admin", listDatabases=1)["databases"]).values()]
documents = 0
for database in databases:
    cursor = decode(client.run(database, listCollections=1)["cursor"])
    collections = [decode(raw)["name"] for raw in decode(cursor["firstBatch"]).values()]
    print(database + ":", ", ".join(collections))
    for collection in [] if options.list else collections:
        cursor = decode(client.run(database, find=collection)["cursor"])
        documents += cursor["firstBatch"].count(b"_class\0")
        while cursor["id"]:
            cursor = decode(client.run(database, getMore=cursor["id"], collection=collection)["cursor"])
            documents += cursor["nextBatch"].count(b"_class\0")
print("%d documents, %.1f MB received" % (documents, client.received / 1e6))
