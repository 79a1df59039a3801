"""The slow path: a module that goes on after an exec, in a fresh interpreter.

    python -m jsupervisor.launcher.resume FD ORDER

FD is the connection to init over which the claim has been granted already.
"""

from __future__ import annotations

import json
import os
import socket
import sys

from jsupervisor import linux
from jsupervisor.initproto import Connection
from jsupervisor.launcher.child import leave
from jsupervisor.launcher.runners import runner_of


def main(fd: int, text: str) -> int:
    """Run the module of the order in `text`; its exit code."""
    order = json.loads(text)
    os.set_inheritable(fd, False)
    linux.set_process_name(order["name"])
    connection = Connection(socket.socket(fileno=fd))
    return runner_of(order["stage"])(order, connection)


if __name__ == "__main__":
    leave(main(int(sys.argv[1]), sys.argv[2]))
