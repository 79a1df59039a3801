"""The slow path: a module that goes on after an exec, in a fresh interpreter.

    python -m jsupervisor.launcher.resume FD ORDER

FD is the connection to init over which the claim has been granted already.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import socket
import sys
from typing import Final

from jsupervisor import linux
from jsupervisor.containment.cell import Cell
from jsupervisor.containment.cells import Cells
from jsupervisor.containment.machine import look
from jsupervisor.initproto import Connection
from jsupervisor.launcher.child import Order, as_order, confine, leave
from jsupervisor.launcher.runners import runner_of

RUNTIMES: Final = {"lean": "lean", "full": "process"}


def main(fd: int, text: str) -> int:
    """Run the module of the order in `text`; its exit code."""
    order = json.loads(text)
    os.set_inheritable(fd, False)
    linux.set_process_name(order["name"])
    connection = Connection(socket.socket(fileno=fd))
    import_all(order)
    cell = Cells(look()).cell(order)
    if not confine(cell, Cell.open_rules) or not confine(cell, Cell.seal):
        return 1
    return runner_of(order["stage"])(order, connection)


def import_all(order: Order) -> None:
    """What a launcher would have imported: trio runs programs while it is imported, a sealed module none."""
    importlib.import_module(f"jsupervisor.runtime.{RUNTIMES[str(order['stage'])]}")
    parts = order.get("parts")
    for part in (order, *(parts if isinstance(parts, list) else [])):
        name = str(as_order(part)["entry"]).partition(":")[0]
        if importlib.util.find_spec(name.partition(".")[0]) is not None:
            importlib.import_module(name)


if __name__ == "__main__":
    leave(main(int(sys.argv[1]), sys.argv[2]))
