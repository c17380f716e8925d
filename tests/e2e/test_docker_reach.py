"""How nodes in containers that listen on a port are reached: engines by name, networks of the machine, several
ports."""
import contextlib
import socket
import threading

import common
import engines
import test_docker
from common import free_port
from test_docker import At, node, on_each

IMAGE = "lockstep-test/reach:1"
SENSOR = "  - { id: s1, type: sensor, config: { interval: 10ms } }\n"


def gateway(docker, **fields):
    return node(id="gateway", docker=f"command: [/gateway], {docker}", **fields).replace(
        "type: x, tier: device", "type: gateway, dialect: node").replace(test_docker.IMAGE, IMAGE)


def copy(source, to):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    for end, how in (to, socket.SHUT_WR), (source, socket.SHUT_RD):
        with contextlib.suppress(OSError):
            end.shutdown(how)


class Relay:
    """The engine on a TCP port of an address of this machine, for as long as it is open."""

    def __init__(self, engine, family=socket.AF_INET):
        self.path = engine.address.removeprefix("unix://")
        self.server = socket.socket(family)
        self.server.bind(("127.0.0.1" if family == socket.AF_INET else "::1", 0))
        self.server.listen(64)
        self.port = self.server.getsockname()[1]
        self.open = []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                client = self.server.accept()[0]
                engine = socket.socket(socket.AF_UNIX)
                engine.connect(self.path)
                self.open += client, engine
                threading.Thread(target=copy, args=(client, engine), daemon=True).start()
                threading.Thread(target=copy, args=(engine, client), daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.close()
        for end in self.open:
            end.close()


class Reaching(common.Case):
    def works(self, at, docker, **fields):
        at.run(SENSOR + gateway(docker, **fields), duration="1200ms", quantum="5ms")
        self.assertGreater(len([r for r in at.records() if r["kind"] == "local" and r["src"] == "gateway"]), 15)

    @on_each
    def test_of_an_engine_by_name_the_address_that_has_answered_is_taken(self, at):
        with Relay(at.engine) as relay:
            self.works(at, f"transport: tcp, ports: [\"{free_port()}:5000\"], engine: \"tcp://localhost:{relay.port}\"")

    def test_also_one_of_ipv6(self):
        for engine in [e for e in ENGINES if e.name == "docker"]:  # Podman publishes no port on IPv6
            at = At(self, engine)
            with Relay(engine, socket.AF_INET6) as relay:
                self.works(at, f"transport: tcp, ports: [\"{free_port()}:5000\"], engine: \"tcp://[::1]:{relay.port}\"")

    @on_each
    def test_a_node_that_answers_in_two_pieces_does_not_wait_for_a_proxy(self, at):
        command = f"command: [/bin/busybox, nc, -l, -p, \"5000\", -e, /bin/sh, /node.sh]"
        nodes = node(docker=f"{command}, transport: tcp, ports: [\"{free_port()}:5000\"]").replace(test_docker.IMAGE,
                                                                                                   IMAGE)
        at.run(nodes, "--no-skip", duration="4s")
        self.assertLess(at.summary()["wall_time_s"], 400 * 0.045 / 2)  # it acknowledges after 40 ms

    @on_each
    def test_on_the_network_of_the_machine_the_port_inside_is_the_one(self, at):
        port = free_port()
        self.works(at, f"transport: tcp, network: host, ports: [\"{port}\"]")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            _, said = at.run(gateway(f"transport: tcp, network: host, ports: [\"{port}\"]"), expect=3)
            self.assertIn(f"docker.ports: port {port} is in use", said)

    @on_each
    def test_without_a_network_there_is_no_way_to_it(self, at):
        _, said = at.run(gateway("transport: tcp, network: none, ports: [\"5000\"]"), expect=3)
        self.assertIn("docker.network: none: nothing in it can be reached by transport tcp; use another network, or ",
                      said)

    @on_each
    def test_a_port_inside_may_have_several_outside(self, at):
        ports = sorted(str(free_port()) for _ in range(2))
        docker = f"ports: [\"{ports[0]}:5000\", \"{ports[1]}:5000/tcp\"]"
        path = at.scenario(gateway(docker), duration="1h", quantum="50ms")
        with at.running(path):
            found = at.engine.get(f"/containers/{at.container('gateway')}/json")["NetworkSettings"]["Ports"]
            self.assertEqual(sorted(b["HostPort"] for b in found["5000/tcp"]), ports)

    @on_each
    def test_a_folder_that_is_not_there_is_not_made(self, at):
        nodes = gateway("volumes: [\"data/none:/data\"]")
        _, said = at.run(nodes, expect=3)
        self.assertIn("docker.volumes: 'data/none' does not exist; create it, or write a name without '/' for a volume",
                      said)
        self.assertFalse((at.dir / "data").exists())
        (at.dir / "data" / "none").mkdir(parents=True)
        at.run(nodes)
        self.lockstep("-b", "-o", at.dir / "again", at.dir / "out" / "scenario.yaml", env=at.env)
        again, out = ((at.dir / name / "events.jsonl").read_bytes() for name in ("again", "out"))
        self.assertTrue(again == out)


if __name__ == "__main__":
    ENGINES = test_docker.ENGINES = engines.need()
    test_docker.run_all(IMAGE, test_docker.DOCKERFILE, test_docker.prepare())
