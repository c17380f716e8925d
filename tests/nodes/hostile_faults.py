"""Nodes of hostile.py that are good, or fail as they are told to: for test_failures.py, and beside hostile ones."""
import json
import os
import sys

from hostile_node import MIB, case, forever


# --- Good nodes, to compare with and to send to others ---

@case
def good(node):
    node.start()
    node.serve()


@case
def talker(node):
    """Sends to the node that its argument names, in its first answer, ten MiB."""
    node.start()
    node.advance()
    text = node.message(src='"talker"', dst=json.dumps(sys.argv[2]), payload='"' + "x" * (MIB // 2) + '"')
    node.done("[" + ",".join([text] * 20) + "]")
    node.serve()


# --- Nodes of test_failures.py ---

def incarnation():
    """How often a node was started in this working directory, this time included."""
    with open("incarnations", "ab+") as file:
        file.write(b".")
        return file.tell()


@case
def fails_at(node):
    """fails-at TARGET_US HOW TIMES: the first TIMES incarnations fail as HOW says in the quantum that ends then or
    later. It sends a message in every quantum; its type tells the incarnation."""
    target, how, times = int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    number = incarnation()
    node.start()
    while True:
        node.advance()
        if node.target >= target and number <= times:
            print(f"incarnation {number} ends", file=sys.stderr)
            if how == "error":
                node.say("ERROR out of order")
            elif how == "garbage":
                node.say("oops")
            elif how == "silence":
                forever()
            else:
                os._exit(int(how))
        node.done("[" + node.message(time_us=str(node.target - 1), type=f'"LIFE{number}"') + "]")


@case
def echoes(node):
    """Answers each message that it gets with ECHO, and says when its next event is where its argument is `next`."""
    said = ' {"next_us": null}' if sys.argv[2:] == ["next"] else ""
    node.start("READY" + said)
    last = 0
    while True:
        node.advance()
        # Only from the target may its time be told: quanta may have been skipped.
        out = [node.message(time_us=str(node.target - 1), type='"ECHO"', payload=json.dumps(len(node.messages)))
               for _ in node.messages]
        last += len(out)
        node.say("DONE" + said, "[" + ",".join(out) + "]")
