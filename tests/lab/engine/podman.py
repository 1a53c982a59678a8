#!/usr/bin/env python3
"""The node beside a real podman: names, what counts as a crash, and what does not. podman's own files lie in a folder of this
test's, and its containers get no network, so that nothing of this machine's firewall changes. Skipped without podman."""
import shutil, signal, sys, time

from lab import *

if not shutil.which("podman") or not shutil.which("runc"):
    print("skipped: it needs podman and runc")
    sys.exit(77)
require()
PODMAN = ("podman", "--root", f"{HOME}/podman", "--runroot", f"{HOME}/podman-run", "--storage-driver", "overlay", "--cgroup-manager",
          "cgroupfs", "--events-backend", "file", "--log-level", "error", "--runtime", "runc")
LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096") # no more than this machine may give


def podman(*words, ok=True):
    return run(*PODMAN, *words, ok=ok)


def start(name, *command):
    podman("run", "-d", "--name", name, "--network", "none", *LIMITS, "iris-eng:1", *command)


def crashes():
    return sorted(alert["entity"]["name"] for alert in gateway.alerts("container.crash"))


gateway = service = None
status = 0
try:
    tree = image_tree()
    run("sh", "-c", f"tar -C {tree} -c . | {' '.join(PODMAN)} import - iris-eng:1")
    service = Program("podman", *PODMAN, "system", "service", "--time", "0", f"unix://{HOME}/podman.sock")
    gateway = Gateway()
    start("edgex-core-data", "sleep", "600")
    gateway.start_node(engine="podman")
    wait("the node knows podman's container", lambda: gateway.inspect("docker_source").get("containers") == 1)
    podman("exec", "edgex-core-data", "nmap", "127.0.0.1")
    wait("an alert with podman's name", lambda: gateway.alerts("process.tool", "edgex-core-data"))
    start("worker", "bash", "-c", "sleep 1; bash -c 'kill -SEGV $$'; exit $?") # a first process cannot fault by a signal itself
    wait("a fault is a crash", lambda: crashes() == ["worker"])
    podman("stop", "-t", "0", "edgex-core-data")
    time.sleep(2)
    check(crashes() == ["worker"], f"a stop is told as a crash: {crashes()}")
    podman("rename", "edgex-core-data", "edgex-old-data")
    podman("start", "edgex-old-data")
    time.sleep(1) # podman's events come by a file, a moment later
    podman("exec", "edgex-old-data", "nmap", "127.0.0.1")
    wait("an alert with the new name", lambda: gateway.alerts("process.tool", "edgex-old-data"))
    podman("rm", "-f", "-t", "0", "edgex-old-data", "worker")
    wait("the removal is seen", lambda: gateway.inspect("docker_source").get("containers") == 0)
    print("passed: names, a crash, a stop, a new name and a removal by podman")
except Failed as failure:
    status = 1
    say_what_failed(failure, gateway)
finally:
    podman("rm", "-f", "-a", "-t", "0", ok=False)
    if service:
        service.end()
    clean_up(gateway, None)
sys.exit(status)
