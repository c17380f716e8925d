"""The image that tests of containers run: a shell, a node that does what it is told, and the example gateway."""
import os
import pathlib
import subprocess
import tempfile

import common

DOCKERFILE = """FROM scratch
COPY busybox /bin/busybox
COPY busybox /bin/sh
COPY node.sh /node.sh
COPY gateway /gateway
CMD ["/bin/sh", "/node.sh"]
"""

# Does what its arguments say: WHAT@N, with the Nth ADVANCE (0: with INIT).
NODE = r"""#!/bin/sh
count=0
acts=" $* "
act() { case "$acts" in *" $1@$count "*) return 0 ;; *) return 1 ;; esac; }
trap 'echo "asked by SIGTERM" >&2; exit 0' TERM
while read -r line; do
    echo "$line" >&2
    case $line in
    "INIT {"*) dialect=service ;;
    INIT*) dialect=node ;;
    ADVANCE*) count=$((count + 1)); target=${line#ADVANCE }; read -r messages; echo "got $messages" >&2 ;;
    SHUTDOWN) act deaf-ever || exit 0; while :; do sleep 1; done ;;
    esac
    act env && env >&2
    act exit && exit 7
    act hang && while :; do sleep 1; done
    act grow && exec dd if=/dev/zero of=/dev/null bs=300M count=1
    act error && echo "ERROR out of paper" && continue
    act healthy && : >/healthy
    act sick && rm /healthy
    act write && { if (: >/data/file) 2>/dev/null; then echo "written" >&2; else echo "not written" >&2; fi; }
    act list && ls /data >&2
    act network && ls /sys/class/net >&2
    sent=
    act send && [ $dialect = service ] &&
        sent='{"timestamp_us":'$((target - 1))',"event_type":"SAID","source":"svc","destination":"peer",' &&
        sent=$sent'"payload":{"count":1.50}}'
    act send && [ $dialect = node ] &&
        sent='{"time_us":'$((target - 1))',"type":"SAID","src":"svc","dst":"peer","payload":{"count":1.50},' &&
        sent=$sent'"size_bytes":9}'
    act late && sleep 0.2
    if [ $count = 0 ]; then echo READY; else echo DONE; echo "[$sent]"; fi
done
echo "end of input" >&2
"""


def static_gateway(folder):
    """The example gateway as a program that needs no library."""
    source = common.SOURCE
    base = [source / "src/base" / f"{name}.c" for name in ("buffer", "memory", "number", "queue", "random", "simtime",
                                                           "utf8")]
    subprocess.run([os.environ.get("CC", "cc"), "-static", "-O1", "-std=c11", "-D_GNU_SOURCE", "-ffp-contract=off",
                    "-include", source / "src/nodelib/names.h", "-I", source / "include", "-I", source / "src",
                    "-o", folder / "gateway", source / "scenarios/nodes/gateway.c",
                    *sorted((source / "src/nodelib").glob("*.c")),
                    *base, "-lm"], check=True)
    return folder / "gateway"


def prepare():
    with tempfile.TemporaryDirectory(prefix="lockstep-test-") as folder:
        gateway = static_gateway(pathlib.Path(folder)).read_bytes()
    busybox = pathlib.Path("/bin/busybox").read_bytes()
    return {"busybox": (0o755, busybox), "node.sh": (0o755, NODE.encode()), "gateway": (0o755, gateway)}
