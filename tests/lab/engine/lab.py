"""A gateway of this test's own: a second container engine with its data, networks and image, a LAN host behind a cable, a
pretended core-metadata, an Iris cloud and a node. The node runs with exactly the capabilities of
deploy/gateway-compose.yml and with a read-only root. Everything begins with iris-eng; nothing leaves the machine."""
import http.server, json, os, pathlib, re, shutil, signal, socket, subprocess, sys, tempfile, threading, time

BIN = os.environ["IRIS_BIN"]
ROOT = pathlib.Path(__file__).resolve().parents[3]
HOME = tempfile.mkdtemp(prefix="iris-engine-")
LAN, LAN_HOST, DEVICES = "10.231.9.254", "iris-eng-lan", 200
SUBNETS = {"iris-enga": "10.231.10.0/24", "iris-engb": "10.231.11.0/24"}
ENVIRONMENT = {**os.environ, "DOCKER_HOST": f"unix://{HOME}/docker.sock"}


class Failed(Exception):
    pass


def check(good, what):
    if not good:
        raise Failed(what)


def run(*words, ok=True, **more):
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=ENVIRONMENT, **more)
    if ok and done.returncode != 0:
        raise Failed(f"{' '.join(map(str, words))[:200]}: {done.stderr.strip()[-400:]}")
    return done.stdout.strip()


def docker(*words, ok=True):
    return run("docker", *words, ok=ok)


def wait(what, test, patience=20.0):
    begin = time.monotonic()
    while not test():
        if time.monotonic() - begin > patience:
            raise Failed(f"not within {patience:.0f} s: {what}")
        time.sleep(0.1)
    return time.monotonic() - begin


def log(name):
    path = pathlib.Path(f"{HOME}/{name}.log")
    return path.read_text(errors="replace") if path.exists() else ""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Program:
    """A program of ours that is started and ended; its output goes to NAME.log."""

    def __init__(self, name, *words):
        self.name = name
        with open(f"{HOME}/{name}.log", "a") as out:
            self.process = subprocess.Popen(words, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=ENVIRONMENT)

    def end(self, how=signal.SIGTERM):
        if self.process.poll() is not None:
            return
        self.process.send_signal(how)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise Failed(f"{self.name} did not end")


BRIDGE = "iris-eng0"


class Engine:
    def __init__(self):
        self.program = None
        pathlib.Path(f"{HOME}/engine.json").write_text("{}") # not the one of the machine's own engine
        # A bridge of its own: an engine with none removes docker0, which is the other's.
        run("ip", "link", "del", BRIDGE, ok=False)
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "addr", "add", "10.231.98.1/24", "dev", BRIDGE)
        self.start()

    def start(self):
        self.program = Program("dockerd", "dockerd", "--data-root", f"{HOME}/engine", "--exec-root", f"{HOME}/exec", "--host",
                               f"unix://{HOME}/docker.sock", "--pidfile", f"{HOME}/docker.pid", "--bridge", BRIDGE,
                               "--iptables=false", "--ip-masq=false", "--config-file", f"{HOME}/engine.json")
        wait("the engine answers", lambda: docker("version", "--format", "{{.Server.Version}}", ok=False) != "")

    def make_image(self):
        tree = image_tree()
        run("sh", "-c", f"tar -C {tree} -c . | docker import - iris-eng:1")

    def __call__(self, name, *options, command=("sleep", "600")):
        return docker("run", "-d", "--name", name, "--stop-timeout", "1", *options, "iris-eng:1", *command)


def image_tree():
    """A folder that holds an image, as small as it can be: a shell, perl, and a program that bears a scanner's name."""
    tree = pathlib.Path(f"{HOME}/image")
    for folder in ("bin", "tmp", "etc", "usr/lib", "lib", "lib64"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
    libraries = set()
    for program in ("bash", "sleep", "cat", "perl", "true", "touch"):
        found = os.path.realpath(shutil.which(program))
        shutil.copy(found, tree / "bin" / program)
        libraries |= set(re.findall(r"(/\S+) \(0x", run("ldd", found)))
    shutil.copy(tree / "bin" / "true", tree / "bin" / "nmap")
    (tree / "bin" / "sh").symlink_to("bash")
    for library in libraries:
        (tree / library[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(library), tree / library[1:])
    perl = run("perl", "-e", "print grep /perl-base/, @INC")
    shutil.copytree(perl, tree / perl[1:])
    return tree


def first_capabilities():
    """The list of the compose file, which is what the node gets here."""
    text = (ROOT / "deploy/gateway-compose.yml").read_text()
    block = re.search(r"cap_add:\n((?: +(?:#.*|- .*)\n)+)", text).group(1)
    return re.findall(r"- ([A-Z_]+)", block)


class Gateway:
    def __init__(self):
        self.cloud_port, self.metadata_port = free_port(), free_port()
        self.node = None
        self.devices = {f"device-{i:03}": f"10.231.9.{i}" for i in range(1, DEVICES + 1)}
        cloud = f"{HOME}/cloud"
        run(f"{BIN}/iris-cloud", "init", "--data", cloud, "--listen", f"127.0.0.1:{self.cloud_port}", "--address",
            f"127.0.0.1:{self.cloud_port}")
        self.cloud = Program("cloud", f"{BIN}/iris-cloud", "run", "--data", cloud, "--learning-day", "2s",
                             "--learning-window", "1s", "--learning-startup", "1s")
        wait("the cloud answers", lambda: self.ask("sessions", ok=False) is not None)
        token = run(f"{BIN}/iris-cloud", "token", "create", "--gateway", "gw", "--ttl", "1m", "--data", cloud)
        run(f"{BIN}/iris-node", "enroll", "--join", token, "--data", f"{HOME}/node")
        self.serve_metadata()

    def serve_metadata(self):
        gateway = self

        class Metadata(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                found = self.path.startswith("/api/v3/device/all")
                devices = [{"name": name, "serviceName": "device-modbus", "protocols": {"modbus-tcp": {"Address": address, "Port": "502"}}}
                           for name, address in gateway.devices.items()]
                body = json.dumps({"apiVersion": "v3", "totalCount": len(devices), "devices": devices} if found else {}).encode()
                self.send_response(200 if found else 404)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.metadata = http.server.ThreadingHTTPServer(("127.0.0.1", self.metadata_port), Metadata)
        threading.Thread(target=self.metadata.serve_forever, daemon=True).start()

    def start_node(self, engine="docker"):
        kept = ",".join("+" + name.lower() for name in first_capabilities())
        # The compose file's read_only, in a mount namespace of its own: only the data folder can be written.
        script = (f"mount --bind {HOME}/node {HOME}/node && mount -o remount,bind,ro / && "
                  f"if touch {HOME}/x 2>/dev/null; then echo the root file system can be written; exit 1; fi; "
                  f"exec setpriv --bounding-set -all,{kept} --inh-caps -all --no-new-privs "
                  f"{BIN}/iris-node run --data {HOME}/node --lan-interface iris-eng-lan0 --metadata-interval 1 "
                  f"--metadata-url http://127.0.0.1:{self.metadata_port} --max-entities 400 "
                  f"--docker-socket {HOME}/{engine}.sock")
        seen = log("node").count("session with the cloud")
        self.node = Program("node", "unshare", "--mount", "--propagation", "slave", "sh", "-c", script)
        wait("the node has a session", lambda: log("node").count("session with the cloud") > seen)

    def ask(self, command, ok=True):
        done = subprocess.run([f"{BIN}/iris-shell", "--socket", f"{HOME}/cloud/control.sock", "--json", "-c", command],
                              capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            if ok:
                raise Failed(f"{command}: {done.stderr.strip()}")
            return None
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def alerts(self, detector=None, entity=None, peer=None):
        return [a for a in self.ask("alerts --limit 1000")
                if detector in (None, a["detector"]) and entity in (None, a["entity"]["name"])
                and peer in (None, (a.get("peer") or {}).get("name"))]

    def inspect(self, actor):
        return ((self.ask(f"actor gw {actor}", ok=False) or [{}])[0]).get("inspect", {}) # {} until it is there


class Lan:
    """A host with as many addresses as there are devices, and one more, behind a cable."""

    def __init__(self):
        run("ip", "netns", "add", LAN_HOST)
        run("ip", "link", "add", "iris-eng-lan0", "type", "veth", "peer", "name", "eth0", "netns", LAN_HOST)
        run("ip", "addr", "add", f"{LAN}/24", "dev", "iris-eng-lan0")
        run("ip", "link", "set", "iris-eng-lan0", "up")
        batch = "".join(f"addr add 10.231.9.{i}/24 dev eth0\n" for i in range(1, DEVICES + 2))
        run("ip", "-n", LAN_HOST, "-batch", "-", input=batch + f"link set eth0 up\nlink set lo up\nroute add default via {LAN}\n")

    def calls(self, address, port, sources):
        """A short exchange from each of the addresses."""
        script = ("use IO::Socket::INET; for (@ARGV[2..$#ARGV]) { my $s = IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => $ARGV[1],"
                  "LocalAddr => $_, Timeout => 2) or next; print $s qq(hello\\n); my $x = <$s>; close $s }")
        run("ip", "netns", "exec", LAN_HOST, "perl", "-e", script, address, str(port), *sources)

    def scans(self, address, source):
        script = ("use IO::Socket::INET; for (1..40) { IO::Socket::INET->new(PeerAddr => $ARGV[0], PeerPort => 2000 + $_,"
                  "LocalAddr => $ARGV[1], Timeout => 1) }")
        run("ip", "netns", "exec", LAN_HOST, "perl", "-e", script, address, source)


def firewall(verb):
    for words in (("iptables", "FORWARD", "-i", "iris-eng+", "-o", "iris-eng+", "-j", "ACCEPT"),
                  ("ip6tables", "FORWARD", "-i", "iris-eng+", "-o", "iris-eng+", "-j", "ACCEPT")):
        run(words[0], verb, *words[1:], ok=verb == "-I")


def require():
    for what, good in (("root", os.geteuid() == 0), ("dockerd", shutil.which("dockerd")), ("unshare", shutil.which("unshare")),
                       ("setpriv", shutil.which("setpriv")), ("perl", shutil.which("perl"))):
        if not good:
            print(f"skipped: it needs {what}")
            sys.exit(77)


def say_what_failed(failure, gateway):
    print("FAILED:", failure)
    for name in ("node", "cloud", "dockerd", "podman"):
        print(f"--- {name}\n" + "\n".join(log(name).splitlines()[-25 if name == "node" else -8:]))
    for alert in (gateway.ask("alerts --limit 100", ok=False) if gateway else None) or []:
        print(alert["detector"], "|", alert["title"])


def clean_up(gateway, engine):
    for one in (gateway and gateway.node, gateway and gateway.cloud):
        if one:
            one.end(signal.SIGKILL)
    if engine:
        ids = docker("ps", "-aq", ok=False).split()
        if ids:
            docker("rm", "-f", *ids, ok=False)
        for name in SUBNETS:
            docker("network", "rm", name, ok=False)
        engine.program.end()
        run("ip", "link", "del", BRIDGE, ok=False)
    firewall("-D")
    run("ip", "netns", "del", LAN_HOST, ok=False)
    for link in ("iris-eng-lan0", *SUBNETS):
        run("ip", "link", "del", link, ok=False)
    for line in open("/proc/mounts").read().splitlines():
        if HOME in line.split()[1]:
            run("umount", "-l", line.split()[1], ok=False)
    shutil.rmtree(HOME, ignore_errors=True)
