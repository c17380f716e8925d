#!/usr/bin/env python3
"""A node that misbehaves: hostile.py CASE [ARGUMENT...]; hostile.py --list prints the cases.

It speaks the plain protocol over stdin and stdout, answers READY and the first quantum as it should, and does what its
case says with the second ADVANCE, unless the case is about another moment. What should come of each case is in
hostile_cases.py."""
import os
import sys

import hostile_answers
import hostile_faults
import hostile_processes
from hostile_node import CASES, Node

PARTS = (hostile_answers, hostile_processes, hostile_faults)  # each puts its cases into the table


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CASES))
    elif len(sys.argv) < 2 or sys.argv[1] not in CASES:
        sys.exit("usage: hostile.py CASE [ARGUMENT...] | --list")
    else:
        try:
            CASES[sys.argv[1]](Node())
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)


if __name__ == "__main__":
    main()
