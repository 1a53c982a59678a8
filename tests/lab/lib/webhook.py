"""Receives Iris's webhook: verifies each delivery's signature, prints each new alert, keeps all in a log.

usage: webhook.py PORT SECRET-FILE LOG
The log holds one JSON object a line: {"at", "signature": "ok"|"bad", "alert"}. GET /count tells how many distinct
(id, revision) came with a good signature.
"""
import datetime
import hashlib
import hmac
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

port, secret_file, log_path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
with open(secret_file, "rb") as file:
    secret = file.read().strip()

lock = threading.Lock()
seen = set()
titles = {}
log = open(log_path, "a", encoding="utf-8")


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 1 << 20))
        expected = "sha256=" + hmac.new(secret, body, hashlib.sha256).hexdigest()
        good = hmac.compare_digest(self.headers.get("X-Iris-Signature", ""), expected)
        try:
            alert = json.loads(body)
        except ValueError:
            alert = {}
        with lock:
            log.write(json.dumps({"at": datetime.datetime.now(datetime.timezone.utc).isoformat(), "signature": "ok" if good else "bad", "alert": alert}) + "\n")
            log.flush()
            key = (alert.get("id"), alert.get("revision"))
            if good and key not in seen:
                seen.add(key)
                if alert.get("id") not in titles:
                    titles[alert["id"]] = alert.get("title", "")
                    print(f"  alert  {alert.get('severity', '?'):8} {alert.get('detector', '?'):20} {alert.get('title', '')}", flush=True)
        self.answer(204 if good and alert else 401, b"")

    def do_GET(self):
        self.answer(200, str(len(seen)).encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
