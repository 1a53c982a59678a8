#!/usr/bin/env python3
"""What a container engine does to the containers under the node's eyes, and whether alerts still have the right name.
IRIS_BIN is the folder of the programs. About a minute, one start of everything for all cases."""
import os, re, signal, sys, time

from lab import *

begin = time.monotonic()


def step(what):
    print(f"[{time.monotonic() - begin:5.1f} s] {what}", flush=True)


def tool_in(container, entity=None):
    """Somebody runs a scanner in the container: the alert says in whose."""
    docker("exec", container, "nmap", "10.231.10.1")
    entity = entity or container
    wait(f"an alert that nmap ran in {entity}", lambda: gateway.alerts("process.tool", entity))


def scan_from(container, address):
    docker("exec", container, "bash", "-c", f"for p in $(eval echo {{2000..2040}}); do (echo >/dev/tcp/{address}/$p) 2>/dev/null; done", ok=False)


def start():
    engine.make_image()
    for name, subnet in SUBNETS.items():
        more = ("--ipv6", "--subnet", "fd77:1::/64") if name == "iris-engb" else ()
        docker("network", "create", "--subnet", subnet, *more, "-o", f"com.docker.network.bridge.name={name}", name)
    firewall("-I")
    engine("server", "--network", "iris-engb", "--ip6", "fd77:1::10", "--restart", "always", command=("perl", "-e", """
        use IO::Socket::INET; my $l = IO::Socket::INET->new(LocalPort => 8080, Listen => 50, ReuseAddr => 1) or die;
        while (my $c = $l->accept) { my $x = <$c>; print $c $x; close $c }"""))
    engine("two", "--network", "iris-enga", "--ip", "10.231.10.20", "--restart", "always")
    docker("network", "connect", "iris-engb", "two")
    engine("on-host", "--network", "host", "--restart", "always")
    engine("database", "--network", "iris-enga", "--pid", "host", "-v", f"{HOME}/docker.sock:/var/run/docker.sock", "--restart", "always")
    gateway.start_node()
    wait("the node knows the engine's containers", lambda: gateway.inspect("docker_source").get("containers") == 4)


def minimal_rights():
    status = open(f"/proc/{gateway.node.process.pid}/status").read()
    mask = int(re.search(r"CapEff:\s*(\w+)", status).group(1), 16)
    numbers = {"DAC_READ_SEARCH": 2, "NET_ADMIN": 12, "NET_RAW": 13, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "PERFMON": 38, "BPF": 39}
    wanted = sum(1 << numbers[name] for name in first_capabilities())
    check(mask == wanted, f"the node has the capabilities {mask:x}, the compose file gives {wanted:x}")
    check(re.search(r"NoNewPrivs:\s*1", status), "the node could gain privileges")
    check("missing" not in log("node") and "not permitted" not in log("node").lower(), "the node misses a right:\n" + log("node"))


def posture_once():
    wait("the standing posture of a container with rights", lambda: gateway.alerts("posture", "database"))
    alert = gateway.alerts("posture", "database")[0]
    check(alert["severity"] == "low" and "engine's socket" in alert["title"], f"posture: {alert['title']}")
    check("gateway's processes" in alert["observed"], f"posture: {alert['observed']}")
    said = {one["service"]: one["says"] for one in gateway.inspect("posture")["containers"]}
    check(any("as root" in text for text in said["two"]), "the shell does not show the posture of all containers")


def networks():
    tool_in("on-host")
    scan_from("two", "fd77:1::10")
    wait("a scan over IPv6, by names", lambda: gateway.alerts("network.scan", "two", "server"))
    docker("network", "disconnect", "iris-enga", "two")
    engine("heir", "--network", "iris-enga", "--ip", "10.231.10.20", "--restart", "always")
    scan_from("heir", "10.231.10.1")
    wait("the new owner of an address is named", lambda: gateway.alerts("network.scan", "heir"))
    docker("network", "connect", "--ip", "10.231.10.21", "iris-enga", "two")
    tool_in("two")


def drift():
    wait("the gateway's containers are known", lambda: gateway.inspect("posture").get("known"))
    docker("rename", "two", "deux")
    tool_in("deux")
    check(not gateway.alerts("container.drift", "deux"), "a renamed container is told as a new one")
    engine("stranger", "--network", "iris-enga", "--restart", "always")
    wait("a new container is told", lambda: gateway.alerts("container.drift", "stranger"))
    docker("rm", "-f", "heir")
    engine("heir", "--network", "iris-enga", "--pid", "host", "-p", "127.0.0.1::80", "--restart", "always")
    wait("a container made anew with more rights is told", lambda: gateway.alerts("container.drift", "heir"))
    check("gateway's processes" in gateway.alerts("container.drift", "heir")[0]["title"], "the right is not named")
    docker("restart", "-t", "0", "stranger", "heir")
    time.sleep(1)
    told = gateway.alerts("container.drift")
    check(sorted(a["entity"]["name"] for a in told if a["entity"]["name"] != "heir") == ["stranger"] and
          all(a["count"] == 1 for a in told), f"told again: {[(a['entity']['name'], a['title'], a['count']) for a in told]}")


def devices():
    address = docker("inspect", "-f", '{{(index .NetworkSettings.Networks "iris-engb").IPAddress}}', "server")
    wait("200 devices by name", lambda: gateway.inspect("edgex_directory").get("devices") == DEVICES)
    known = set()

    def all_judged():
        lan.calls(address, 8080, gateway.devices.values())
        known.update(a["name"] for a in gateway.ask("actors gw") if a["kind"] == "scorer" and a["name"].startswith("device-"))
        return len(known) >= DEVICES
    took = wait("200 devices are judged, each under its name", all_judged, 40)
    step(f"  200 devices, each with a pair of its own after {took:.1f} s")
    gateway.devices["device-007"] = f"10.231.9.{DEVICES + 1}" # somebody gave it another address, and told EdgeX
    time.sleep(2.5)
    lan.calls(address, 8080, [gateway.devices["device-007"]])
    lan.scans(address, gateway.devices["device-007"])
    wait("a device with a new address keeps its name", lambda: gateway.alerts("network.scan", "device-007"))
    check(not [a for a in gateway.alerts() if a["entity"]["name"] == f"10.231.9.{DEVICES + 1}"], "it was judged as a stranger too")


def restarts():
    before = len(gateway.alerts("container.crash"))
    engine.program.end() # the engine stops all containers with it
    engine.start()
    wait("the node is back at the engine", lambda: gateway.inspect("docker_source").get("connected"), 30)
    wait("the containers are back", lambda: len(docker("ps", "-q").split()) == 6)
    docker("exec", "server", "nmap", "-v")
    wait("an alert after the engine's restart", lambda: gateway.alerts("process.tool", "server"))
    check(len(gateway.alerts("container.crash")) == before, "the engine's restart is told as crashes")
    # A gateway that reboots takes everything down at once and comes back with other process ids; its boot id is no
    # part of what the node keeps. The kernel's clock since boot cannot be set back here.
    told = len(gateway.alerts("container.drift")), len(gateway.alerts("posture"))
    gateway.node.end(signal.SIGKILL)
    engine.program.end()
    engine.start()
    gateway.metadata.shutdown() # core-metadata takes longer to start than the node
    gateway.metadata.server_close()
    gateway.start_node()
    wait("the node knows the containers", lambda: gateway.inspect("docker_source").get("containers") == 6)
    wait("devices have their names without core-metadata", lambda: gateway.inspect("edgex_directory").get("devices") == DEVICES)
    time.sleep(1)
    check((len(gateway.alerts("container.drift")), len(gateway.alerts("posture"))) == told, "a reboot tells the posture again")
    check(len(gateway.alerts("container.crash")) == before, "a reboot is told as crashes")


def no_engine():
    gateway.node.end()
    gateway.start_node(engine="no-engine")
    wait("containers are found by their control groups", lambda: gateway.inspect("docker_source").get("by_groups", 0) >= 6)
    name = "sleep@" + docker("inspect", "-f", "{{.Id}}", "deux")[:12]
    tool_in("deux", name)
    scan_from("deux", "10.231.10.1")
    wait("its traffic has the same name", lambda: gateway.alerts("network.scan", name))


require()
gateway = engine = None
status = 0
try:
    firewall("-D")
    engine = Engine()
    gateway = Gateway()
    lan = Lan()
    for case in (start, minimal_rights, posture_once, networks, drift, devices, restarts, no_engine):
        step(case.__name__.replace("_", " "))
        case()
    step("passed")
except Failed as failure:
    status = 1
    say_what_failed(failure, gateway)
finally:
    clean_up(gateway, engine)
sys.exit(status)
