"""Containers as nodes, against real engines: every case runs on each of them at the same time, beside others, and
leaves nothing there."""
import collections
import concurrent.futures
import contextlib
import functools
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import common
import engines
import terminal
from common import free_port
from container_image import DOCKERFILE, NODE, prepare, static_gateway  # also for who imports this

IMAGE = "lockstep-test/node:1"
IDLE = 'command: [/bin/busybox, sleep, "1000"]'
IDLE_TIMES = "timeouts: { start: 60s, stop: 1s }"  # it ends by SIGKILL alone
JOBS = 4  # cases at a time: mostly they wait


def wait_until(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.01)


def node(acts="", docker="", id="svc", fields=""):
    """A line of a scenario: a container that runs the shell script above, if `docker` names no other command."""
    words = ", ".join(["/bin/sh", "/node.sh", *acts.split()])
    if "timeouts" not in fields:  # a machine may have more to do than this
        fields += f"{', ' if fields else ''}timeouts: {{ start: 60s }}"
    command = "" if docker.startswith("command:") else f"command: [{words}], "
    return (f"  - {{ id: {id}, type: x, tier: device, implementation: docker, {fields}{', ' if fields else ''}"
            f"docker: {{ image: \"{IMAGE}\", {command}{docker} }} }}\n")


class At:
    """One engine, and a folder for what a case does with it."""

    def __init__(self, case, engine):
        self.case, self.engine = case, engine
        self.dir = case.dir / engine.name
        self.dir.mkdir(exist_ok=True)
        self.env = {"DOCKER_HOST": engine.address}
        self.pid = None  # of the run that goes on

    def runs_as(self, pid):
        self.pid = pid
        self.case.pids.append(pid)

    def write(self, name, text):
        (self.dir / name).parent.mkdir(parents=True, exist_ok=True)
        (self.dir / name).write_text(text)
        return self.dir / name

    def scenario(self, nodes, duration="50ms", quantum="10ms", more="", name="s.yaml"):
        return self.write(name, f"simulation: "
                                f"{{ duration: {duration}, quantum: {quantum}, seed: 1 }}\nnodes:\n{nodes}{more}")

    def run(self, nodes, *args, expect=0, env=None, **options):
        return self.batch(self.scenario(nodes, **options), *args, expect=expect, env=env)

    def batch(self, path, *args, expect=0, env=None):
        return self.case.batch(path, f"{self.engine.name}/out", *args, expect=expect, env={**self.env, **(env or {})})

    def summary(self):
        return self.case.summary(f"{self.engine.name}/out")

    def records(self):
        return self.case.records(f"{self.engine.name}/out")

    def cause(self):
        return self.summary()["cause"]

    def log(self, id="svc"):
        path = self.dir / "out" / "logs" / f"{id}.log"
        return path.read_text() if path.exists() else ""

    def states(self, id="svc"):
        return [(r["t"], r["state"]) for r in self.records() if r["kind"] == "node" and r["node"] == id]

    @contextlib.contextmanager
    def running(self, path, *args):
        """A run that follows the wall clock; it is killed where it has not ended by itself."""
        out = self.dir / "out"
        shutil.rmtree(out, ignore_errors=True)  # what it says is awaited
        with open(self.dir / "said", "wb") as said, subprocess.Popen(
                [common.LOCKSTEP, "-b", "-o", out, "--pace", "1", *args, path], env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL, stdout=said, stderr=said) as p:
            self.runs_as(p.pid)
            try:
                wait_until(lambda: p.poll() is not None or '"RUNNING"' in self.wall(), "it runs")
                self.case.assertIsNone(p.poll(), (self.dir / "said").read_text())
                yield p
            finally:
                if p.poll() is None:
                    p.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        p.wait(20)
                p.kill()

    def wall(self):
        path = self.dir / "out" / "wall.jsonl"
        return path.read_text() if path.exists() else ""

    def containers(self):
        return self.engine.containers(self.pid)

    def container(self, id="svc"):
        return self.containers()[id]["Id"]


def on_each(case):
    """The case, on all engines at the same time; nothing of its runs is left on any."""
    def on(self, engine):
        began = time.monotonic()
        case(self, At(self, engine))
        print(f"{engine.name} {time.monotonic() - began:.1f} s", end=" ", flush=True)
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not engine.made_by(self.pids), "", 1)  # the other engine's runs have other pids
        self.assertEqual(engine.made_by(self.pids), [], "left on the engine")

    @functools.wraps(case)
    def run(self):
        with concurrent.futures.ThreadPoolExecutor(len(ENGINES)) as pool:
            futures = [(engine, pool.submit(on, self, engine)) for engine in ENGINES]
        for engine, future in futures:
            with self.subTest(engine=engine.name):
                future.result()
    return run


class Starting(common.Case):
    @on_each
    def test_a_container_is_started_and_answers(self, at):
        out, _ = at.run(node("env@0"))
        self.assertEqual(at.summary()["outcome"], "finished")
        self.assertIn("LOCKSTEP_NODE=svc\n", at.log())
        self.assertIn("LOCKSTEP_TRANSPORT=stdio\n", at.log())

    @on_each
    def test_the_environment_is_a_list_or_a_map(self, at):
        for pairs in '[A=1, "B=b = c"]', '{ A: 1, B: "b = c" }':
            at.run(node("env@0", f"environment: {pairs}"))
            self.assertIn("] A=1\n", at.log())
            self.assertIn("] B=b = c\n", at.log())

    @on_each
    def test_several_containers_are_made_and_removed(self, at):
        path = at.scenario("".join(node(id=f"n{i}") for i in range(5)), duration="1h", quantum="50ms")
        with at.running(path) as p:
            found = at.containers()
            self.assertEqual(sorted(found), ["n0", "n1", "n2", "n3", "n4"])
            self.assertEqual({c["State"] for c in found.values()}, {"running"})
            p.terminate()
            self.assertEqual(p.wait(30), 143)
        self.assertEqual(at.containers(), {})

    @on_each
    def test_a_missing_image_is_a_clear_error(self, at):
        _, said = at.run(node(docker="").replace(IMAGE, "localhost:1/none:7") + node(id="good"), expect=4)
        self.assertIn("nodes[0] svc: pull image localhost:1/none:7: ", said)
        self.assertIn("; build it, or set build_context", said)

    @on_each
    def test_the_command_may_be_missing(self, at):
        at.run(node(docker="command: [/nowhere]"), expect=4)
        self.assertIn("the program /nowhere ", at.cause())

    @on_each
    def test_ending_twice_is_ending_once(self, at):
        with at.running(at.scenario(node("deaf-ever@0 deaf-ever@1 deaf-ever@2",
                                         fields="timeouts: { stop: 2s }") + node(id="b"),
                                    duration="1h", quantum="10s")) as p:
            for _ in range(3):
                p.send_signal(signal.SIGTERM)
                time.sleep(0.05)
            self.assertEqual(p.wait(30), 143)
        self.assertEqual(at.containers(), {})

    @on_each
    def test_two_runs_of_one_scenario_do_not_meet(self, at):
        path = at.scenario(node(docker="volumes: [\"store:/data\"]"), duration="1h", quantum="50ms")
        with at.running(path):
            self.case_of_one_more(at, path)
            self.assertEqual(list(at.containers()), ["svc"])

    def case_of_one_more(self, at, path):
        self.batch(path, f"{at.engine.name}/second", "--duration", "200ms", env=at.env)


class Choice(common.Case):
    @on_each
    def test_the_node_names_its_engine(self, at):
        at.run(node(docker=f"engine: \"{at.engine.address}\""), env={"DOCKER_HOST": "unix:///nowhere/engine.sock"})

    @on_each
    def test_the_engine_is_not_there(self, at):
        for args in (), ("--dry-run",):
            _, said = self.lockstep(*args or ("-b", "-o", at.dir / "out"), at.scenario(node()), expect=3,
                                    env={"DOCKER_HOST": f"unix://{at.dir}/none.sock"})
            self.assertIn(f"nodes[0].docker.engine: no engine can be reached at unix://{at.dir}/none.sock "
                          f"(DOCKER_HOST): there is "
                          "no such socket; is the engine running?", said)

    @on_each
    def test_without_a_word_the_first_socket_that_is_there_is_taken(self, at):
        found = [p for p in ("/var/run/docker.sock", "/run/podman/podman.sock") if os.path.exists(p)]
        (at.dir / "podman").mkdir()
        (at.dir / "podman" / "podman.sock").symlink_to(at.engine.address.removeprefix("unix://"))
        if not found:
            at.run(node(), env={"DOCKER_HOST": "", "XDG_RUNTIME_DIR": str(at.dir)})
            _, said = at.run(node(), env={"DOCKER_HOST": "", "XDG_RUNTIME_DIR": "/nowhere"}, expect=3)
            self.assertIn("/var/run/docker.sock", said)

    @on_each
    def test_an_address_that_is_none_is_refused(self, at):
        _, said = at.run(node(), env={"DOCKER_HOST": "npipe:////./pipe/x"}, expect=4)
        self.assertIn("npipe", said)
        _, said = at.run(node(docker="engine: \"ssh://host\""), expect=3)
        self.assertIn("docker.engine: must be unix:///PATH or tcp://HOST:PORT", said)


class Protocol(common.Case):
    PEER = node("", id="peer")

    def said_by(self, at, id="svc"):
        return [line.partition("] ")[2] for line in at.log(id).splitlines()]

    @on_each
    def test_init_advance_and_shutdown_in_the_dialect_of_services(self, at):
        at.run(node("send@2", fields="config: { x: 1.50 }") + self.PEER)
        self.assertEqual(self.said_by(at), [
            'INIT {"seed": 1, "config": {"x":1.50}}', "ADVANCE 10000", "got []", "ADVANCE 20000", "got []",
            "ADVANCE 30000", "got []", "ADVANCE 40000", "got []", "ADVANCE 50000", "got []", "SHUTDOWN"])
        message = ('got [{"timestamp_us":19999,"event_type":"SAID","source":"svc","destination":"peer",'
                   '"payload":{"count":1.50}}]')
        self.assertEqual([line for line in self.said_by(at, "peer") if "SAID" in line], [message])
        self.assertEqual(self.said_by(at, "peer").index(message), 6)

    @on_each
    def test_and_in_that_of_nodes(self, at):
        at.run(node("send@2", fields="dialect: node") + node(id="peer", fields="dialect: node"))
        self.assertEqual(self.said_by(at)[0], 'INIT svc {"seed": 1}')
        self.assertIn('got [{"time_us":19999,"type":"SAID","src":"svc","dst":"peer","payload":{"count":1.50},'
                      '"size_bytes":9}]',
                      self.said_by(at, "peer"))

    @on_each
    def test_an_error_answer_is_the_cause(self, at):
        at.run(node("error@3"), expect=1)
        self.assertIn("nodes[0] svc: ", at.cause())
        self.assertIn("out of paper", at.cause())
        at.run(node("error@0"), expect=4)
        self.assertIn("out of paper", at.cause())

    @on_each
    def test_no_answer_in_time_is_the_cause(self, at):
        at.run(node("hang@2", fields="timeouts: { step: 500ms, stop: 1s }"), expect=1)
        self.assertIn("ADVANCE 20000", at.cause())
        self.assertIn("0.5 s", at.cause())


class Transports(common.Case):
    NODES = "  - { id: s1, type: sensor, config: { interval: 10ms } }\n"

    def by_process(self, at):
        """What the same program does as a process; the first record has the digest of the scenario."""
        path = at.scenario(self.NODES + f"  - {{ id: gateway, type: gateway, implementation: process, "
                                        f"command: [{GATEWAY}] }}\n",
                           duration="1200ms", quantum="5ms", name="process.yaml")
        self.batch(path, f"{at.engine.name}/process")
        return self.events(f"{at.engine.name}/process").splitlines()[1:]

    def gives_what_a_process_gives(self, at, *ways):
        expected = self.by_process(at)
        self.assertGreater(len(expected), 20)
        for docker in ways:
            times = IDLE_TIMES if IDLE in docker else ""
            nodes = self.NODES + node(id="gateway", docker=docker, fields=times).replace(
                "type: x, tier: device", "type: gateway, dialect: node")
            at.run(nodes, duration="1200ms", quantum="5ms")
            self.assertTrue(self.events(f"{at.engine.name}/out").splitlines()[1:] == expected, docker)

    @on_each
    def test_transports_attach_unix_and_exec_give_what_a_process_gives(self, at):
        self.gives_what_a_process_gives(at, "command: [/gateway]", "command: [/gateway], transport: unix",
                                        f"{IDLE}, transport: exec, exec: [/gateway]")

    @on_each
    def test_transport_tcp_gives_what_a_process_gives(self, at):
        self.gives_what_a_process_gives(at, f"command: [/gateway], transport: tcp, ports: [\"{free_port()}:5000\"]",
                                        f"command: [/gateway], transport: tcp, ports: {{ 5000: {free_port()} }}",
                                        "command: [/gateway], transport: tcp, ports: [\"5000\"]",
                                        "command: [/gateway], transport: tcp, network: made, ports: [\"5000\"]")

    @on_each
    def test_the_port_is_published_on_this_machine_alone(self, at):
        port = free_port()
        path = at.scenario(node(docker=f"ports: [\"{port}:5000\"]"), duration="1h", quantum="50ms")
        with at.running(path):
            ports = at.engine.get(f"/containers/{at.container()}/json")["NetworkSettings"]["Ports"]
            self.assertEqual(ports, {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(port)}]})

    @on_each
    def test_exec_runs_beside_the_command_and_its_end_is_told(self, at):
        at.run(node(docker=f"{IDLE}, transport: exec, exec: [/bin/sh, /node.sh, \"env@0\"]", fields=IDLE_TIMES))
        self.assertIn("ADVANCE 50000", at.log())
        at.run(node(docker=f"{IDLE}, transport: exec, exec: [/bin/sh, /node.sh, \"exit@2\"]", fields=IDLE_TIMES),
               expect=1)
        self.assertEqual(at.cause(), "nodes[0] svc: transport exec: /bin/sh ended with exit code 7 before it had "
                                     "answered ADVANCE "
                                     "20000")

    @on_each
    def test_what_exec_cannot_run_is_told_apart(self, at):
        at.run(node(docker=f"{IDLE}, transport: exec, exec: [/nowhere]", fields=IDLE_TIMES), expect=4)
        self.assertEqual(at.cause(), "nodes[0] svc: transport exec: the program /nowhere is not in the image")
        at.run(node(docker=f"{IDLE}, transport: exec, exec: [/bin]", fields=IDLE_TIMES), expect=4)
        self.assertIn("nodes[0] svc: transport exec: the program /bin cannot be run: ", at.cause())
        at.run(node(docker=f"{IDLE}, transport: exec, exec: [/bin/sh, -c, \"exit 127\"]", fields=IDLE_TIMES), expect=4)
        self.assertIn("nodes[0] svc: transport exec: /bin/sh ended with exit code 127 before it said READY: ",
                      at.cause())

    @on_each
    def test_a_node_that_never_listens_is_told_apart(self, at):
        at.run(node(docker=f"{IDLE}, transport: unix", fields="timeouts: { start: 1s, stop: 1s }"), expect=4)
        self.assertIn("nodes[0] svc: ", at.cause())
        self.assertRegex(at.cause(), "within 1 s")


class Building(common.Case):
    in_turn = True  # builds take layers of each other for their own, and remove them

    def context(self, at, dockerfile, **files):
        at.write("context/Dockerfile", dockerfile)
        for name, (mode, data) in FILES.items():  # as those of IMAGE, whose layers the engine has
            (at.dir / "context" / name).write_bytes(data)
            (at.dir / "context" / name).chmod(mode)
        for name, text in files.items():
            at.write(f"context/{name}", text)
        return node(docker="build_context: context").replace(IMAGE, "lockstep-test/built:1")

    @on_each
    def test_an_image_is_built_and_removed(self, at):
        at.run(self.context(at, DOCKERFILE + "RUN echo built by $((40 + 2)) hands; mkdir /data\n"))
        self.assertIn("built by 42 hands", at.log())

    @on_each
    def test_a_step_that_fails_is_shown(self, at):
        _, said = at.run(self.context(at, DOCKERFILE + "RUN echo what it said before; exit 9\n"), expect=4)
        self.assertIn("nodes[0] svc: build image lockstep-test/built:1: ", said)
        self.assertIn("exit 9", at.cause())
        self.assertIn("what it said before", at.log())

    @on_each
    def test_a_file_that_is_not_there_is_named(self, at):
        at.run(self.context(at, DOCKERFILE + "COPY nothere /\n"), expect=4)
        self.assertRegex(at.cause(), r"COPY nothere /: there is no such file in docker.build_context, or "
                                     r".dockerignore leaves it out "
                                     r"\(.*nothere")

    @on_each
    def test_a_word_that_is_no_instruction_is_named(self, at):
        at.run(self.context(at, DOCKERFILE + "COPPY busybox /\n"), expect=4)
        self.assertRegex(at.cause(), "a Dockerfile has no such instruction; look at its spelling \\(.*COPPY")
        self.assertNotIn("PATH", at.cause())  # Podman's dump of what it has in mind

    @on_each
    def test_what_dockerignore_names_is_not_sent(self, at):
        nodes = self.context(at, DOCKERFILE + "COPY . /data\n", secret="x", kept="y")
        at.write("context/.dockerignore", "secret\n")
        at.run(nodes.replace("/node.sh", "/node.sh, list@0"))
        self.assertIn("] kept\n", at.log())
        self.assertNotIn("secret", at.log())

    @on_each
    def test_nodes_that_share_an_image_build_it_once(self, at):
        nodes = self.context(at, DOCKERFILE + "RUN echo once only\n")
        at.run(nodes + nodes.replace("id: svc", "id: other"))
        logs = at.log() + at.log("other")
        self.assertEqual(logs.count("] once only\n"), 1)


class Health(common.Case):
    START = "timeouts: { start: 10s, stop: 2s }"

    def check(self, command, retries=2):
        return f"healthcheck: {{ command: [CMD, {command}], interval: 200ms, timeout: 1s, retries: {retries} }}"

    def shell(self, command, retries=2):
        """As a text for the container's shell: Podman takes the words of a list apart."""
        return f'healthcheck: {{ command: "{command}", interval: 200ms, timeout: 1s, retries: {retries} }}'

    @on_each
    def test_a_node_is_ready_once_it_is_healthy(self, at):
        at.run(node("healthy@0", self.check("/bin/busybox, test, -e, /healthy", 100), fields=self.START))
        at.run(node("", self.check("/bin/busybox, \"true\""), fields=self.START))

    @on_each
    def test_a_check_that_fails_is_the_cause(self, at):
        at.run(node("", self.shell("echo no pulse; exit 1"), fields=self.START), expect=4)
        self.assertIn("nodes[0] svc: its container is unhealthy; the last check said: no pulse", at.cause())

    @on_each
    def test_a_check_that_never_answers_is_the_cause(self, at):
        at.run(node("", self.check("/bin/busybox, sleep, \"1000\"", 1), fields=self.START), expect=4)
        self.assertRegex(at.cause(), "unhealthy|not healthy within 10 s")

    @on_each
    def test_it_may_turn_unhealthy_later(self, at):
        check = self.shell("test -e /healthy || { echo pale; exit 1; }", 10)
        began = time.monotonic()
        at.run(node("healthy@0 sick@5", check, fields=self.START), "--pace", "1", duration="60s", quantum="100ms",
               expect=1)
        self.assertIn("its container is unhealthy; the last check said: pale", at.cause())
        self.assertLess(time.monotonic() - began, 20)


class Limits(common.Case):
    @on_each
    def test_too_much_memory_is_the_cause(self, at):
        at.run(node("grow@2", "memory: 64M"), expect=1)
        self.assertRegex(at.cause(), r"^nodes\[0\] svc: its container .*needed more memory than the 64 MiB that it "
                                     r"may have")
        self.assertIn("exit code 137", at.cause())  # an engine that has not noticed why is not certain of it, either
        self.assertNotIn("asked the engine", at.cause())

    @on_each
    def test_limits_are_those_of_the_scenario(self, at):
        with at.running(at.scenario(node(docker="memory: 64M, cpus: 0.5"), duration="1h", quantum="50ms")):
            limits = at.engine.get(f"/containers/{at.container()}/json")["HostConfig"]
            self.assertEqual((limits["Memory"], limits["MemorySwap"]), (64 << 20, 64 << 20))
            self.assertEqual(limits["NanoCpus"] or limits["CpuQuota"] * 10**9 // limits["CpuPeriod"], 5 * 10**8)


class Places(common.Case):
    @on_each
    def test_a_folder_can_be_read_only(self, at):
        at.write("data/mine", "")
        for volumes, verdict in (('["./data:/data:ro"]', "not written"), ('["./data:/data"]', "written"),
                                 (f'{{ "{at.dir}/data": {{ bind: /data, mode: ro }} }}', "not written")):
            at.run(node("list@0 write@1", f"volumes: {volumes}"))
            self.assertIn("] mine\n", at.log())
            self.assertIn(f"] {verdict}\n", at.log(), volumes)

    @on_each
    def test_a_volume_with_a_name_is_made_for_the_run_and_shared(self, at):
        at.run(node("write@1", 'volumes: ["store:/data"]') + node("list@3", 'volumes: ["store:/data:ro"]', id="b"))
        self.assertIn("] file\n", at.log("b"))

    @on_each
    def test_one_that_is_found_is_kept(self, at):
        at.engine.do("POST", "/volumes/create", {"Name": "lockstep-test-kept"})
        try:
            at.run(node("write@1", 'volumes: ["lockstep-test-kept:/data"]'))
            at.run(node("list@0", 'volumes: ["lockstep-test-kept:/data"]'))
            self.assertIn("] file\n", at.log())
        finally:
            at.engine.do("DELETE", "/volumes/lockstep-test-kept")

    @on_each
    def test_of_two_networks_the_one_that_is_found_is_kept(self, at):
        at.engine.do("POST", "/networks/create", {"Name": "lockstep-test-net"})
        try:
            path = at.scenario(node(docker="network: lockstep-test-net") + node(docker="network: made", id="b"),
                               duration="1h", quantum="50ms")
            with at.running(path):
                places = {id: list(at.engine.get(f"/containers/{c['Id']}/json")["NetworkSettings"]["Networks"])
                          for id, c in at.containers().items()}
                self.assertEqual(places["svc"], ["lockstep-test-net"])
                self.assertRegex(places["b"][0], r"^lockstep-\d+-\d+-made$")
            self.assertIn("lockstep-test-net", [n["Name"] for n in at.engine.get("/networks")])
            self.assertEqual([n["Name"] for n in at.engine.get("/networks") if n["Name"].endswith("-made")], [])
        finally:
            at.engine.do("DELETE", "/networks/lockstep-test-net")


class Failing(common.Case):
    @on_each
    def test_an_exit_is_the_cause(self, at):
        at.run(node("exit@3") + node(id="b"), expect=1)
        self.assertIn("nodes[0] svc: its container ended with exit code 7 before it had answered ADVANCE 30000",
                      at.cause())
        at.run(node("exit@0"), expect=4)
        self.assertIn("exit code 7", at.cause())

    @on_each
    def test_the_run_can_go_on_without_it(self, at):
        at.run(node("exit@3", fields="on_failure: continue") + node(id="b"))
        self.assertEqual(at.states(), [(30000, "failed"), (30000, "frozen")])

    @on_each
    def test_or_with_a_new_one(self, at):
        at.run(node("exit@3", fields="on_failure: restart, restart: { max: 5, backoff: 0ms }") + node(id="b"))
        self.assertEqual(at.states(), [(30000, "failed"), (30000, "restarted")])
        self.assertEqual(at.log().count("INIT {"), 2)

    def by_someone_else(self, at, method, path, cause, docker=""):
        with at.running(at.scenario(node(docker=docker) + node(id="b"), duration="1h", quantum="50ms")) as p:
            at.engine.do(method, path.format(at.container()))
            began = time.monotonic()
            self.assertEqual(p.wait(20), 1, (at.dir / "said").read_text())
            self.assertLess(time.monotonic() - began, 3)
        self.assertIn("nodes[0] svc: ", at.cause())
        self.assertRegex(at.cause(), cause)

    @on_each
    def test_a_container_that_someone_kills_is_noticed(self, at):
        for docker in "", "memory: 64M":
            self.by_someone_else(at, "POST", "/containers/{}/kill",
                                 "its container ended with exit code 137 .*; somebody else asked the "
                                 "engine to end it$", docker=docker)

    @on_each
    def test_or_stops(self, at):
        self.by_someone_else(at, "POST", "/containers/{}/stop?t=0", "its container ended with exit code")

    @on_each
    def test_or_removes(self, at):
        self.by_someone_else(at, "DELETE", "/containers/{}?force=1", "its container was removed by someone else$")

    @on_each
    def test_also_while_it_has_nothing_to_do(self, at):
        path = at.scenario(node() + node(id="b"), duration="1h", quantum="30min")
        with at.running(path) as p:
            time.sleep(0.5)  # both have answered, and the clock is far from the next quantum
            began = time.monotonic()
            at.engine.do("POST", f"/containers/{at.container()}/kill")
            self.assertEqual(p.wait(20), 1)
            self.assertLess(time.monotonic() - began, 6)
        self.assertIn("exit code 137", at.cause())


class Examples(common.Case):
    """Those in scenarios/; their images are built from nothing but what the build of lockstep made."""
    in_turn = True

    @on_each
    def test_the_mixed_one_gives_the_same_bytes_each_time_and_on_every_engine(self, at):
        for _ in range(REPEATS):
            at.batch(common.SCENARIOS / "docker_mixed.yaml", "--set", "nodes.inside.timeouts.start=60s")
            said = self.events(f"{at.engine.name}/out")
            self.assertGreater(len(said.splitlines()), 100)
            self.assertTrue(said == self.first.setdefault("mixed", said))

    @on_each
    def test_the_echo_comes_back(self, at):
        at.batch(common.SCENARIOS / "docker_echo.yaml", "--set", "nodes.echo.timeouts.start=60s")
        ways = collections.Counter((r["src"], r["dst"]) for r in at.records() if r["kind"] == "message")
        for sensor in ("sensor1", "sensor2"):
            self.assertGreater(ways[(sensor, "echo")], 5)
            self.assertLessEqual(ways[(sensor, "echo")] - ways[("echo", sensor)], 1)

    def setUp(self):
        super().setUp()
        self.first = {}


def main():
    """Also for tests that use what is here in another program."""
    global ENGINES, FILES, GATEWAY, REPEATS
    REPEATS = common.number("REPEATS", 2, 2, 20) # on each engine
    ENGINES = engines.need()
    FILES = prepare()
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as home:
        GATEWAY = pathlib.Path(home) / "gateway"
        GATEWAY.write_bytes(FILES["gateway"][1])
        GATEWAY.chmod(0o755)
        run_all(IMAGE, DOCKERFILE, FILES)


def run_all(image, dockerfile, files):
    """All cases of the program, on engines that have the image; what they have otherwise is the same before and
    after."""
    before = [engine.all_there_is() for engine in ENGINES]
    for engine in ENGINES:
        engine.build(image, dockerfile, files)
    try:
        terminal.main(JOBS)
    finally:
        for engine, there_was in zip(ENGINES, before):
            engine.ask("DELETE", f"/images/{image}?force=1")
            there_is = engine.all_there_is()
            if there_is != there_was:
                print(f"{engine.name}: before: {there_was}\nafter: {there_is}", flush=True)
                sys.exit(1)


if __name__ == "__main__":
    main()
