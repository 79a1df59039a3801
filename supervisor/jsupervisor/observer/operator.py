"""A client of init's socket: status, events, faults, stop.

Blocking, with a deadline on every wait; the standard library is all it needs, so that a command
starts fast and a test may use it from anywhere. A trio program waits for `fileno()` to be readable.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.observer.events import EventRecord, History, parse
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.observer.status import parse as parse_status
from jsupervisor.paths import Instance
from jsupervisor.runtime.callers import OPERATOR
from jsupervisor.runtime.identity import Identity, IdentityError, take

POLL: Final = 0.02


class OperatorError(Exception):
    """Init did not do what was asked; the text begins with "cannot" and can be shown as it is."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A fault that init has sent: to which pid, and when (CLOCK_MONOTONIC, just before)."""

    pid: int
    monotonic_ns: int


def _connect(instance: Instance, timeout: float) -> Connection:
    try:
        return Connection.open(str(instance.init_socket), timeout)
    except OSError as error:
        raise OperatorError(
            f"cannot reach instance {instance.name}: it is not running"
            f" ({error.strerror or error}); start it with: jsupervisor start --name {instance.name}"
        ) from error


class Operator:
    """One request at a time to a running instance's init."""

    def __init__(self, instance: Instance, timeout: float = 5.0) -> None:
        """Connect; raises OperatorError when no init answers within `timeout` seconds."""
        self._instance = instance
        self._timeout = timeout
        self._connection = _connect(instance, timeout)

    def request(self, message: Message) -> Message:
        """Send one message and return the answer; raises OperatorError."""
        answer, fds = self._ask(message)
        for fd in fds:
            os.close(fd)
        return answer

    def _ask(self, message: Message) -> tuple[Message, list[int]]:
        try:
            self._connection.send(message)
            answer = self._connection.receive()
            if answer is None:
                raise ConnectionError("it closed the connection")
            return answer
        except OSError as error:
            raise OperatorError(
                f"cannot {message.get('op')} on instance {self._instance.name}:"
                f" init does not answer ({error})"
            ) from error

    def status(self) -> InstanceStatus:
        """How the instance stands; raises OperatorError."""
        answer = self.request({"op": "status"}).get("status")
        if not isinstance(answer, dict):
            raise OperatorError(f"cannot read the status of instance {self._instance.name}")
        return parse_status(answer)

    def phases(self, name: str) -> dict[str, int]:
        """When a module's newest process reached which step of its start (`jsupervisor.phases`)."""
        status = self.request({"op": "status"}).get("status")
        listed = status.get("processes") if isinstance(status, dict) else None
        for process in listed if isinstance(listed, list) else []:
            if isinstance(process, dict) and process.get("name") == name:
                steps = {**_numbers(process.get("phases")), **_numbers(process.get("reached"))}
                return dict(sorted(steps.items(), key=lambda step: step[1]))
        return {}

    def inject(self, name: str, kind: str) -> Delivery:
        """Have init deliver a fault; raises OperatorError when it refuses."""
        answer = self.request({"op": "inject", "name": name, "kind": kind})
        pid, at = answer.get("pid"), answer.get("monotonic_ns")
        if answer.get("op") != "done" or not isinstance(pid, int) or not isinstance(at, int):
            raise OperatorError(f"cannot inject {kind} into {name}: {answer.get('why', 'refused')}")
        return Delivery(pid, at)

    def identity(self) -> Identity:
        """Who an operator is to the modules of this boot; raises OperatorError.

        Waits for an instance that has just been started: its supervisor signs before all else.
        """
        deadline = time.monotonic() + self._timeout
        while True:
            answer, fds = self._ask({"op": "identity"})
            if fds:
                return self._taken(fds[0])
            if answer.get("op") != "missing" or time.monotonic() > deadline:
                why = answer.get("why", "refused")
                raise OperatorError(f"cannot command instance {self._instance.name}: {why}")
            time.sleep(POLL)

    def _taken(self, fd: int) -> Identity:
        try:
            return take(fd, OPERATOR)
        except IdentityError as error:
            raise OperatorError(str(error)) from error

    def stop(self) -> None:
        """Ask init to stop everything; returns when it said that it heard."""
        self.request({"op": "stop"})

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Watcher:
    """Init's event push, kept as a history from the moment of connecting."""

    def __init__(self, instance: Instance, timeout: float = 5.0) -> None:
        """Connect and subscribe; raises OperatorError."""
        self._connection = _connect(instance, timeout)
        self._connection.request({"op": "watch"})
        self.history = History()
        self.ended = False
        """Has init closed the connection? It died, or cut us for not reading."""

    def fileno(self) -> int:
        """Readable when there is something to `pump`."""
        return self._connection.fileno()

    def mark(self) -> int:
        """A place in the history: everything that happens from now on comes after it."""
        self.pump()
        return len(self.history)

    def pump(self) -> int:
        """Take in what has arrived, without waiting; how many events there were."""
        count = 0
        while not self.ended and self._readable(0.0):
            count += self._take()
        return count

    def wait(self, done: Callable[[History], bool], timeout: float) -> bool:
        """Take in events until `done` says so; False when `timeout` seconds passed or init died."""
        deadline = time.monotonic() + timeout
        self.pump()
        while not done(self.history):
            left = deadline - time.monotonic()
            if self.ended or left <= 0 or not self._readable(left):
                return False
            self._take()
        return True

    def wait_next(self, timeout: float) -> bool:
        """Wait for the next event, whatever it is; False when there was none in time."""
        before = len(self.history)
        return self.wait(lambda history: len(history) > before, timeout)

    def wait_for(self, mark: int, name: str | None, *events: str, timeout: float) -> EventRecord:
        """The first of `events` about `name` since `mark`; raises TimeoutError."""
        self.wait(lambda history: history.first(mark, name, *events) is not None, timeout)
        record = self.history.first(mark, name, *events)
        if record is None:
            why = "init closed the connection" if self.ended else f"none within {timeout:g} s"
            raise TimeoutError(f"cannot see {' or '.join(events)} of {name or 'any module'}: {why}")
        return record

    def _readable(self, timeout: float) -> bool:
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        return bool(poll.poll(timeout * 1000))

    def _take(self) -> int:
        try:
            received = self._connection.receive()
        except OSError:
            received = None
        if received is None:
            self.ended = True
            return 0
        record = received[0].get("record")
        if received[0].get("op") != "event" or not isinstance(record, dict):
            return 0
        self.history.append(parse(record))
        return 1

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _numbers(value: Json) -> dict[str, int]:
    found = value.items() if isinstance(value, dict) else ()
    return {key: number for key, number in found if isinstance(number, int)}
