"""Stopped on a payload's value, back across it, forward again and on to the end: with a node in a container, on each
engine."""
import pathlib
import tempfile

import container_image
import engines
import stopping
import test_docker
from test_docker import on_each

IMAGE = "lockstep-test/debugger:1"
DOCKERFILE = "FROM scratch\nCOPY gateway /gateway\n"


class Debugger(stopping.Case):
    @on_each
    def test_a_container(self, at):
        gateway = (", implementation: docker, timeouts: { start: 60s }, docker: { image: \"" + IMAGE +
                   "\", command: [/gateway] }")
        self.check(at.write("s.yaml", stopping.SCENARIO.format(gateway=gateway)), where=at.dir, env=at.env)


if __name__ == "__main__":
    ENGINES = test_docker.ENGINES = engines.need()
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:
        gateway = container_image.static_gateway(pathlib.Path(folder)).read_bytes()
    test_docker.run_all(IMAGE, DOCKERFILE, {"gateway": (0o755, gateway)})
