"""What xEdgeSim's Python nodes have in common: a TCP server of their own, strict about the keys of messages, without
next_us."""
import json
import socket
import sys
from dataclasses import asdict, dataclass
from typing import Any, Optional


@dataclass
class SimEvent:
    time_us: int
    type: str
    src: str
    dst: Optional[str]
    payload: Any
    size_bytes: int


def main(node_type):
    """Serves one run on the port that is the first argument, with a node_type(node_id, config)."""
    server = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("127.0.0.1", int(sys.argv[1])))
    server.listen(1)
    connection, _ = server.accept()
    lines = connection.makefile("r")
    node = None
    for line in lines:
        line = line.strip()
        if line.startswith("INIT "):
            _, node_id, config = line.split(" ", 2)
            node = node_type(node_id, json.loads(config))
            connection.sendall(b"READY\n")
        elif line.startswith("ADVANCE "):
            incoming = [SimEvent(**message) for message in json.loads(lines.readline())]
            events = node.advance_to(int(line.split(" ")[1]), incoming)
            connection.sendall(b"DONE\n")
            connection.sendall((json.dumps([asdict(e) for e in events]) + "\n").encode())
        elif line == "SHUTDOWN":
            break
    if node:
        node.shutdown()
    connection.close()
    server.close()
