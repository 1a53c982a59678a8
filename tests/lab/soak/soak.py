#!/usr/bin/env python3
"""Cut tests: gateways with a made-up source report to a real iris-cloud while the link is cut, both sides are killed
and their disks are full. At the end every finding that a spool had is in the cloud exactly once, and counts add up.

IRIS_SOAK=full is the long form (make soak); IRIS_SOAK_SEED=N repeats a run's random choices."""
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

from accounts import Cloud, Ledger, compare
from processes import Kept, Volume, until
from proxy import CUTS, Proxy

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(HERE + "/../../..")
FULL = os.environ.get("IRIS_SOAK") == "full"
SEED = int(os.environ.get("IRIS_SOAK_SEED", time.time_ns() % 1_000_000))
MIB = 1 << 20

OBSERVATIONS = 100_000 if FULL else 10_000
LINK_CUTS, NODE_KILLS, CLOUD_KILLS = (100, 20, 20) if FULL else (10, 3, 3)
LONG_STALLS = 2 if FULL else 0  # longer than the link's 30 s of silence
RATE = 500 if FULL else 1_000  # observations a second of each gateway
NODE_RESERVE, CLOUD_RESERVE = 32 * MIB, 64 * MIB  # SpoolLimits::reserve, Store::default_reserve
GATEWAYS = ["soak-1", "soak-2"]
# What is acknowledged is kept for an hour, which would mend an acknowledgement that came too early: the second
# gateway deletes at once.
KEEP_ACKED = {"soak-1": 3600, "soak-2": 0}

place = ROOT + "/var/lab/soak"
started = time.monotonic()
rng = random.Random(SEED)


def program(name):
    for folder in (os.environ.get("IRIS_BIN"), ROOT + "/build/bin", ROOT + "/build/debug/bin"):
        if folder and os.access(f"{folder}/{name}", os.X_OK):
            return f"{folder}/{name}"
    sys.exit(f"soak: {name} is not built: run 'make build' first")


def say(text):
    print(f"[{time.monotonic() - started:5.1f} s] {text}", flush=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


class Soak:
    def __init__(self):
        self.cloud_volume = Volume(place + "/cloud", 1024 if FULL else 256)
        self.node_volume = Volume(place + "/node-soak-1", 512 if FULL else 128)  # the other has the machine's own
        self.data, self.health = place + "/cloud/data", free_port()
        link = free_port()
        run(program("iris-cloud"), "init", "--data", self.data, "--listen", f"127.0.0.1:{link}")
        self.proxy = Proxy(free_port(), link, SEED)
        self.port = self.proxy.server.sockets[0].getsockname()[1]
        self.cloud = Kept("cloud", [program("iris-cloud"), "run", "--data", self.data, "--health",
                                    f"127.0.0.1:{self.health}", "--alerts-per-gateway", "100000"], place + "/cloud.log")
        until("the cloud gets ready", self.ready, 20)
        self.nodes = {name: self.join(name) for name in GATEWAYS}
        self.ledgers = {name: Ledger(self.ledger_path(name)) for name in GATEWAYS}
        for name in GATEWAYS:
            until(f"{name} starts", lambda: os.path.exists(self.ledger_path(name)), 20)
        self.done_cuts = 0
        self.gone = dict.fromkeys(GATEWAYS, 0)  # findings that waited in memory for room when their gateway was killed

    def join(self, name):
        data = f"{place}/node-{name}/data"
        token = run(program("iris-cloud"), "token", "create", "--gateway", name, "--address", f"127.0.0.1:{self.port}",
                    "--data", self.data).strip()
        run(program("iris-node"), "enroll", "--join", token, "--data", data)
        return Kept(name, [program("lab_gateway"), "--data", data, "--ledger", self.ledger_path(name), "--rate",
                           str(RATE), "--keep-acked", str(KEEP_ACKED[name])], f"{place}/{name}.log")

    @staticmethod
    def ledger_path(name):
        return f"{place}/{name}.ledger"

    def ledger(self, name):
        return self.ledgers[name].refresh()

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.health}{path}", timeout=2) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def ready(self):
        return self.get("/readyz") == "ready\n"

    def keeps(self, name):
        """Whether this life of the gateway keeps findings."""
        with open(self.ledger_path(name), "rb") as ledger:
            ledger.seek(0, os.SEEK_END)
            ledger.seek(max(0, ledger.tell() - 4096))
            lines = ledger.read().split(b"\n")
        return any(line.startswith(b"f") for line in lines[len(lines) - lines[::-1].index(b"L") if b"L" in lines else 0:])

    # What can happen.
    def cut(self, how):
        seconds = 35 if how == "long stall" else rng.uniform(0.2, 3)
        until("a session to cut", lambda: self.proxy.cut("stall" if how == "long stall" else how, seconds), 60)
        self.done_cuts += 1

    def kill_node(self):
        name = rng.choice(GATEWAYS)
        until(f"{name} keeps findings", lambda: self.keeps(name), 30)
        self.nodes[name].kill()

    def kill_cloud(self):
        until("a session with the cloud", lambda: self.ready() and self.proxy.live(), 60)
        self.cloud.kill()

    def play(self):
        events = [(self.cut, CUTS[i % len(CUTS)]) for i in range(LINK_CUTS - LONG_STALLS)]
        events += [(self.cut, "long stall")] * LONG_STALLS
        events += [(self.kill_node,)] * NODE_KILLS + [(self.kill_cloud,)] * CLOUD_KILLS
        rng.shuffle(events)
        for act, *arguments in events:
            act(*arguments)
            time.sleep(rng.uniform(0.05, 2.0 if FULL else 1.0))

    def fill_node(self, leave, kill):
        name = GATEWAYS[0]
        until(f"{name} keeps findings", lambda: self.keeps(name), 30)

        def number_of(*kinds):
            ledger = self.ledger(name)
            return min(len(getattr(ledger, kind)) for kind in kinds)
        self.node_volume.fill(leave)
        refused, made = number_of("refused_deltas"), number_of("findings")
        until("the spool refuses", lambda: number_of("refused_deltas") >= refused + 20, 30)
        until("findings are made", lambda: number_of("findings") >= made + 20, 30)
        if kill:  # the next life finds the disk full
            lives = self.ledger(name).lives
            self.nodes[name].kill()
            until("the next life", lambda: self.ledger(name).lives > lives, 30)
            self.gone[name] = len(self.ledger(name).waiting_findings(lives))
            refused = number_of("refused_deltas")
            until("it refuses, too", lambda: number_of("refused_deltas") >= refused + 20, 30)
        self.node_volume.empty()
        kept = number_of("kept_findings", "kept_deltas")
        until("the spool keeps again", lambda: number_of("kept_findings", "kept_deltas") >= kept + 20, 30)

    def fill_cloud(self, leave, kill):
        def complaints():
            return self.cloud.log_text().count("stay in reserve")
        before = complaints()
        self.cloud_volume.fill(leave)
        until("the cloud refuses", lambda: complaints() > before, 30)
        if kill:
            self.cloud.kill()
        time.sleep(1.5)
        self.cloud_volume.empty()
        until("the cloud is ready again", self.ready, 30)

    def finish(self):
        for node in self.nodes.values():
            node.ask_to_end()
        for node in self.nodes.values():
            code = node.await_end(90)
            if code != 0:
                raise RuntimeError(f"{node.name} did not get rid of what it had: {code}")
        self.cloud.ask_to_end()
        code = self.cloud.await_end(30)
        if code != 0:
            raise RuntimeError(f"the cloud ended with {code}")

    def accounts(self):
        rows = [json.loads(line) for line in
                run(program("lab_cloud_reader"), self.data + "/db", *GATEWAYS).splitlines()]
        wrong = []
        for name in GATEWAYS:
            ledger, cloud = self.ledger(name), Cloud(rows, name)
            wrong += compare(name, ledger, cloud, RATE, self.gone[name])
            say(f"{name}: {ledger.lives} lives; findings: {len(ledger.findings)} made, {len(ledger.kept_findings)} kept, "
                f"{len(ledger.refused_findings)} refused, {len(cloud.findings)} in the cloud; deltas: "
                f"{len(ledger.deltas)} made, {len(ledger.kept_deltas)} kept, {len(ledger.refused_deltas)} refused, "
                f"{len(cloud.deltas)} in the cloud; observations: {ledger.observations()} seen, {cloud.observations} "
                f"counted; losses reported: {cloud.losses}")
        told = Cloud(rows, GATEWAYS[0]).health
        if "spool lost deltas" not in told:
            wrong.append(f"{GATEWAYS[0]}: its full disk raised no alert that counts were lost: {told}")
        return wrong


def soak():
    test = Soak()
    say(f"seed {SEED}: a cloud, {len(GATEWAYS)} gateways that see {RATE} observations a second each; "
        f"{LINK_CUTS} cuts, {NODE_KILLS} node kills, {CLOUD_KILLS} cloud kills")
    test.play()
    say(f"{test.done_cuts} cuts, {sum(node.kills for node in test.nodes.values())} node kills, {test.cloud.kills} "
        f"cloud kills; {test.proxy.accepted} connections")
    for what, fill, reserve in (("node", test.fill_node, NODE_RESERVE), ("cloud", test.fill_cloud, CLOUD_RESERVE)):
        for leave, kill in ((0, False), (reserve - MIB, False), (0, True)) if FULL else ((0, False),):
            fill(leave, kill)
            say(f"the {what}'s disk was full, with {leave // MIB} MiB left" + (", and it was killed" if kill else ""))
    until("enough observations", lambda: sum(test.ledger(name).observations() for name in GATEWAYS) >= OBSERVATIONS, 600)
    test.finish()
    say(f"all delivered; ends that nobody asked for: "
        + ", ".join(f"{kept.name} {len(kept.ends)}" for kept in [test.cloud, *test.nodes.values()]))
    wrong = test.accounts()
    if not wrong:
        test.cloud_volume.remove()
        test.node_volume.remove()
    return wrong


def main():
    if os.geteuid() != 0:
        print("soak: needs root, for volumes of its own: skipped")
        return 77
    if os.environ.get("IRIS_SOAK_NAMESPACE") is None:  # mounts that end with this process
        os.environ["IRIS_SOAK_NAMESPACE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable, os.path.abspath(__file__)])
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    try:
        wrong = soak()
    except (TimeoutError, RuntimeError, OSError) as error:
        wrong = [str(error)]
    for line in wrong:
        print("FAULT:", line)
    if wrong:
        print(f"soak: seed {SEED} failed; logs and ledgers are in {place}")
        return 1
    shutil.rmtree(place, ignore_errors=True)
    say("ok")
    return 0


sys.exit(main())
