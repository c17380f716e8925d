"""What comes of a run whose engine fails at a certain request: nothing stays on it, or that is told."""
import contextlib
import json
import shutil
import signal
import subprocess
import time

import common
import middleman
import terminal
import test_docker
from terminal import SLOWNESS
from test_docker import node, on_each, wait_until

TIMES = "timeouts: { start: 30s, step: 30s, stop: 1s }"
END_LIMIT = 12 * SLOWNESS  # seconds beside timeouts.stop, as an engine and the guard process may take some each


class Ill(common.Case):
    """A run whose engine is reached through somebody who misbehaves, as `way` says for requests that match `only`."""

    @contextlib.contextmanager
    def begun(self, at, nodes, way="pass", only=None, delay=1, times=None,
              status="500 Internal Server Error", words="no space left on device",
              more=""):
        middle = middleman.Middleman(at.dir / "engine.sock", at.engine.address.removeprefix("unix://"))
        middle.way, middle.only, middle.delay, middle.times = way, only, delay, times
        middle.status, middle.words = status, words
        shutil.rmtree(at.dir / "out", ignore_errors=True)
        env = terminal.environment(DOCKER_HOST=f"unix://{middle.path}")
        path = at.scenario(nodes, duration="1h", quantum="50ms", more=more)
        with open(at.dir / "said", "wb") as said:
            p = subprocess.Popen([common.LOCKSTEP, "-b", "-o", at.dir / "out", "--pace", "1", path], env=env,
                                 stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        at.runs_as(p.pid)
        try:
            yield p, middle
        finally:
            if p.poll() is None:
                p.kill()
            p.wait()
            middle.close()

    def ends(self, at, p, code, seconds=END_LIMIT + 1):
        try:
            self.assertEqual(p.wait(seconds), code, (at.dir / "said").read_text())
        except subprocess.TimeoutExpired:
            self.fail(f"it has not ended within {seconds} s")

    def clean_engine(self, at, code=None):
        """Of all runs that are over, also those of tests beside this one, which may keep something."""
        self.clean(expect=code, env=at.env)

    def until_runs(self, at):
        wait_until(lambda: '"RUNNING"' in at.wall(), "it runs", 30 * SLOWNESS)


class Ending(Ill):
    @on_each
    def test_an_engine_that_is_silent_is_not_waited_for_and_what_it_keeps_is_told(self, at):
        with self.begun(at, node(fields=TIMES, docker="network: net, volumes: [\"data:/data\"]")) as (p, middle):
            self.until_runs(at)
            middle.way = "silent"
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertRegex(at.cause(), r"^ended by SIGTERM; left on a container engine: container [0-9a-f]{12} of svc, "
                                     r".* \("
                         r"no answer of the engine to 'remove container' in time\); `lockstep clean` removes it")
        self.assertNotIn("guard", at.cause())
        self.assertIn("lockstep clean", (at.dir / "said").read_text())
        self.clean_engine(at)

    @on_each
    def test_one_that_answers_but_does_not_say_that_it_has_removed_anything_is_not_believed(self, at):
        with self.begun(at, node(fields=TIMES), "error", b"^DELETE ", status="200 OK", words=b"") as (p, middle):
            self.until_runs(at)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertIn("(remove container: the engine answered, but not that it has done so (200))", at.cause())
        self.clean_engine(at)

    @on_each
    def test_a_run_that_is_good_but_for_that_has_failed(self, at):
        with self.begun(at, node("exit@3", fields=TIMES + ", on_failure: continue"), "error", b"^DELETE ") as (p,
                                                                                                               middle):
            self.until_runs(at)
            wait_until(lambda: middle.met, "it is to be removed", 20 * SLOWNESS)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertIn("(remove container: no space left on device (500)); `lockstep clean` removes it", at.cause())
        self.clean_engine(at)

    @on_each
    def test_a_node_whose_container_is_not_removed_cannot_be_started_again(self, at):
        fields = TIMES + ", on_failure: restart, restart: { max: 3, backoff: 0ms }"
        with self.begun(at, node("exit@3", fields=fields), "silent", b"^DELETE ") as (p, _):
            self.ends(at, p, 1, 2 * END_LIMIT)
        self.assertIn("nodes[0] svc: it cannot be started again: its engine has not removed its container in time",
                      at.cause())
        self.clean_engine(at)

    @on_each
    def test_what_cannot_be_removed_at_first_is_tried_again(self, at):
        fields = "network: net, volumes: [\"data:/data\"]"
        with self.begun(at, node(fields=TIMES, docker=fields), "error", b"^DELETE .*/(networks|volumes)/") as (p,
                                                                                                               middle):
            self.until_runs(at)
            p.terminate()
            wait_until(lambda: middle.met >= 4, "both are tried again", 20 * SLOWNESS)
            middle.way = "pass"
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertEqual(at.cause(), "ended by SIGTERM")


# It obeys nothing.
DEAF = ("trap '' TERM; while read -r line; do case $line in INIT*) echo READY ;; ADVANCE*) read -r m; echo DONE; echo "
        "'[]' ;; "
        "esac; done; while :; do sleep 1; done")
# It says much at last, and then how it ends.
TALKS = ("while read -r line; do case $line in INIT*) echo READY ;; ADVANCE*) read -r m; echo DONE; echo '[]' ;; "
         "*) i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo \"line $i of its last words\" >&2; done; exit ;; esac; "
         "done")


class Watching(Ill):
    @on_each
    def test_a_container_that_stays_behind_its_outputs_is_not_looked_at_all_the_time(self, at):
        command = f"command: {json.dumps(['/bin/sh', '-c', DEAF])}"
        with self.begun(at, node(fields="timeouts: { start: 30s, stop: 4s }", docker=command)) as (p, middle):
            self.until_runs(at)
            p.terminate()
            wait_until(lambda: "ending the run" in (at.dir / "said").read_text(), "it ends")
            middle.delay, middle.only, middle.way = 0, rb"^GET .*/containers/[0-9a-f]+/json", "slow"
            middle.drop()
            self.ends(at, p, 128 + signal.SIGTERM)
            self.assertGreater(middle.met, 3)
            self.assertLess(middle.met, 120, "in 3 s every 50 ms")

    @on_each
    def test_its_last_words_are_in_its_log(self, at):
        for transport in "transport: attach", "transport: exec":
            shell = json.dumps(["/bin/sh", "-c", TALKS])
            docker = (f"command: {shell}" if "attach" in transport else
                      f"{test_docker.IDLE}, transport: exec, exec: {shell}")
            with self.begun(at, node(fields=TIMES, docker=docker), only=rb"^POST .*/(attach|start)",
                            delay=0.1) as (p, middle):
                self.until_runs(at)
                middle.way = "slow"  # what it says comes later than that it has ended
                p.terminate()
                self.ends(at, p, 128 + signal.SIGTERM)
            self.assertIn("line 3000 of its last words\n", at.log(), transport)


class Deaf(Ill):
    """The engine does not tell what happens to containers."""
    EVENTS = rb"^GET .*/events"
    SICK = ("healthcheck: { command: [CMD, /bin/busybox, test, -e, /healthy], interval: 200ms, timeout: 1s, "
            "retries: 10 }")

    def memory(self, p):
        with open(f"/proc/{p.pid}/status") as f:
            return int(next(line for line in f if line.startswith("VmHWM")).split()[1]) << 10

    @on_each
    def test_what_tells_without_end_is_not_listened_to(self, at):
        with self.begun(at, node(fields=TIMES), "endless", self.EVENTS) as (p, middle):
            self.until_runs(at)
            wait_until(lambda: middle.poured > 100 << 20, "much is told", 60 * SLOWNESS)
            self.assertLess(self.memory(p), 80 << 20)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)

    @on_each
    def test_it_is_listened_to_again_until_it_tells(self, at):
        with self.begun(at, node(fields=TIMES), "error", self.EVENTS, times=3) as (p, middle):
            wait_until(lambda: middle.met == 4, "it is asked until it tells", 30 * SLOWNESS)
            self.until_runs(at)
            time.sleep(1.5)
            self.assertEqual(middle.met, 4, "three were refused, and the fourth stands")
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)

    @on_each
    def test_what_becomes_of_its_health_is_noticed_all_the_same(self, at):
        with self.begun(at, node("healthy@0 sick@20", fields=TIMES, docker=self.SICK), "error",
                        self.EVENTS) as (p, middle):
            self.ends(at, p, 1, 30 * SLOWNESS)
        self.assertIn("nodes[0] svc: its container is unhealthy", at.cause())

    @on_each
    def test_a_refusal_is_told_and_the_containers_are_looked_at(self, at):
        with self.begun(at, node("healthy@0 sick@20", fields=TIMES, docker=self.SICK), "error", self.EVENTS,
                        status="403 Forbidden") as (p, middle):
            self.ends(at, p, 1, 30 * SLOWNESS)
            self.assertEqual(middle.met, 1)
        self.assertIn("nodes[0] svc: its container is unhealthy", at.cause())
        self.assertIn("the engine does not tell what happens to its containers: no space left on device (403)",
                      at.log())


class Version(Ill):
    @on_each
    def test_one_that_is_too_old_is_asked_nothing_else(self, at):
        nodes = node(fields=TIMES) + node(fields=TIMES, id="other")
        nodes += ("  - { id: p, type: x, tier: device, implementation: process, "
                  f"command: [touch, {at.dir}/started] }}\n")
        words = b'{"ApiVersion":"1.40","MinAPIVersion":"1.12","Version":"19.03.8"}'
        with self.begun(at, nodes, "error", status="200 OK", words=words) as (p, middle):
            self.ends(at, p, 4)
            self.assertEqual(middle.met, 2, "a ping, which does not tell, and the version")
        self.assertFalse((at.dir / "started").exists(), "before anything is started")
        self.assertIn("Docker 20.10 or Podman 4 or newer is needed; this engine is Docker 19.03.8 with API 1.40",
                      at.cause())

    @on_each
    def test_one_that_does_not_say_what_it_is_is_spoken_to_all_the_same(self, at):
        with self.begun(at, node(fields=TIMES), "error", b"^GET /(_ping|version)", status="403 Forbidden") as (p, middle):
            self.until_runs(at)
            self.assertEqual(middle.met, 2)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)


class Standing(Ill):
    FAULTS = ("faults:\n  - { at: 200ms, node: svc, action: pause }\n  - { at: 400ms, node: svc, action: resume }\n")

    @on_each
    def test_one_that_does_not_go_on_has_failed_in_the_words_of_the_engine(self, at):
        with self.begun(at, node(fields=TIMES), "error", b"^POST .*/unpause", more=self.FAULTS) as (p, _):
            self.ends(at, p, 1)
        self.assertIn("nodes[0] svc: unpause container: no space left on device (500)", at.cause())

    @on_each
    def test_one_that_goes_on_already_has_not(self, at):
        faults = self.FAULTS.replace("400ms", "3s")
        with self.begun(at, node(fields=TIMES), "slow", b"^POST .*/unpause", delay=0, more=faults) as (p, middle):
            self.until_runs(at)  # before that a container may be made anew, without an init program
            path = f"/containers/{at.container()}"
            wait_until(lambda: at.engine.get(path + "/json")["State"]["Status"] == "paused", "it is paused",
                       30 * SLOWNESS)
            at.engine.do("POST", path + "/unpause")
            wait_until(lambda: "ADVANCE 3500000" in at.log(), "it goes on", 20 * SLOWNESS)
            self.assertEqual(middle.met, 1)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)

    @on_each
    def test_one_that_could_not_be_paused_runs_on_and_is_not_told_to_go_on(self, at):
        with self.begun(at, node(fields=TIMES), "error", b"^POST .*/(un)?pause", more=self.FAULTS) as (p, middle):
            wait_until(lambda: "ADVANCE 600000" in at.log(), "it goes on", 30 * SLOWNESS)
            self.assertEqual(middle.met, 1)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertIn("pause container: no space left on device (500)", at.log())


class Making(Ill):
    @on_each
    def test_only_what_an_engine_says_of_its_init_program_is_a_reason_to_do_without_one(self, at):
        with self.begun(at, node(fields=TIMES), "error", b"^POST .*/containers/create",
                        words="initial layer: no space left on device") as (p, middle):
            self.ends(at, p, 4)
            self.assertEqual(middle.met, 1)
        with self.begun(at, node(fields=TIMES), "error", b"^POST .*/containers/create", times=1,
                        words='exec: "docker-init": executable file not found in $PATH') as (p, middle):
            self.until_runs(at)
            self.assertEqual(middle.met, 2)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)

    @on_each
    def test_a_container_whose_making_is_not_answered_whole_is_removed(self, at):
        with self.begun(at, node(fields=TIMES), "cut", b"^POST .*/containers/create") as (p, _):
            self.ends(at, p, 4)
        self.assertIn("nodes[0] svc: create container: ", at.cause())
        self.assertIn("in the middle of the answer", at.cause())

    @on_each
    def test_and_so_are_a_network_and_a_volume(self, at):
        for what, fields in ("networks", "network: net"), ("volumes", "volumes: [\"data:/data\"]"):
            with self.begun(at, node(fields=TIMES, docker=fields), "cut", f"^POST .*/{what}/create".encode()) as (p, _):
                self.ends(at, p, 4)
            self.assertIn("in the middle of the answer", at.cause())

    @on_each
    def test_a_network_is_tried_again_as_engines_meet_interfaces_of_others_that_go(self, at):
        network = node(fields=TIMES, docker="network: net")
        with self.begun(at, network, "error", b"^POST .*/networks/create", times=3) as (p, _):
            self.until_runs(at)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        with self.begun(at, network, "error", b"^POST .*/networks/create") as (p, _):
            self.ends(at, p, 4)
        self.assertTrue(at.cause().startswith("nodes[0] svc: create network net: no space left on device (500); the "
                                              "engine's disk is full"),
                        at.cause())

    @on_each
    def test_a_run_that_ends_while_they_are_made_waits_for_that(self, at):
        for what, fields in ("networks", "network: net"), ("volumes", "volumes: [\"data:/data\"]"), ("containers", ""):
            with self.begun(at, node(fields=TIMES, docker=fields), "slow",
                            f"^POST .*/{what}/create".encode()) as (p, middle):
                wait_until(lambda: middle.met, "it is made", 20 * SLOWNESS)
                p.terminate()
                self.ends(at, p, 128 + signal.SIGTERM)
            self.assertEqual(at.cause(), "ended by SIGTERM")

    @on_each
    def test_one_that_is_never_answered_is_told_by_its_name(self, at):
        with self.begun(at, node(fields=TIMES), "silent", b"^POST .*/containers/create") as (p, middle):
            wait_until(lambda: middle.met, "it is made", 20 * SLOWNESS)
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertRegex(at.cause(), r"left on a container engine: container lockstep-[0-9-]+-svc of svc \(no answer "
                                     r"of the "
                         r"engine to 'create container' in time\)")
        self.assertNotIn("guard", at.cause())
        self.clean_engine(at)


    @on_each
    def test_what_is_awaited_is_named(self, at):
        times = TIMES.replace("start: 30s", "start: 2s")
        what, fields = ("network", "network: net") if at.engine.name == "docker" else ("volume",
                                                                                       "volumes: [\"net:/data\"]")
        with self.begun(at, node(fields=times, docker=fields), "silent", f"^POST .*/{what}s/create".encode()) as (p, _):
            self.ends(at, p, 4)
        self.assertIn(f"nodes[0] svc: no answer of the engine to 'create {what} net' within 2 s", at.cause())
        self.clean_engine(at)

    @on_each
    def test_a_second_signal_shortens_the_wait(self, at):
        times = TIMES.replace("stop: 1s", "stop: 30s")
        with self.begun(at, node(fields=times), "silent", b"^POST .*/containers/create") as (p, middle):
            wait_until(lambda: middle.met, "it is made", 20 * SLOWNESS)
            for _ in range(2):
                p.terminate()
                time.sleep(0.3)
            self.ends(at, p, 128 + signal.SIGTERM, 8 * SLOWNESS)
        self.assertRegex(at.cause(), r"left on a container engine: container lockstep-[0-9-]+-svc of svc \(no answer "
                                     r"of the "
                         r"engine to 'create container' in time\)")
        self.clean_engine(at)


class Images(Ill):
    in_turn = True  # they look after names and layers that others make, too

    def context(self, at):
        for name, (mode, data) in test_docker.FILES.items():
            at.write(f"context/{name}", "")
            (at.dir / "context" / name).write_bytes(data)
            (at.dir / "context" / name).chmod(mode)
        at.write("context/Dockerfile", test_docker.DOCKERFILE.replace("CMD", "COPY unique /unique\nCMD"))
        at.write("context/unique", str(at.dir))

    def image(self, at):
        image = at.engine.get(f"/containers/{at.container()}/json")["Image"]
        return image.removeprefix("sha256:")

    def names(self, at, image):
        """How many it has. Podman answers with 500 while images are removed that it was made of."""
        status, said = at.engine.ask("GET", f"/images/{image}/json")
        self.assertIn(status, (200, 500), said)
        return len(said["RepoTags"]) if status == 200 else 0

    @on_each
    def test_one_that_someone_else_has_given_a_name_stays(self, at):
        self.context(at)
        for number in signal.SIGTERM, signal.SIGKILL:
            with self.begun(at, node(fields=TIMES, docker="build_context: context")) as (p, _):
                self.until_runs(at)
                image = self.image(at)
                at.engine.do("POST", f"/images/{image}/tag?repo=lockstep-test/kept&tag=1")
                p.send_signal(number)
                p.wait(END_LIMIT)
                wait_until(lambda: self.names(at, "lockstep-test/kept:1") == 1,
                           "it has lost the name that the run gave it")
            self.clean_engine(at)
            at.engine.do("DELETE", "/images/lockstep-test/kept:1")

    @on_each
    def test_one_that_someone_else_uses_stays_and_is_told(self, at):
        self.context(at)
        with self.begun(at, node(fields=TIMES, docker="build_context: context")) as (p, _):
            self.until_runs(at)
            image = self.image(at)
            other = at.engine.do("POST", "/containers/create", {"Image": image, "Cmd": ["/bin/sh"]})["Id"]
            p.terminate()
            self.ends(at, p, 128 + signal.SIGTERM)
        self.assertRegex(at.cause(), r"left on a container engine: image lockstep-[0-9-]+:0 \(remove image .*\(409\)\)")
        self.clean_engine(at, code=1)  # cannot remove the image, either
        at.engine.do("DELETE", f"/containers/{other}?force=1")  # it is there still
        self.clean_engine(at)


if __name__ == "__main__":
    test_docker.main()
