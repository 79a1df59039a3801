"""Children forked ahead for programs to come, by a process whose only work that is.

A fork makes all memory of who forks copy-on-write. In init that would cost more than all the rest of a
restart, with every program. So a copy of init forks instead, and by CLONE_PARENT (clone(2)) what it forks
are init's own children like any others: init reaps them, and they die with it. Where the forker cannot
work or does not answer, init forks by itself.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from jsupervisor import linux
from jsupervisor.init.newborn import Files, wait_to_be
from jsupervisor.init.tree import Trees
from jsupervisor.initproto import Connection, MessageError

if TYPE_CHECKING:
    from jsupervisor.init.server import Init

NAME: Final = "jinit-forker"
POOL: Final = 8
"""Children that wait when nothing happens."""
PATIENCE_NS: Final = 500_000_000
"""Who has not forked for so long, when somebody waits for it, is given up until all is calm."""
MOST: Final = 65536
"""Descriptors of init's lie below."""


@dataclass(slots=True)
class Unborn:
    """A child that waits to be told what it is."""

    pid: int
    channel: socket.socket


class Nursery:
    """The children that wait, and their forker."""

    def __init__(self, init: Init) -> None:
        self._init = init
        self._files: Files = resource.getrlimit(resource.RLIMIT_NOFILE)
        """As it was before init raised its own: programs may rely on the usual one."""
        self._unborn: deque[Unborn] = deque()
        self._asked = 0
        self._forker = 0
        self._channel: Connection | None = None
        self._able = True
        self._late = False
        self.deadline_ns: int | None = None
        """When a forker that somebody waits for is given up."""

    @property
    def pids(self) -> set[int]:
        """Of all who belong here."""
        return {self._forker, *(unborn.pid for unborn in self._unborn)}

    def take(self) -> Unborn | None:
        """One that waits; None when there is none."""
        return self._unborn.popleft() if self._unborn else None

    def fork(self) -> Unborn:
        """One that init forks itself; raises OSError."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                ours.setblocking(False)
                parent = os.getpid()
                pid = self._init.trees.fork()
            except BaseException:
                ours.close()
                raise
            if pid == 0:
                ours.close()
                wait_to_be(theirs, parent, self._files)
        return Unborn(pid, ours)

    def ask(self, waiting: int) -> bool:
        """Have children forked for so many who wait, or else as many as are to wait when all is calm.

        False when none will come.
        """
        self._late = self._late and waiting > 0
        if not self._able or self._late:
            return False
        try:
            try:
                self._order(waiting or POOL)
            except (ConnectionError, BlockingIOError):  # it is dead, or reads nothing
                self._end_forker()
                self._order(waiting or POOL)
        except OSError as error:
            self._give_up(str(error))
            return False
        if waiting and self.deadline_ns is None:
            self.deadline_ns = time.monotonic_ns() + PATIENCE_NS
        return True

    def _order(self, wanted: int) -> None:
        """Have the forker fork as many as are wanting; raises OSError."""
        if self._channel is None:
            self._begin()
        assert self._channel is not None
        count = wanted - len(self._unborn) - self._asked
        if count > 0:
            self._channel.send({"count": count})
            self._asked += count

    def look(self, now: int) -> None:
        """Give up a forker that lets somebody wait."""
        if self.deadline_ns is not None and self.deadline_ns <= now:
            self._late = True
            self._end_forker()

    def lost(self, pid: int) -> None:
        """A child is dead: was it one of these?"""
        if pid == self._forker:
            self._forker = 0
            self._end_forker()
            return
        for unborn in [each for each in self._unborn if each.pid == pid]:
            self._unborn.remove(unborn)
            unborn.channel.close()
            self._init.trees.lost(pid)

    # -- the forker -------------------------------------------------------------------------------

    def _begin(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            parent = os.getpid()
            try:
                pid = os.fork()
            except OSError:
                ours.close()
                raise
            if pid == 0:
                _fork_for(theirs, parent, self._init.trees, self._files)
        self._forker, self._channel = pid, Connection(ours)
        self._channel.settimeout(0)
        self._init.watch(ours.fileno(), self._hear)

    def _hear(self) -> None:
        """The forker has forked, or it is gone."""
        assert self._channel is not None
        try:
            received = self._channel.receive()
        except BlockingIOError:
            return
        except (OSError, MessageError):
            received = None
        if received is None:
            self._end_forker()  # its end is reaped as any other's
            return
        message, fds = received
        if "unable" in message:
            self._give_up(str(message["unable"]))
            return
        pid = message["pid"]
        assert isinstance(pid, int)
        self._asked, self.deadline_ns = max(0, self._asked - 1), None
        self._init.trees.register(pid, str(message["folder"]))
        channel = socket.socket(fileno=fds[0])
        channel.setblocking(False)
        self._unborn.append(Unborn(pid, channel))

    def _give_up(self, why: str) -> None:
        print(f"cannot fork ahead: {why}; init forks by itself", file=sys.stderr, flush=True)
        self._able = False
        self._end_forker()

    def _end_forker(self) -> None:
        """The next one is started when one is needed."""
        self._asked, self.deadline_ns = 0, None
        if self._channel is not None:
            self._init.unwatch(self._channel.fileno())
            self._channel.close()
            self._channel = None
        if self._forker:
            try:
                os.kill(self._forker, signal.SIGKILL)
            except ProcessLookupError:
                pass  # reaped with all others at the end


def _fork_for(channel: socket.socket, parent: int, trees: Trees, files: Files) -> NoReturn:
    """The forker's life: a fork for each that is asked for, until init is gone."""
    try:
        linux.set_process_name(NAME)
        linux.die_with_parent()
        if os.getppid() != parent:
            os._exit(0)
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        # Whatever init closes is to be closed: nobody else may hold it.
        os.closerange(3, channel.fileno())
        os.closerange(channel.fileno() + 1, MOST)
        gc.freeze()
        link = Connection(channel)
        while (received := link.receive()) is not None:
            count = received[0]["count"]
            assert isinstance(count, int)
            for _ in range(count):
                _fork_one(link, parent, trees, files)
    except OSError as error:
        try:
            Connection(channel).send({"unable": str(error)})
        except OSError:
            pass  # init is gone
    finally:
        os._exit(0)


def _fork_one(link: Connection, parent: int, trees: Trees, files: Files) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        pid, folder = trees.fork_sibling()
        if pid == 0:
            os.close(link.fileno())
            ours.close()
            wait_to_be(theirs, parent, files)
        link.send({"pid": pid, "folder": folder}, [ours.fileno()])
