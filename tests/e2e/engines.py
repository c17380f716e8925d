"""Container engines for tests: private ones of Docker and Podman, that touch none which is on the machine already.

    engines.py start DIR    starts one of each in DIR, prints their addresses for LOCKSTEP_TEST_ENGINES
    engines.py stop DIR     ends them and removes DIR

They need root, and the packages of Debian that are named in NEEDED."""
import atexit
import ctypes
import fcntl
import http.client
import ipaddress
import io
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.parse

NEEDED = {"dockerd": "docker.io", "podman": "podman", "runc": "runc", "iptables": "iptables",
          "busybox": "busybox-static",
          "/usr/lib/cni/bridge": "containernetworking-plugins"}
PROGRAMS = ("dockerd", "containerd", "podman", "conmon", "runc")
START_LIMIT_S, STOP_LIMIT_S, LIST_LIMIT_S = 60, 15, 20
SKIPPED = 77

# runc and low limits: containers start where control groups are hybrid and limits may not be raised, too. Locks,
# networks and their addresses are of this engine alone.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=32768:32768"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{dir}/tmp"
[network]
network_backend = "cni"
network_config_dir = "{dir}/networks"
default_subnet_pools = [{{ "base" = "{pool}", "size" = 24 }}]
"""
# The engine's default network, on a bridge of its own.
PODMAN_NETWORK = {"cniVersion": "0.4.0", "name": "podman", "plugins": [
    {"type": "bridge", "isGateway": True, "hairpinMode": True,
     "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}]}},
    {"type": "portmap", "capabilities": {"portMappings": True}}]}


class _Connection(http.client.HTTPConnection):
    def __init__(self, path, timeout):
        super().__init__("engine", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def _ping(address, timeout=60):
    connection = _Connection(address.removeprefix("unix://"), timeout)
    try:
        connection.request("GET", "/_ping")
        answer = connection.getresponse()
        answer.read()
        return answer
    finally:
        connection.close()


class Engine:
    """An engine that runs, by its address (unix:///PATH)."""

    def __init__(self, address):
        self.address = address
        self.name = "podman" if _ping(address).getheader("Libpod-Api-Version") else "docker"

    def ask(self, method, path, body=None, kind="application/json", timeout=60):
        """Returns (status, body); the body is parsed where it is one JSON text."""
        connection = _Connection(self.address.removeprefix("unix://"), timeout)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, "/v1.41" + path, data, {"Content-Type": kind} if data else {})
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode(errors="replace")

    def do(self, method, path, body=None, **options):
        """As ask, and must succeed. Returns the body."""
        status, said = self.ask(method, path, body, **options)
        if status // 100 != 2 and status != 304:
            raise AssertionError(f"{self.name}: {method} {path}: {status} {said}")
        return said

    def get(self, path):
        return self.do("GET", path)

    def build(self, name, dockerfile, files):
        """Makes an image; `files`: name -> (mode, bytes)."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, (mode, data) in {**files, "Dockerfile": (0o644, dockerfile.encode())}.items():
                about = tarfile.TarInfo(path)
                about.mode, about.size = mode, len(data)
                tar.addfile(about, io.BytesIO(data))
        said = self.do("POST", f"/build?rm=1&forcerm=1&t={urllib.parse.quote(name)}", archive.getvalue(),
                       kind="application/x-tar", timeout=120)
        if "errorDetail" in str(said):
            raise AssertionError(f"{self.name}: build {name}: {said}")

    def containers(self, pid=None):
        """The containers of that lockstep, or of any, by node."""
        filters = urllib.parse.quote(json.dumps({"label": ["lockstep.run"]}))
        found = self.get(f"/containers/json?all=1&filters={filters}")
        return {c["Labels"].get("lockstep.node"): c for c in found
                if pid is None or c["Labels"]["lockstep.run"].startswith(f"{pid}-")}

    def made_by(self, pids):
        """What there is of these lockstep processes, by the label that all of it carries."""
        found = []
        for kind, path in ("container", "/containers/json?all=1"), ("network", "/networks"), ("volume", "/volumes"), \
                ("image", "/images/json?all=1"):
            end = time.monotonic() + LIST_LIMIT_S
            status, items = self.ask("GET", path)
            while status == 500 and time.monotonic() < end:  # as Podman answers while what would be listed is removed
                time.sleep(0.02)
                status, items = self.ask("GET", path)
            assert status == 200, items
            for item in (items["Volumes"] if kind == "volume" else items) or []:
                run = (item.get("Labels") or {}).get("lockstep.run", "")
                if run and int(run.partition("-")[0]) in pids:
                    found.append(f"{kind} {item.get('Name') or item.get('Names') or item['Id']}")
        return found

    def all_there_is(self):
        """What the engine has, to compare: of images also those without a name."""
        volumes = self.get("/volumes")["Volumes"] or []
        return {"containers": sorted(str(c["Names"]) for c in self.get("/containers/json?all=1")),
                "networks": sorted(n["Name"] for n in self.get("/networks")),
                "volumes": sorted(v["Name"] for v in volumes),
                "images": sorted(f"{i['Id']} {sorted(i['RepoTags'] or [])}" for i in self.get("/images/json?all=1"))}


# --- Bridges: Docker makes none for itself beside the one of another engine ---

SIOCGIFFLAGS, SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK = 0x8913, 0x8914, 0x8916, 0x891C
SIOCBRADDBR, SIOCBRDELBR, IFF_UP = 0x89A0, 0x89A1, 1


def _interface(request, name, value=b""):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        return fcntl.ioctl(s, request, struct.pack("16s24s", name.encode(), value))


def _bridge_add(name, address):
    def inet(text):
        return struct.pack("=HH4s", socket.AF_INET, 0, socket.inet_aton(text))

    _interface(SIOCBRADDBR, name)
    _interface(SIOCSIFADDR, name, inet(address))
    _interface(SIOCSIFNETMASK, name, inet("255.255.255.0"))
    _interface(SIOCSIFFLAGS, name, struct.pack("=H", IFF_UP))


def _bridge_remove(name):
    if os.path.exists(f"/sys/class/net/{name}/bridge"):
        _interface(SIOCSIFFLAGS, name, struct.pack("=H", 0))
        _interface(SIOCBRDELBR, name)


def _is_free(network):
    """Whether no route of this machine leads into it, but for those that lead anywhere."""
    for line in pathlib.Path("/proc/net/route").read_text().splitlines()[1:]:
        to, mask = (int.from_bytes(bytes.fromhex(line.split()[k]), "little") for k in (1, 7))
        if mask and network.overlaps(ipaddress.ip_network((to, mask.bit_count()))):
            return False
    return True


def _free_network(prefix, seconds):
    """10.second.….0/prefix, where nobody is yet. A bridge of Podman comes to be with its first container only: hence at
    random."""
    while True:
        network = ipaddress.ip_network((f"10.{random.choice(seconds)}.{random.randrange(256)}.0", prefix), strict=False)
        if _is_free(network):
            return network


def _free_subnet():
    """The first three numbers of a subnet for the engine's default network."""
    return str(_free_network(24, range(64, 128)).network_address).removesuffix(".0")


def _pool():
    """Where the engine's further networks are: two engines that chose for themselves would both begin with the same."""
    return _free_network(21, range(128, 256))


# --- Starting and stopping ---

def missing():
    """What is not there: packages, or root."""
    found = [package for program, package in NEEDED.items()
             if not (os.path.exists(program) if program.startswith("/") else shutil.which(program))]
    return ["root"] * (os.geteuid() != 0) + sorted(set(found))


def _answers(address):
    try:
        return _ping(address, 3).status == 200
    except OSError:
        return False


def _docker(folder, subnet):
    bridge = "lsd" + subnet[3:].replace(".", "-")
    (folder / "bridge").write_text(bridge)
    _bridge_add(bridge, subnet + ".1")
    # Rules for iptables are common to all engines of the machine: without them, ports are published by a proxy.
    return ["dockerd", "--data-root", folder / "data", "--exec-root", folder / "exec", "--pidfile",
            folder / "dockerd.pid",
            "--bridge", bridge, "--default-address-pool", f"base={_pool()},size=24", "--iptables=false",
            "--shutdown-timeout", "1", "-H", f"unix://{folder}/engine.sock"]


def _podman(folder, subnet):
    bridge = "lsp" + subnet[3:].replace(".", "-")
    (folder / "bridge").write_text(bridge)
    network = json.loads(json.dumps(PODMAN_NETWORK))
    network["plugins"][0]["bridge"] = bridge
    network["plugins"][0]["ipam"].update(ranges=[[{"subnet": subnet + ".0/24"}]], dataDir=str(folder / "addresses"))
    (folder / "networks").mkdir()
    (folder / "networks" / "87-podman.conflist").write_text(json.dumps(network))
    (folder / "containers.conf").write_text(CONTAINERS_CONF.format(dir=folder, pool=_pool()))
    return ["podman", "--root", folder / "data", "--runroot", folder / "run", "system", "service", "--time=0",
            f"unix://{folder}/engine.sock"]


def run(place):
    """Starts the engine of this place, also once it has ended. Returns its process."""
    command = json.loads((place / "command").read_text())
    with open(place / "log", "ab") as log:
        engine = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=place,
                                  start_new_session=True,
                                  env={**os.environ, "CONTAINERS_CONF": str(place / "containers.conf")})
    (place / "pid").write_text(str(engine.pid))
    return engine


def wait_until_it_answers(place, engine, end, meanwhile=lambda: None):
    """Returns its address; it must answer by then (time.monotonic)."""
    address = f"unix://{place}/engine.sock"
    while not _answers(address):
        meanwhile()
        if (engine and engine.poll() is not None) or time.monotonic() > end:
            said = (place / "log").read_text(errors="replace")[-2000:]
            raise AssertionError(f"{place.name} does not start:\n{said}")
        time.sleep(0.05)
    return address


def _mount_small(folder, size):
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"none", str(folder).encode(), b"tmpfs", 0, f"size={size}".encode()):
        raise OSError(ctypes.get_errno(), "mount")


def start(folder, disk=None):
    """Starts an engine of each kind below the folder, and returns their addresses. `disk`: how much they can keep, as
    "24m"."""
    begun = []
    for kind, command_of in ("docker", _docker), ("podman", _podman):
        place = pathlib.Path(folder).resolve() / kind
        place.mkdir(parents=True)
        if disk:
            _mount_small(place / "data", disk)
        (place / "command").write_text(json.dumps(list(map(str, command_of(place, _free_subnet())))))
        begun.append((place, run(place)))
    end = time.monotonic() + START_LIMIT_S
    try:
        return [wait_until_it_answers(place, engine, end) for place, engine in begun]
    except AssertionError:
        stop(folder)
        raise


def _processes_of(folder):
    """The engine, and what it started for its containers: all have the folder in their command lines."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            is_ours = (entry / "comm").read_text().startswith(PROGRAMS)
            if is_ours and f"{folder}/".encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended meanwhile
    return found


def _end(pids, number):
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _unmount(folder):
    points = [line.split()[1] for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
    libc = ctypes.CDLL(None, use_errno=True)
    for point in sorted((p for p in points if p.startswith(f"{folder}/")), reverse=True):
        libc.umount2(point.encode(), 2)  # MNT_DETACH


def _empty(address):
    """Removes what the engine made on the machine: networks have interfaces, containers have processes."""
    try:
        engine = Engine(address)
        for container in engine.get("/containers/json?all=1"):
            engine.ask("DELETE", f"/containers/{container['Id']}?force=1&v=1")
        for network in engine.get("/networks"):
            if network["Name"] not in ("bridge", "host", "none", "podman"):
                engine.ask("DELETE", f"/networks/{network['Id']}")
    except (OSError, AssertionError):
        pass  # it has ended, or cannot any more; what it leaves is ended below


def stop(folder):
    folder = pathlib.Path(folder).resolve()
    for place in sorted(folder.glob("*/")):
        if not (place / "pid").exists():
            continue
        _empty(f"unix://{place}/engine.sock")
        engine = int((place / "pid").read_text())
        if engine in _processes_of(place):
            _end([engine], signal.SIGTERM)
        end = time.monotonic() + STOP_LIMIT_S
        while engine in _processes_of(place) and time.monotonic() < end:
            try:
                os.waitpid(engine, os.WNOHANG)
            except ChildProcessError:
                pass  # another process has started it
            time.sleep(0.05)
        _end(_processes_of(place), signal.SIGKILL)  # Podman keeps a process for each exec, for five minutes
        _unmount(place)
        _bridge_remove((place / "bridge").read_text())
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        _unmount(folder)
        time.sleep(0.1)
    raise AssertionError(f"{folder} cannot be removed")


def own():
    """The addresses of engines for this test program alone, which is skipped where there are none; and their folder."""
    lacking = missing()
    if lacking:
        print(f"... skipped: no container engines: {', '.join(lacking)} missing", flush=True)
        sys.exit(SKIPPED)
    folder = tempfile.mkdtemp(prefix="lockstep-engines-")
    atexit.register(stop, folder)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that atexit is reached
    return start(folder), pathlib.Path(folder)


def need():
    """The engines for a test program, which is skipped where there are none."""
    given = os.environ.get("LOCKSTEP_TEST_ENGINES", "").split() or own()[0]
    return [Engine(address) for address in given]


def main(args):
    if len(args) != 2 or args[0] not in ("start", "stop"):
        print(__doc__, file=sys.stderr)
        return 2
    if args[0] == "stop":
        stop(args[1])
        return 0
    lacking = missing()
    if lacking:
        print(f"engines.py: {', '.join(lacking)} missing", file=sys.stderr)
        return SKIPPED
    print(*start(args[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
