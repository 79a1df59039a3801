"""Warm spares, as messages and signals: the side of `spares` that touches processes."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING, Final

from jsupervisor import linux
from jsupervisor.init.peers import Peer
from jsupervisor.init.table import Process, Refused
from jsupervisor.init.tree import ALONE, BEST_EFFORT
from jsupervisor.initproto import Message

if TYPE_CHECKING:
    from jsupervisor.init.server import Init

STOPPED: Final = frozenset("Tt")
"""States of /proc/PID/stat: stopped by a signal, or by a tracer."""


class SpareEffects:
    """See `spares.Effects`."""

    def __init__(self, init: Init) -> None:
        self._init = init

    def end(self, pid: int) -> None:
        """SIGKILL; it is a child that has not been reaped."""
        os.kill(pid, signal.SIGKILL)

    def call(self, pid: int, message: Message) -> None:
        """Send to its connection; who has none is found out by being late."""
        for peer in self._init.peers.values():
            if peer.pid == pid and peer.role == "spare":
                peer.send(message)

    def fork(self, stage: str, order: Message) -> bool:
        """Have the stage's launcher fork."""
        return fork(self._init, stage, order)

    def tell(self, message: Message) -> None:
        """Send to jlaunchd."""
        if jlaunchd := self._init.peer_of("jlaunchd"):
            jlaunchd.send(message)

    def stopped(self, pid: int) -> bool:
        """By SIGSTOP or a debugger."""
        stat = linux.process_stat(pid)
        return stat is None or stat.state in STOPPED


def fork(init: Init, stage: str, order: Message) -> bool:
    """Have the stage's launcher fork; False when there is none."""
    launcher = init.peer_of("launcher" if stage == "lean" else "launcher-full")
    if launcher is None:
        return False
    launcher.send({"op": "fork", "order": order})
    return True


def ask(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """jlaunchd wants a spare; when there can be none, it is told so instead."""
    name, incarnation = str(message["name"]), message["incarnation"]
    stage, order = str(message["stage"]), message["order"]
    if not isinstance(order, dict) or not isinstance(incarnation, int):
        raise TypeError("order is not an object, or incarnation not a number")
    try:
        _require_alone(init, Process(name, incarnation, order, stage, frozenset()))
        init.spares.ask(name, incarnation, stage, order, time.monotonic_ns())
    except Refused as refusal:
        gone: Message = {"op": "spare", "name": name, "incarnation": incarnation}
        peer.send({**gone, "state": "gone", "pid": None, "why": str(refusal)})


def _require_alone(init: Init, process: Process) -> None:
    """Raise Refused where the end of a module's process tree would be its spare's end too."""
    if init.stopping.asked:
        raise Refused("the instance is stopping")
    if (way := init.trees.way(process)) not in (ALONE, BEST_EFFORT):
        raise Refused(f"a spare of {process.name} would be ended with it, by {way}")


def dismiss(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """jlaunchd wants a spare no longer."""
    init.spares.dismiss(str(message["name"]), "dismissed")


def announce(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """A newborn says whose spare it is."""
    stat = linux.process_stat(peer.pid)
    if stat is None or stat.parent != os.getpid():
        raise Refused(f"pid {peer.pid} is not a child of init")
    incarnation = message["incarnation"]
    if not isinstance(incarnation, int):
        raise TypeError("incarnation is not a number")
    init.spares.announce(str(message["name"]), incarnation, peer.pid)
    peer.role = "spare"
    peer.send({"op": "welcome"})


def waiting(init: Init, peer: Peer, message: Message, fd: int) -> None:
    """A spare has done what it can do ahead."""
    init.spares.waiting(peer.pid)


def identity_for(init: Init, peer: Peer, key: str) -> int:
    """The one descriptor that a spare may have: who it is going to be."""
    name = init.spares.of(peer.pid).name
    if key != f"{name}/identity" or (found := init.store.find(key)) < 0:
        raise Refused(f"a spare of {name} may not have {key}")
    return found
