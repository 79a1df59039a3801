"""How init keeps its own children (jlaunchd, the launcher) alive. Pure: time comes in.

A child is started, says hello, is pinged five times a second unless heartbeats are off, and is killed
when it misses three pings in a row; up to two seconds of waiting for a processor are forgiven. It is
started again at once, then with a doubling delay up to five seconds, and never given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PING_NS: Final = 200_000_000
MISSES: Final = 3
WAITING_CAP_NS: Final = 2_000_000_000
HELLO_TIMEOUT_NS: Final = 20_000_000_000
FIRST_DELAY_NS: Final = 50_000_000
MAX_DELAY_NS: Final = 5_000_000_000


@dataclass(slots=True)
class Pinger:
    """Heartbeats of one connected process."""

    next_ping_ns: int
    sent: int = 0
    answered: int = 0
    forgiven_ns: int = 0
    """What the peer has waited for a processor since its newest answer, up to WAITING_CAP_NS."""

    @property
    def silent(self) -> bool:
        """Is there a ping without an answer?"""
        return self.sent > self.answered

    def due(self, now: int, waited_ns: int = 0) -> tuple[bool, bool]:
        """(send a ping, the peer hangs). Neither our own lateness nor the peer's waits count.

        `waited_ns`: how long the peer has waited for a processor since the last ping.
        """
        if now < self.next_ping_ns:
            return False, False
        late = now - self.next_ping_ns > PING_NS
        self.next_ping_ns = now + PING_NS
        if self.silent:
            self.forgiven_ns = min(WAITING_CAP_NS, self.forgiven_ns + min(waited_ns, PING_NS))
        if self.sent - self.answered >= MISSES + self.forgiven_ns // PING_NS:
            if not late:
                return False, True
            self.answered = self.sent
        self.sent += 1
        return True, False

    def heard(self) -> None:
        """The peer has said something: the answer, or what came before it. That clears the misses."""
        self.answered, self.forgiven_ns = self.sent, 0


@dataclass(slots=True)
class Keeper:
    """One child of init."""

    name: str
    incarnation: int = 0
    pid: int = 0
    start_time: int = 0
    started_ns: int = 0
    start_at_ns: int | None = 0
    """When to start it next; None while it runs."""
    delay_ns: int = 0
    hello: bool = False

    def started(self, pid: int, start_time: int, now: int) -> None:
        """It runs, as `pid`."""
        self.pid, self.start_time, self.started_ns = pid, start_time, now
        self.start_at_ns, self.hello = None, False
        self.incarnation += 1

    def exited(self, now: int) -> None:
        """It is gone: plan its successor."""
        self.start_at_ns = now + self.delay_ns
        self.delay_ns = min(MAX_DELAY_NS, max(FIRST_DELAY_NS, self.delay_ns * 2))
        self.pid = 0

    def ready(self) -> None:
        """It does its work: a later death is the first of its kind."""
        self.delay_ns = 0

    @property
    def hello_deadline_ns(self) -> int | None:
        """When it must have said hello; None when it has, or does not run."""
        return self.started_ns + HELLO_TIMEOUT_NS if self.pid and not self.hello else None

    def silent(self, now: int) -> bool:
        """Has it run for too long without a hello?"""
        deadline = self.hello_deadline_ns
        return deadline is not None and now >= deadline
