"""How init keeps its own children (jlaunchd, the launcher) alive. Pure: time comes in.

A child is started, says hello, is pinged four times a second, and is killed when it misses three
pings in a row. It is started again at once, then with a doubling delay up to five seconds, and
never given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PING_NS: Final = 250_000_000
MISSES: Final = 3
HELLO_TIMEOUT_NS: Final = 20_000_000_000
FIRST_DELAY_NS: Final = 50_000_000
MAX_DELAY_NS: Final = 5_000_000_000


@dataclass(slots=True)
class Pinger:
    """Heartbeats of one connected process."""

    next_ping_ns: int
    sent: int = 0
    answered: int = 0

    def due(self, now: int) -> tuple[bool, bool]:
        """(send a ping, the peer hangs). Our own lateness is not held against the peer."""
        if now < self.next_ping_ns:
            return False, False
        late = now - self.next_ping_ns > PING_NS
        self.next_ping_ns = now + PING_NS
        if self.sent - self.answered >= MISSES:
            if not late:
                return False, True
            self.answered = self.sent
        self.sent += 1
        return True, False

    def pong(self, number: int) -> None:
        """The peer answered ping `number`; an answer to any of them clears the misses before it."""
        self.answered = max(self.answered, min(number, self.sent))


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

    def silent(self, now: int) -> bool:
        """Has it run for too long without a hello?"""
        return self.pid != 0 and not self.hello and now - self.started_ns > HELLO_TIMEOUT_NS
