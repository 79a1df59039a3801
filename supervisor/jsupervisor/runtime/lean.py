"""The runtime of the packet engine: no trio, no gRPC, one thread that never waits.

The engine's own loop polls `LeanHost.fd` beside its ports and calls `service`; everything else is a
plain call. The heartbeat is a word in a memory file that init keeps, so that whoever watches needs no
answer from a busy engine.
"""

from __future__ import annotations

import mmap
import os
import select
import signal
import time
from collections import deque
from struct import Struct
from typing import Final, Protocol

from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.phases import KEY, Stamps
from jsupervisor.runtime import injected
from jsupervisor.runtime.crash import CrashTrace
from jsupervisor.runtime.descriptors import (
    DescriptorError,
    DescriptorExists,
    InitGone,
    check_drop,
    check_get,
    check_put,
)
from jsupervisor.runtime.entry import EntryError, load
from jsupervisor.runtime.leanlog import LeanLog
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.signals import reset_signals

__all__ = [
    "DescriptorError",
    "DescriptorExists",
    "InitGone",
    "LeanHost",
    "LeanModule",
    "run_lean",
]

HEARTBEAT_SIZE: Final = mmap.PAGESIZE
_WORD: Final = Struct("<Q")


class LeanModule(Protocol):
    """What an order's entry must be, in the lean runtime."""

    def __init__(self, order: Order, host: LeanHost) -> None:
        """Set up; nothing is reported yet."""

    def run(self) -> int:
        """Work until `host.stopping`; the process's exit code."""


class LeanHost:
    """What a lean module may call. One thread only."""

    def __init__(self, order: Order, init: Connection, stamps: Stamps | None = None) -> None:
        self.stopping = False
        """Set by SIGTERM or by init's order."""
        self.log = LeanLog(order)
        self.fd = init.fileno()
        """Readable: call `service`."""
        self._init = init
        self._stamps = {} if stamps is None else stamps
        self._pushed: deque[Message] = deque()
        self._word = self._heartbeat_word(f"{order.name}/heartbeat")
        self.beat()

    def service(self) -> None:
        """Take what init pushed. Faults are carried out in here; raises InitGone."""
        while self._pushed or self._readable():
            message = self._pushed.popleft() if self._pushed else self._receive()[0]
            match message.get("op"):
                case "fault":
                    injected.carry_out(str(message.get("kind")))
                case "stop":
                    self.stopping = True
                case _:
                    pass

    def report(self, stage: str) -> None:
        """Tell a stage: "serving", "ready" or "forwarding"."""
        message: dict[str, Json] = {
            "op": "report",
            "stage": stage,
            "monotonic_ns": time.monotonic_ns(),
        }
        if stage == "ready":
            message[KEY] = self._stamps
        self._send(message)

    def put(self, key: str, fd: int) -> None:
        """Have init keep a duplicate of `fd`; raises DescriptorExists when the key is taken."""
        answer, fds = self._request({"op": "put", "key": key}, (fd,))
        _close(fds)
        check_put(key, answer)

    def get(self, key: str) -> int | None:
        """A descriptor of the caller's own for what init keeps as `key`; None when nothing is."""
        answer, fds = self._request({"op": "get", "key": key})
        return check_get(key, answer, fds)

    def drop(self, key: str) -> None:
        """Have init let go of `key`; nothing happens when there is none."""
        answer, fds = self._request({"op": "drop", "key": key})
        _close(fds)
        check_drop(key, answer)

    def beat(self) -> None:
        """Stamp the heartbeat word; at least every 100 ms."""
        _WORD.pack_into(self._word, 0, time.monotonic_ns())

    def _heartbeat_word(self, key: str) -> mmap.mmap:
        fd = self.get(key)
        if fd is None:
            fd = os.memfd_create(key, os.MFD_CLOEXEC)
            os.ftruncate(fd, HEARTBEAT_SIZE)
            self.put(key, fd)
        word = mmap.mmap(fd, HEARTBEAT_SIZE)
        os.close(fd)
        return word

    def _readable(self) -> bool:
        poll = select.poll()
        poll.register(self.fd, select.POLLIN)
        return bool(poll.poll(0))

    def _request(
        self, message: dict[str, Json], fds: tuple[int, ...] = ()
    ) -> tuple[Message, list[int]]:
        """The answer; what is pushed before it waits for `service`."""
        self._send(message, fds)
        while True:
            answer, received = self._receive()
            if answer.get("op") in ("done", "refused"):
                return answer, received
            _close(received)
            self._pushed.append(answer)

    def _receive(self) -> tuple[Message, list[int]]:
        received = self._init.receive()
        if received is None:
            raise InitGone("cannot go on: init is dead")
        return received

    def _send(self, message: dict[str, Json], fds: tuple[int, ...] = ()) -> None:
        try:
            self._init.send(message, fds)
        except OSError as error:
            raise InitGone(f"cannot tell init: {error}") from error


def run_lean(
    order: Order,
    init: Connection,
    trace: CrashTrace | None = None,
    stamps: Stamps | None = None,
) -> int:
    """Run the order's module to its end; the process's exit code, 0 when asked to stop."""
    reset_signals()
    trace = trace or CrashTrace()
    trace.enable()
    try:
        host = LeanHost(order, init, stamps)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: setattr(host, "stopping", True))
        # A soft restart has nothing to re-read here: pfectl owns the engine's state.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        return run_module(order, host)
    except (EntryError, InitGone, DescriptorError) as error:
        trace.end(str(error))
    except Exception as error:  # noqa: BLE001 - becomes the exit code
        trace.end_by(error)
    return 1


def run_module(order: Order, host: LeanHost) -> int:
    """Make the order's module and run it; raises EntryError and whatever the module raises."""
    module: type[LeanModule] = load(order.entry)
    return module(order, host).run()


def _close(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
