"""Stand-in for device-bacnet's Python driver: HTTP on 5002 for the Java side, BACnet/IP from port 47808 to the LAN.

GET /api/v1/read/PROPERTY answers with the thermostat's present value of that property (ReadProperty, ASHRAE 135).
"""
import os
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

DEVICE = (os.environ.get("BACNET_DEVICE", "10.77.0.21"), 47808)
# Analog values of the profile KMC.BAC-121036CE.
PROPERTIES = {"Temperature": 1, "Humidity": 22, "CoolingPoint": 20, "HeatingPoint": 21}


class Driver:
    def __init__(self):
        self.invoke = 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("0.0.0.0", 47808))
        self.socket.settimeout(2)

    def read(self, instance):
        self.invoke = (self.invoke + 1) % 256
        analog_value = (2 << 22) | instance
        apdu = struct.pack(">BBBBBIBB", 0x00, 0x05, self.invoke, 0x0C, 0x0C, analog_value, 0x19, 85)
        self.socket.sendto(b"\x81\x0a\x00\x11\x01\x04" + apdu, DEVICE)
        while True:
            answer, _ = self.socket.recvfrom(1500)
            if len(answer) == 23 and answer[7] == self.invoke:
                return struct.unpack(">f", answer[18:22])[0]


driver = Driver()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        instance = PROPERTIES.get(self.path.rsplit("/", 1)[-1])
        try:
            status, body = (200, "%.1f" % driver.read(instance)) if instance else (404, "")
        except OSError as error:
            status, body = 504, str(error)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


port = int(sys.argv[sys.argv.index("-p") + 1]) if "-p" in sys.argv else 5002
HTTPServer(("0.0.0.0", port), Handler).serve_forever()
