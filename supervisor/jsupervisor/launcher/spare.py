"""A newborn that is to wait: what it tells init instead of its claim, and how it is called.

It is called "jlauncher-spare" until it is the module: init, which ends strays, knows newborns by their
first name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from jsupervisor import linux
from jsupervisor.initproto import Connection, Message, MessageError
from jsupervisor.phases import KEY, stamp, stamps_of

PROCESS_NAME: Final = "jlauncher-spare"
SPARE: Final = "spare"
"""The mark of an order for one."""

Claim = Callable[[Message, Connection], bool]


def is_spare(order: Message) -> bool:
    """Is the order's process to wait?"""
    return order.get(SPARE) is True


def announce(order: Message, connection: Connection) -> bool:
    """Tell init who this is; False when init wants no such spare (any more)."""
    name, incarnation = order["name"], order["incarnation"]
    answer = _ask({"op": "announce", "name": name, "incarnation": incarnation}, connection)
    if answer is None or answer.get("op") != "welcome":
        connection.close()
        return False
    connection.settimeout(None)
    return True


def wait(order: Message, connection: Connection, claim: Claim) -> bool:
    """Wait to be called, for a runtime without a loop, and claim; False when that came to nothing."""
    answer = _ask({"op": "waiting"}, connection)
    if answer is None or answer.get("op") != "become":
        return False
    order[KEY] = answer.get(KEY)
    stamps_of(order)
    stamp(order, "woken")
    linux.set_process_name(str(order["name"]))
    return claim(order, connection)


def _ask(message: Message, connection: Connection) -> Message | None:
    try:
        connection.send(message)
        answer = connection.receive()
    except (OSError, MessageError) as error:
        print(f"cannot reach init: {error}", file=sys.stderr, flush=True)
        return None
    return None if answer is None else answer[0]
