"""Looks for a sign of life of every module that has a heartbeat, all of one interval in one turn.

With heartbeats off nothing here ever wakes up. /proc is read only while somebody is silent.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

import trio

from jsupervisor.jlaunchd.heartbeat import WAITING_CAP, Pulse
from jsupervisor.jlaunchd.heartstats import HeartStats
from jsupervisor.jlaunchd.plan import Heartbeat
from jsupervisor.jlaunchd.signs import Answers, Notices, Sign, Word
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.log import Log
from jsupervisor.runtime.rpc import Client
from jsupervisor.waiting import Threads, Waiting, threads_of

LATE: Final = 0.5
"""A look is late when it comes so many intervals after its time."""

TURNS: Final = 1
"""So many looks pass, once its sockets are there, before the one at which a module that is not ready by
then is asked first."""

Connect = Callable[[str, int], Client]
"""The channel to one incarnation of a module."""


class Kept(Enum):
    """What init keeps of a module that does not answer calls, as NAME/VALUE."""

    WORD = "heartbeat"
    NOTICES = "notify"


@dataclass(slots=True)
class Heart:
    """One incarnation that is watched."""

    name: str
    incarnation: int
    pid: int
    interval: float
    pulse: Pulse
    sign: Sign
    waits: tuple[Waiting, ...] = ()
    """Of the module, and of ourselves where we carry its answers; empty while it is not silent."""

    def look(self, late: bool, now: float, ours: Callable[[], Threads]) -> tuple[bool, bool]:
        """(was there a sign, is it lost)."""
        if self.sign.look():
            self.waits = ()
            self.pulse.sign()
            return True, False
        return False, self.pulse.silence(late=late, waited=self._waited(now, ours))

    def _waited(self, now: float, ours: Callable[[], Threads]) -> float:
        looked = [threads_of(self.pid) if self.pid else Threads({})]
        if looked[0].stopped:
            return 0.0  # whoever waited besides, its answer was not among what they waited with
        if self.sign.carried:
            looked.append(ours())
        if len(self.waits) != len(looked):
            self.waits = tuple(Waiting(threads, now) for threads in looked)
            return 0.0
        waited = sum(w.note(threads, now) for w, threads in zip(self.waits, looked, strict=True))
        return min(waited, self.interval - self.waits[0].ran)


@dataclass(slots=True)
class Newborn:
    """An incarnation that is to be asked, a little later: while it starts, the processor has other work."""

    incarnation: int
    pid: int
    beat: Heartbeat
    source: str
    turns: int = TURNS
    ready: bool = False


class Hearts:
    """`lost` is told of (name, incarnation) when a module has gone silent."""

    def __init__(self, connect: Connect, log: Log, lost: Callable[[str, int], None]) -> None:
        self.stats = HeartStats()
        self._connect = connect
        self._log = log
        self._lost = lost
        self._opening: dict[str, trio.CancelScope] = {}
        self._hearts: dict[str, Heart] = {}
        self._newborn: dict[str, Newborn] = {}
        self._turning: set[float] = set()
        """The intervals that somebody is watched at."""
        self._nursery: trio.Nursery
        self._descriptors: Descriptors

    def start(self, nursery: trio.Nursery, descriptors: Descriptors) -> None:
        """From here on `watch` may be called."""
        self._nursery, self._descriptors = nursery, descriptors

    def watch(
        self, name: str, incarnation: int, beat: Heartbeat | None, source: str | Kept, pid: int
    ) -> None:
        """Watch this incarnation. `source`: whose RPC socket answers for it, or what init keeps."""
        self.forget(name)
        if beat is None:
            return
        if isinstance(source, Kept):
            scope = self._opening[name] = trio.CancelScope()
            self._nursery.start_soon(self._open, name, incarnation, beat, source, pid, scope)
            return
        self._newborn[name] = Newborn(incarnation, pid, beat, source)
        self._keep_turning(beat.interval)

    def ready(self, name: str) -> None:
        """It has just said so: a sign of life, and its sockets are there."""
        if name in self._hearts:
            self._hearts[name].pulse.ready()
        elif name in self._newborn:
            self._newborn[name].ready = True

    def forget(self, name: str) -> None:
        """It is gone, or about to be."""
        scope = self._opening.pop(name, None)
        if scope is not None:
            scope.cancel()
        self._newborn.pop(name, None)
        heart = self._hearts.pop(name, None)
        if heart is not None:
            heart.sign.close()

    async def _open(
        self,
        name: str,
        incarnation: int,
        beat: Heartbeat,
        source: Kept,
        pid: int,
        scope: trio.CancelScope,
    ) -> None:
        key = f"{name}/{source.value}"
        with scope:
            fd = await self._descriptors.get(key)
            if scope.cancel_called:  # the answer was on its way already
                if fd is not None:
                    os.close(fd)
                return
            del self._opening[name]
            if fd is None:
                self._log.error("JLAUNCHD_NO_HEARTBEAT", f"{name}: init keeps no {key}")
                return
            sign = Word(fd) if source is Kept.WORD else Notices(fd, pid)
            self._add(name, incarnation, beat, sign, pid)

    def _add(self, name: str, incarnation: int, beat: Heartbeat, sign: Sign, pid: int) -> None:
        pulse = Pulse(beat) if sign.carried else Pulse(beat, 0.0)
        self._hearts[name] = Heart(name, incarnation, pid, beat.interval, pulse, sign)
        self._keep_turning(beat.interval)

    def _keep_turning(self, interval: float) -> None:
        if interval not in self._turning:
            self._turning.add(interval)
            self._nursery.start_soon(self._turn, interval)

    def _begin(self, interval: float) -> bool:
        """Ask those who are no newborns any more; is there one that still is?"""
        newborn = {
            name: each for name, each in self._newborn.items() if each.beat.interval == interval
        }
        for name, each in newborn.items():
            if each.turns and not each.ready:
                each.turns -= 1
                continue
            del self._newborn[name]
            patience = interval * each.beat.misses + 2 * WAITING_CAP
            sign = Answers(self._connect(each.source, each.incarnation), patience)
            self._add(name, each.incarnation, each.beat, sign, each.pid)
            if each.ready:
                self._hearts[name].pulse.sign()  # it has a whole interval for its answer
        return bool(newborn)

    async def _turn(self, interval: float) -> None:
        """Look once an interval, while anybody is watched at this one."""
        while True:
            due = trio.current_time() + interval
            await trio.sleep_until(due)
            hearts = [heart for heart in self._hearts.values() if heart.interval == interval]
            if not self._begin(interval) and not hearts:
                self._turning.discard(interval)
                return
            self._look(hearts, due)

    def _look(self, hearts: list[Heart], due: float) -> None:
        now = trio.current_time()
        own: list[Threads] = []

        def ours() -> Threads:
            """Ourselves: read once a turn, and only if somebody is silent."""
            if not own:
                own.append(threads_of(os.getpid()))
            return own[0]

        for heart in hearts:
            if self._hearts.get(heart.name) is not heart:
                continue  # what a loss led to has ended this one as well
            sign, lost = heart.look(now - due > LATE * heart.interval, now, ours)
            self.stats.of(heart.name).note(sign, heart.sign.seconds)
            if isinstance(heart.sign, Notices) and heart.sign.crowded:
                self._nursery.start_soon(heart.sign.attend)
            if lost:
                self.forget(heart.name)
                self._lost(heart.name, heart.incarnation)
