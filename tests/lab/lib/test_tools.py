"""The lab's own tools: what they accept and, above all, what they do not."""
import hashlib
import hmac
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

here = pathlib.Path(__file__).parent


def alert(identity, detector, entity, peer=None, title="", revision=1):
    return {"id": identity, "revision": revision, "detector": detector, "title": title, "entity": {"kind": "service", "name": entity}, "peer": peer}


class Expect(unittest.TestCase):
    def run_with(self, alerts, delivered=None, signature="ok"):
        with tempfile.TemporaryDirectory() as folder:
            work = pathlib.Path(folder)
            (work / "01-x.sh").write_text(
                "#!/bin/bash\n# An attack.\n# expect: detector=process.novel|process.origin entity=edgex-device-bacnet\n"
                "# expect: detector=network.lateral entity=edgex-support-logging peer='KMC-BAC-121036CE 10.77.0.21'\n"
                "# also: detector=network.client entity=anything\n")
            (work / "alerts").write_text("".join(json.dumps(one) + "\n" for one in alerts))
            sent = alerts if delivered is None else delivered
            (work / "webhook").write_text("".join(json.dumps({"signature": signature, "alert": one}) + "\n" for one in sent))
            return subprocess.run([sys.executable, here / "expect.py", work / "alerts", work / "webhook", work / "01-x.sh"],
                                  capture_output=True, text=True).returncode

    good = [alert("A-1", "process.origin", "edgex-device-bacnet"),
            alert("A-2", "network.lateral", "edgex-support-logging", {"name": "KMC-BAC-121036CE 10.77.0.21", "address": "10.77.0.21"})]

    def test_all_there(self):
        self.assertEqual(self.run_with(self.good), 0)

    def test_one_missing(self):
        self.assertEqual(self.run_with(self.good[:1]), 1)

    def test_wrong_service(self):
        self.assertEqual(self.run_with([self.good[0], {**self.good[1], "entity": {"name": "edgex-core-data"}}]), 1)

    def test_wrong_peer(self):
        self.assertEqual(self.run_with([self.good[0], {**self.good[1], "peer": {"name": "Patlite NHL-FBL"}}]), 1)

    def test_not_delivered(self):
        self.assertEqual(self.run_with(self.good, self.good[:1]), 1)

    def test_a_revision_not_delivered(self):
        self.assertEqual(self.run_with([self.good[0], {**self.good[1], "revision": 2}], self.good), 1)

    def test_bad_signature(self):
        self.assertEqual(self.run_with(self.good, signature="bad"), 1)

    def test_stored_twice(self):
        self.assertEqual(self.run_with([*self.good, {**self.good[0], "id": "A-3"}]), 1)

    def test_further_alerts_are_allowed(self):
        self.assertEqual(self.run_with([*self.good, alert("A-4", "network.client", "edgex-mongo")]), 0)


class Webhook(unittest.TestCase):
    def test_signature_and_distinct_revisions(self):
        with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            probe.close()
            secret, log = pathlib.Path(folder) / "secret", pathlib.Path(folder) / "log"
            secret.write_text("hush\n")
            server = subprocess.Popen([sys.executable, here / "webhook.py", str(port), secret, log], stdout=subprocess.DEVNULL)
            try:
                body = json.dumps(alert("A-1", "process.tool", "edgex-mongo")).encode()
                good = "sha256=" + hmac.new(b"hush", body, hashlib.sha256).hexdigest()
                self.assertEqual(self.post(port, body, good), 204)
                self.assertEqual(self.post(port, body, good), 204)
                self.assertEqual(self.post(port, body, "sha256=" + "0" * 64), 401)
                self.assertEqual(self.post(port, body + b" ", good), 401)
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=5) as answer:
                    self.assertEqual(answer.read(), b"1")
                self.assertEqual([json.loads(line)["signature"] for line in log.read_text().splitlines()], ["ok", "ok", "bad", "bad"])
            finally:
                server.kill()
                server.wait()

    def post(self, port, body, signature):
        for _ in range(50):
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{port}/", body, {"X-Iris-Signature": signature})
                with urllib.request.urlopen(request, timeout=5) as answer:
                    return answer.status
            except urllib.error.HTTPError as error:
                error.close()
                return error.code
            except (ConnectionRefusedError, urllib.error.URLError):
                time.sleep(0.1)
        self.fail("the receiver does not answer")


if __name__ == "__main__":
    unittest.main()
