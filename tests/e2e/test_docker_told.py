"""What stands in the way of containers is told in one line, and before anything is started where that can be known: no
permission, another architecture, a program that is not there, a name that is taken, an engine whose disk is full."""
import contextlib
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import time

import common
import engines
import middleman
import terminal
import test_docker
from test_docker import At, node, on_each, wait_until

FOREIGN = "lockstep-test/foreign:1"
BINFMT = "/proc/sys/fs/binfmt_misc"
NOBODY = 65534
DISK = "24m"


def foreign_image():
    """An image for another machine, as POST /images/load takes it. What is in it is no program of this one, either."""
    def tar(files):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as t:
            for name, mode, data in files:
                about = tarfile.TarInfo(name)
                about.mode, about.size = mode, len(data)
                t.addfile(about, io.BytesIO(data))
        return archive.getvalue()

    layer = tar([("bin/node", 0o755, b"\x7fELF")])
    layers = {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
    config = json.dumps({"architecture": "arm64", "os": "linux", "config": {"Cmd": ["/bin/node"]},
                         "rootfs": layers}).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = json.dumps([{"Config": name, "RepoTags": [FOREIGN], "Layers": ["layer.tar"]}]).encode()
    return tar([(name, 0o644, config), ("layer.tar", 0o644, layer), ("manifest.json", 0o644, manifest)])


class Told(common.Case):
    def witness(self, at):
        """A node of a process, which leaves a file where it was started."""
        at.write("witness.sh", f"touch {at.dir}/started; read -r init; read -r shutdown\n")
        (at.dir / "started").unlink(missing_ok=True)
        return "  - { id: witness, type: x, tier: device, implementation: process, command: [sh, witness.sh] }\n"

    def none_started(self, at):
        self.assertFalse((at.dir / "started").exists(), "a node was started")


class Permission(Told):
    @on_each
    def test_who_may_not_speak_to_the_engine_is_told_so(self, at):
        with tempfile.TemporaryDirectory(prefix="lockstep-test-nobody-") as folder:
            folder = pathlib.Path(folder)
            program = shutil.copy(common.LOCKSTEP, folder / "lockstep")
            shutil.copy(at.scenario(self.witness(at) + node()), folder / "s.yaml")
            for path in folder, *folder.iterdir():
                path.chmod(0o755)
            os.chown(folder, NOBODY, NOBODY)
            done = subprocess.run([program, "-b", "-o", folder / "out", folder / "s.yaml"],
                                  env=terminal.environment(**at.env),
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, cwd=folder,
                                  user=NOBODY, group=NOBODY, extra_groups=[])
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn(f"nodes[1].docker.engine: no engine can be reached at {at.engine.address} (DOCKER_HOST): "
                      f"permission denied on "
                      "the socket; become a member of its group", done.stderr)
        self.none_started(at)


class Architecture(Told):
    TEXT = f"nodes[0] svc: its image {FOREIGN} is for arm64, and the engine's machine is amd64"

    def begin(self, at, before):
        """In a mount namespace of its own, where it is known which programs of other machines run here, or not."""
        shutil.rmtree(at.dir / "out", ignore_errors=True)
        path = at.scenario(node(docker="command: [/bin/node]").replace(test_docker.IMAGE, FOREIGN) + self.witness(at))
        done = subprocess.run(["unshare", "--mount", "sh", "-ec", f"{before}\nexec \"$@\"", "sh", common.LOCKSTEP, "-b",
                               "-o",
                               at.dir / "out", path], env=terminal.environment(**at.env), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertTrue(at.cause().startswith(self.TEXT), at.cause())

    @on_each
    def test_an_image_for_another_one_is_refused_before_anything_is_started_where_nothing_emulates_that(self, at):
        at.engine.do("POST", "/images/load", foreign_image(), kind="application/x-tar")
        try:
            self.begin(at, f"mount -t tmpfs none {BINFMT}; touch {BINFMT}/register")
            self.assertIn(", without an emulator for others; take or build one for amd64, or install qemu-user",
                          at.cause())
            self.none_started(at)
            self.begin(at, f"mount -t tmpfs none {BINFMT}")
            self.assertIn("; take or build one for amd64, or let the machine run programs of arm64", at.cause())
            with open(at.dir / "handler", "w") as handler:
                handler.write("enabled\ninterpreter /bin/true\nflags: OC\noffset 0\nmagic 7f454c460201\n")
            self.begin(at, f"mount -t tmpfs none {BINFMT}; touch {BINFMT}/register; cp {at.dir}/handler "
                           f"{BINFMT}/emulator")
            self.assertIn("; take or build one for amd64, or let the machine run programs of arm64", at.cause())
        finally:
            at.engine.do("DELETE", f"/images/{FOREIGN}?force=1")


class Program(Told):
    def told(self, at, command, *words):
        at.run(node(docker=f"command: [{command}]") + self.witness(at), expect=4)
        self.assertTrue(at.cause().startswith(f"nodes[0] svc: image {test_docker.IMAGE}: the program {command} "),
                        at.cause())
        for text in words:
            self.assertIn(text, at.cause())

    @on_each
    def test_one_that_is_not_in_the_image_is_named(self, at):
        self.told(at, "/nowhere", " is not in it; correct docker.command, or build another image (",
                  "o such file or directory")

    @on_each
    def test_one_that_may_not_be_run_is_named(self, at):
        self.told(at, "/bin", " may not be run: it is a folder, or lacks the x permission; correct docker.command",
                  "ermission denied")


class Name(Told):
    @on_each
    def test_one_that_is_taken_is_named_and_who_has_it_stays(self, at):
        middle = middleman.Middleman(at.dir / "engine.sock", at.engine.address.removeprefix("unix://"))
        middle.way, middle.only, middle.delay = "slow", b"^GET /_ping", 60
        try:
            with open(at.dir / "said", "wb") as said:
                p = subprocess.Popen([common.LOCKSTEP, "-b", "-o", at.dir / "out", at.scenario(node())], stdout=said,
                                     stderr=said,
                                     env=terminal.environment(DOCKER_HOST=f"unix://{middle.path}"),
                                     stdin=subprocess.DEVNULL)
            wait_until(lambda: middle.met, "it asks for the version")
            begun = pathlib.Path(f"/proc/{p.pid}/stat").read_text().rpartition(")")[2].split()[19]
            name = f"lockstep-{p.pid}-{begun}-svc"
            other = at.engine.do("POST", f"/containers/create?name={name}", {"Image": test_docker.IMAGE})["Id"]
            middle.way = "pass"
            self.assertEqual(p.wait(30), 4, (at.dir / "said").read_text())
            self.assertTrue(at.cause().startswith(f"nodes[0] svc: another container on the engine has its name, "
                                                  f"{name}; remove that "
                                                  "one, or start the run again"), at.cause())
            at.engine.do("DELETE", f"/containers/{other}?force=1")
        finally:
            p.kill()
            p.wait()
            middle.close()


class Disk(common.Case):
    """On engines of its own, with little room for what they keep."""

    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="lockstep-engines-"))
        cls.addClassCleanup(engines.stop, cls.folder)
        cls.small = [engines.Engine(address) for address in engines.start(cls.folder, DISK)]
        for engine in cls.small:
            engine.build(test_docker.IMAGE, test_docker.DOCKERFILE, test_docker.FILES)

    def on_each(self, case):
        for engine in self.small:
            before = engine.all_there_is()
            with self.subTest(engine=engine.name):
                case(At(self, engine))
                self.assertEqual(engine.all_there_is(), before)

    @contextlib.contextmanager
    def full(self, at):
        """Every byte of its disk is taken."""
        fill = self.folder / at.engine.name / "data" / "fill"
        with open(fill, "wb", buffering=0) as f, contextlib.suppress(OSError):
            while f.write(bytes(1 << 20)):
                pass
            while f.write(bytes(512)):
                pass
        try:
            yield
        finally:
            fill.unlink()

    def test_a_container_that_has_no_room_is_told(self):
        def case(at):
            with self.full(at):
                at.run(node(), expect=4)
            self.assertRegex(at.cause(), r"^nodes\[0\] svc: create container: .*no space left on device \(500\); the "
                                         r"engine's disk is "
                             r"full: make room on it \(docker system prune, or podman system prune\)$")
        self.on_each(case)

    def test_and_so_is_an_image(self):
        def case(at):
            at.write("context/Dockerfile", test_docker.DOCKERFILE + "COPY big /\n")
            for name, (mode, data) in test_docker.FILES.items():
                (at.dir / "context" / name).write_bytes(data)
                (at.dir / "context" / name).chmod(mode)
            (at.dir / "context" / "big").write_bytes(os.urandom(30 << 20))
            at.run(node(docker="build_context: context").replace(test_docker.IMAGE, "big"), expect=4)
            self.assertTrue(at.cause().startswith("nodes[0] svc: build image big: "), at.cause())
            self.assertIn("no space left on device (", at.cause())
            self.assertIn("); the engine's disk is full: make room on it", at.cause())
        self.on_each(case)


if __name__ == "__main__":
    test_docker.main()
