#!/usr/bin/env python3
"""Certificates by the real programs on loopback, with lives of seconds: enrolment, renewal, rollover of the
authority, revocation, damaged files. Prints what it measured. IRIS_BIN is the folder of the programs."""
import json, os, re, shutil, signal, socket, struct, subprocess, sys, tempfile, time, urllib.request

BIN = os.environ["IRIS_BIN"]
HOME = tempfile.mkdtemp(prefix="iris-certificates-")
CLOUD = HOME + "/cloud"
LIFE = "12s"
started = []


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


PORT, HEALTH = free_port(), free_port()


def fail(why):
    print("FAILED:", why)
    for name in sorted(os.listdir(HOME)):
        if name.endswith(".log"):
            print("---", name)
            print("".join(open(f"{HOME}/{name}").readlines()[-25:]))
    sys.exit(1)


def check(good, what):
    if not good:
        fail(what)


def run(program, *args, ok=True):
    done = subprocess.run([f"{BIN}/{program}", *args], capture_output=True, text=True, timeout=30)
    if ok and done.returncode != 0:
        fail(f"{program} {' '.join(args[:2])}: {done.stderr}")
    return done


def cloud(*args, ok=True):
    return run("iris-cloud", *args, "--data", CLOUD, ok=ok)


def start(name, program, *args):
    log = open(f"{HOME}/{name}.log", "a")
    process = subprocess.Popen([f"{BIN}/{program}", *args], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    started.append(process)
    return process


def end(process, how=signal.SIGTERM):
    process.send_signal(how)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        fail("a program did not end")


def start_cloud():
    return start("cloud", "iris-cloud", "run", "--data", CLOUD, "--health", f"127.0.0.1:{HEALTH}",
                 "--gateway-life", LIFE, "--server-life", LIFE, "--operator-life", "1h", "--learning-window", "1s")


def start_node(name):
    return start(name, "iris-node", "run", "--data", f"{HOME}/{name}", "--lan-interface", "iris-cert0",
                 "--process-source", "off", "--docker-socket", f"{HOME}/no-engine.sock")


def link(*words):
    subprocess.run(["ip", *words], check=True)


scans = 0


def device_scans():
    """Something for the gateways to tell: a device on a wire of our own (veth) tries ports of the gateway, others each
    time, since the same ones within a minute are no news."""
    global scans
    first = 2000 + 300 * scans
    scans += 1

    def part(port):
        tcp = struct.pack("!HHIIBBHHH", 40000, port, 1, 0, 0x50, 2, 1024, 0, 0)
        pseudo = DEVICE + GATEWAY + struct.pack("!BBH", 0, 6, len(tcp))
        tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
        ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), port, 0, 64, 6, 0) + DEVICE + GATEWAY
        ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
        return bytes.fromhex("ffffffffffff0200000c0702") + b"\x08\x00" + ip + tcp
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as s:
        s.bind(("iris-cert1", 0))
        for port in range(first, first + 300):
            s.send(part(port))


DEVICE, GATEWAY = socket.inet_aton("10.231.7.9"), socket.inet_aton("10.231.7.1")


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def log(name):
    with open(f"{HOME}/{name}.log") as file:
        return file.read()


def metric(name):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{HEALTH}/metrics", timeout=5) as answer:
            text = answer.read().decode()
    except OSError:
        return -1
    found = re.search(rf"^{name} (\d+)$", text, re.M)
    return int(found.group(1)) if found else -1


def becomes(condition, seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def wait(what, test, patience=15.0):
    begin = time.monotonic()
    while not test():
        if time.monotonic() - begin > patience:
            fail(f"not within {patience:.0f} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - begin


def read(path):
    with open(path) as file:
        return file.read()


def put(path, text):
    with open(path + ".lab", "w") as file:
        file.write(text)
    os.chmod(path + ".lab", 0o600)
    os.rename(path + ".lab", path)


def enrol(name):
    token = cloud("token", "create", "--gateway", name, "--ttl", "1m").stdout.strip()
    run("iris-node", "enroll", "--join", token, "--data", f"{HOME}/{name}")
    return token


def authorities():
    return [json.loads(line) for line in cloud("ca", "list", "--json").stdout.splitlines()]


def server_fingerprint():
    """Of the authority in the chain that the server shows."""
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{PORT}", "-showcerts", "-alpn",
                            "iris-enroll"], input="", capture_output=True, text=True, timeout=10).stdout
    last = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", shown, re.S)[-1]
    return subprocess.run(["openssl", "x509", "-noout", "-fingerprint", "-sha256"], input=last, capture_output=True,
                          text=True).stdout.split("=")[1].strip().replace(":", "").lower()


def enrolment():
    cloud("init", "--address", f"127.0.0.1:{PORT}", "--listen", f"127.0.0.1:{PORT}")
    server = start_cloud()
    wait("the cloud is ready", lambda: metric("iris_batches_total") >= 0)
    begin = time.monotonic()
    token = enrol("gw-1")
    node = start_node("gw-1")
    wait("the node watches", lambda: "session with the cloud" in log("gw-1"))
    # The capture may not be open yet, so the device tries again.
    for _ in range(10):
        device_scans()
        if becomes(lambda: metric("iris_batches_total") > 0, 1):
            break
    wait("the first accepted batch", lambda: metric("iris_batches_total") > 0)
    took = time.monotonic() - begin
    print(f"enrolment, from nothing to the first accepted batch: {took:.2f} s")
    check(took < 5, "enrolment took 5 s or more")
    again = run("iris-node", "enroll", "--join", token, "--data", f"{HOME}/thief", ok=False)
    check(again.returncode != 0 and "used up" in again.stderr, "a used token was taken")
    return server, node


def renewal():
    before, own = read(f"{HOME}/gw-1/cert.pem"), read(f"{CLOUD}/pki/server.pem")
    key = read(f"{HOME}/gw-1/key.pem")
    took = wait("the gateway renews by itself", lambda: read(f"{HOME}/gw-1/cert.pem") != before)
    wait("the cloud renews its own", lambda: read(f"{CLOUD}/pki/server.pem") != own)
    check(read(f"{HOME}/gw-1/key.pem") == key, "the key changed")
    check(metric("iris_server_renewals_total") > 0, "the renewal of the server is not counted")
    print(f"renewal at two thirds of {LIFE}: the gateway {took:.1f} s after the look began, the cloud too")


def damaged(server):
    refused = metric("iris_link_files_refused")
    pki = CLOUD + "/pki"
    for name in ("server.pem", "server.key", "ca.pem", "crl.pem"):
        for kind in ("removed", "truncated", "swapped"):
            # Renewal writes server.pem itself: what is put back must be the one of now.
            good = read(f"{pki}/{name}")
            if kind == "removed":
                os.remove(f"{pki}/{name}")
            else:
                put(f"{pki}/{name}", good[: len(good) // 2] if kind == "truncated" else read(f"{HOME}/gw-1/key.pem"))
            wait(f"{name} {kind} is counted", lambda: metric("iris_link_files_refused") > refused, 3)
            refused = metric("iris_link_files_refused")
            check(server.poll() is None, "the cloud ended")
            server_fingerprint()  # new connections get the old one
            put(f"{pki}/{name}", good)
            time.sleep(0.6)
    said = log("cloud").count("certificates not reloaded, the old ones stay in use")
    check(said >= 12, f"only {said} of 12 damaged files are in the log")
    good = read(f"{HOME}/gw-1/ca.pem")
    put(f"{HOME}/gw-1/ca.pem", good[:200])
    took = wait("the node says it", lambda: "files not reloaded, the old ones stay in use" in log("gw-1"), 3)
    put(f"{HOME}/gw-1/ca.pem", good)
    print(f"12 damaged files of the cloud said and counted, it went on; the node said its own after {took:.1f} s")


def rollover(node):
    old = authorities()[0]["fingerprint"]
    ups = log("gw-1").count("link: connected")
    cloud("ca", "roll")
    both = authorities()
    check(len(both) == 2 and both[1]["fingerprint"] == old and both[1]["signs_server"], f"not two: {both}")
    check(server_fingerprint() == old, "the server is signed by one that gateways do not know")
    refusal = cloud("ca", "retire", ok=False)
    check(refusal.returncode != 0 and "gateway default/gw-1" in refusal.stderr, f"retire: {refusal.stderr}")
    begin = time.monotonic()
    done = lambda: cloud("ca", "retire", ok=False).returncode == 0
    wait("gw-1 has a certificate of the new authority", done, 25)
    took = time.monotonic() - begin
    check([a["fingerprint"] for a in authorities()] == [both[0]["fingerprint"]], "not the new one alone")
    wait("the server shows the new one", lambda: server_fingerprint() == both[0]["fingerprint"], 3)
    away = wait("gw-1 connects with its new certificate", lambda: log("gw-1").count("link: connected") > ups)
    batches = metric("iris_batches_total")
    device_scans()
    wait("batches go on", lambda: metric("iris_batches_total") > batches)
    check("certificate has expired" in log("cloud"), "the old certificate's session did not end with it")
    print(f"rollover: {took:.1f} s until the old authority could go, gw-1 was back {away:.2f} s after")
    enrol("gw-2")


def revocation(server, node):
    second = start_node("gw-2")
    wait("gw-2 connects", lambda: "link: connected" in log("gw-2"))
    batches = metric("iris_batches_total")
    begin = time.monotonic()
    cloud("gateways", "revoke", "gw-2")
    wait("gw-2 is cut", lambda: "link: lost" in log("gw-2"), 5)
    took = time.monotonic() - begin
    print(f"revocation, from the command to the cut in the gateway's log: {took:.2f} s")
    check(took < 2, "revocation took 2 s or more")
    end(second)
    end(server)
    server = start_cloud()
    wait("the cloud is ready again", lambda: metric("iris_batches_total") >= 0)
    admitted = log("gw-2").count("link: connected")
    second = start_node("gw-2")
    wait("gw-2 is refused after a restart", lambda: "cannot connect" in log("gw-2").split("link: lost")[-1])
    time.sleep(1)
    check(log("gw-2").count("link: connected") == admitted, "a revoked gateway was admitted after a restart")
    end(second)
    device_scans()
    wait("gw-1 goes on", lambda: metric("iris_batches_total") > 0, 20)
    print("a revoked gateway stays out after a restart, another goes on")
    cloud("gateways", "rename", "gw-1", "press-7")
    check('"name":"press-7"' in cloud("gateways", "list", "--json").stdout.replace(" ", ""), "not renamed")
    return server


def main():
    begin = time.monotonic()
    server, node = enrolment()
    renewal()
    damaged(server)
    rollover(node)
    server = revocation(server, node)
    end(node)
    end(server)
    print(f"all in {time.monotonic() - begin:.0f} s")


try:
    link("link", "add", "iris-cert0", "type", "veth", "peer", "name", "iris-cert1")
    link("addr", "add", "10.231.7.1/24", "dev", "iris-cert0")
    link("link", "set", "iris-cert0", "up")
    link("link", "set", "iris-cert1", "up")
    main()
finally:
    subprocess.run(["ip", "link", "del", "iris-cert0"], stderr=subprocess.DEVNULL)
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()
    shutil.rmtree(HOME, ignore_errors=True)
