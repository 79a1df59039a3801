"""Programs that are not ours: init itself forks and executes them, and hears that they are ready.

init is their parent from the start, and a child that waits is told what it is in the very turn in which its
row in the table is claimed: no duplicate by construction. What can block (a look into the user database, a
slow disk) is done by the child.

A program says that it is ready by a newline on a descriptor (as with s6), by a datagram (sd_notify(3)), or
by having been executed at all. The socket for datagrams belongs to the program's name, not to one
incarnation. It is muted from readiness on, until a supervisor wants to read it.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from jsupervisor import linux, sdnotify
from jsupervisor.init.newborn import SAID
from jsupervisor.init.nursery import Nursery, Unborn
from jsupervisor.init.table import Phase, Process, Refused
from jsupervisor.initproto import Connection, Json, MessageError

if TYPE_CHECKING:
    from jsupervisor.init.server import Init


@dataclass(slots=True)
class Birth:
    """One program until it is ready."""

    process: Process
    errors: int
    readiness: int = -1
    error: str = ""
    """Why it could not be executed."""


class Foreigners:
    """All programs of ours that are not of our making."""

    def __init__(self, init: Init) -> None:
        self._init = init
        self._births: dict[int, Birth] = {}
        self._sockets: dict[str, socket.socket] = {}
        self._waiting: deque[Process] = deque()
        self.nursery = Nursery(init)
        self.wanting = False
        """Are children to be forked ahead, when there is nothing else to do?"""

    def provide(self) -> None:
        """Nothing else is to be done: have children forked ahead."""
        self.wanting = False
        self.nursery.ask(0)

    def lost(self, pid: int) -> None:
        """A child is dead: if it waited, it waits no more."""
        self.nursery.lost(pid)

    def start(self, process: Process) -> None:
        """Execute a program that has just been reserved, as soon as there is a child to be it.

        What is no order for a program is a reservation that expires.
        """
        self._waiting.append(process)

    def carry_out(self) -> None:
        """Tell children what to be, as far as there are any; at the end of each turn of init's loop."""
        if self._init.stopping.by_us:
            self._waiting.clear()
        while self._waiting:
            if not self._wanted(self._waiting[0]):
                self._waiting.popleft()
                continue
            unborn = self.nursery.take()
            if unborn is None and self.nursery.ask(len(self._waiting)):
                return
            self._begin(self._waiting.popleft(), unborn)

    def _wanted(self, process: Process) -> bool:
        """Is the reservation still to be carried out?"""
        newest = self._init.table.processes.get(process.name)
        return newest is process and process.phase is Phase.RESERVED

    def _begin(self, process: Process, unborn: Unborn | None) -> None:
        """Have a child be the program; what cannot be forked is a reservation that expires."""
        try:
            self._deliver(process, unborn)
        except (OSError, KeyError, TypeError, ValueError, MessageError, Refused) as error:
            print(f"cannot start {process.name}: {error!r}", file=sys.stderr, flush=True)
            process.claim_deadline_ns = time.monotonic_ns()
            if unborn is not None:
                unborn.channel.close()  # it ends if it was not told
            return
        self.wanting = True
        self._init.claimed(process)

    def _deliver(self, process: Process, unborn: Unborn | None) -> None:
        """Tell a child what it is; one that has died meanwhile is passed over. Raises OSError."""
        spec = process.order["foreign"]
        if not isinstance(spec, dict):
            raise TypeError("foreign is not an object")
        kind = str(spec["readiness"])
        errors, errors_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        readiness = readiness_w = -1
        try:
            if kind.startswith("fd:"):
                readiness, readiness_w = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
                os.set_blocking(readiness_w, True)
            address = self._socket(process.name) if kind == "notify" else ""
            told = {**spec, **_names(process), "address": address}
            pid = self._tell(unborn, told, [fd for fd in (errors_w, readiness_w) if fd >= 0])
        except BaseException:
            for fd in (errors, readiness):
                if fd >= 0:
                    os.close(fd)
            raise
        finally:
            for fd in (errors_w, readiness_w):
                if fd >= 0:
                    os.close(fd)
        stat = linux.process_stat(pid)
        start_time = stat.start_time if stat is not None else 0
        self._init.table.claim(process.name, process.incarnation, pid, start_time)
        birth = self._births[pid] = Birth(process, errors, readiness)
        self._init.watch(errors, lambda: self._executed(birth))
        if readiness >= 0:
            self._init.watch(readiness, lambda: self._written(birth))
        if kind == "notify":
            self._init.watch(self._sockets[process.name].fileno(), lambda: self._noticed(birth))

    def _tell(self, unborn: Unborn | None, told: Mapping[str, Json], fds: list[int]) -> int:
        """The pid of the child that was told; raises OSError."""
        while unborn is not None:
            with unborn.channel:
                try:
                    Connection(unborn.channel).send(told, fds)
                    return unborn.pid
                except ConnectionError:
                    self._init.trees.lost(unborn.pid)
            unborn = self.nursery.take()
        forked = self.nursery.fork()
        with forked.channel:
            Connection(forked.channel).send(told, fds)
        return forked.pid

    def ended(self, process: Process) -> str:
        """It is dead: why it could not be executed, or nothing."""
        birth = self._births.pop(process.pid, None)
        if birth is None:
            return ""
        self._read_error(birth)
        self._close(birth)
        return birth.error

    def unheard(self) -> None:
        """The supervisor is dead: nobody who is ready is to wait until its successor reads."""
        unready = {birth.process.name for birth in self._births.values()}
        for name, kept in self._sockets.items():
            if name not in unready:
                sdnotify.mute(kept)

    # -- what a newborn says ----------------------------------------------------------------------

    def _executed(self, birth: Birth) -> None:
        """The pipe has closed: it was executed, or it could not be and said why."""
        if not self._current(birth):
            return
        self._read_error(birth)
        spec = birth.process.order["foreign"]
        if not birth.error and isinstance(spec, dict) and spec["readiness"] == "none":
            self._ready(birth)

    def _current(self, birth: Birth) -> bool:
        """False when it has ended, or become ready, in this very turn of init's loop."""
        return self._births.get(birth.process.pid) is birth

    def _read_error(self, birth: Birth) -> None:
        if birth.errors < 0:
            return
        try:
            text = os.read(birth.errors, SAID).decode(errors="replace")
        except BlockingIOError:
            return  # it is dead already, and somebody else holds the pipe: a fork that lives on
        self._init.unwatch(birth.errors)
        os.close(birth.errors)
        birth.errors, birth.error = -1, text

    def _written(self, birth: Birth) -> None:
        """Something was written to the readiness descriptor, or its last writer has closed it."""
        if not self._current(birth):
            return
        data = os.read(birth.readiness, SAID)
        if b"\n" in data:
            self._ready(birth)
        elif not data:
            self._init.unwatch(birth.readiness)
            os.close(birth.readiness)
            birth.readiness = -1

    def _noticed(self, birth: Birth) -> None:
        """Datagrams of sd_notify(3), of the program itself or of what it has started."""
        if not self._current(birth):
            return
        for notice in sdnotify.read(self._sockets[birth.process.name]):
            if b"READY=1" in notice.words and sdnotify.belongs(notice.sender, birth.process.pid):
                self._ready(birth)
                return

    def _ready(self, birth: Birth) -> None:
        self._births.pop(birth.process.pid, None)
        self._close(birth)
        self._init.table.report(birth.process.pid, "ready", time.monotonic_ns())
        self._init.reported(birth.process, "ready")

    def _close(self, birth: Birth) -> None:
        for fd in (birth.errors, birth.readiness):
            if fd >= 0:
                self._init.unwatch(fd)
                os.close(fd)
        birth.errors = birth.readiness = -1
        kept = self._sockets.get(birth.process.name)
        if kept is not None:
            self._init.unwatch(kept.fileno())
            sdnotify.mute(kept)

    def _socket(self, name: str) -> str:
        """The address of the program's datagram socket, without what was sent to a predecessor."""
        if name not in self._sockets:
            kept = self._sockets[name] = sdnotify.receiver()
            self._init.store.entrust(f"{name}/notify", os.dup(kept.fileno()))
        kept = self._sockets[name]
        while len(sdnotify.read(kept)) == sdnotify.BATCH:
            sdnotify.mute(kept)  # so that there is an end to it
        sdnotify.unmute(kept)
        return sdnotify.address(kept)


def _names(process: Process) -> dict[str, Json]:
    return {
        "instance": process.order.get("instance"),
        "name": process.name,
        "incarnation": process.incarnation,
    }
