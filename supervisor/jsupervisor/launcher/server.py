"""The loop of one launcher stage: fork orders come from init, children go out, the dead are reaped.

One thread and a selector. The lean stage also keeps the full stage alive, which is its child and
dies with it.
"""

from __future__ import annotations

import gc
import importlib
import os
import selectors
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Final

from jsupervisor import linux
from jsupervisor.containment.cells import Cells
from jsupervisor.initproto import Connection, Message
from jsupervisor.launcher.blank import Blank
from jsupervisor.launcher.child import as_order, be_module, close_inherited, fork_module, leave
from jsupervisor.launcher.runners import runner_of, warmer_of
from jsupervisor.launcher.spare import is_spare
from jsupervisor.phases import stamp
from jsupervisor.runtime.injected import carry_out

FIRST_DELAY: Final = 0.05
MAX_DELAY: Final = 5.0
SETTLED: Final = 10.0
"""A full stage that lived this long (seconds) has started well: its death is the first of its kind."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What both stages need to know."""

    run_dir: str
    init_pid: int
    lean_imports: tuple[str, ...]
    full_imports: tuple[str, ...]
    blanks: bool = False
    """Is a process forked ahead of the next order?"""


class Stage:
    """One stage's process: imports, says hello to init, forks until init is gone."""

    def __init__(self, setup: Setup, stage: str, cells: Cells) -> None:
        self.setup = setup
        self.stage = stage
        self.cells = cells
        self.full_pid = 0
        self._full_due: float | None = 0.0 if stage == "lean" else None
        self._full_delay = 0.0
        self._full_forked = 0.0
        self._selector = selectors.DefaultSelector()
        self._blank: Blank | None = None

    def run(self) -> int:
        """Serve until init closes the connection; the exit code."""
        for name in self.setup.lean_imports if self.stage == "lean" else self.setup.full_imports:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # so that the collector never touches, and thereby copies, the shared pages
        wakeup, wakeup_w = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wakeup_w, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(wakeup, selectors.EVENT_READ)
        self._keep_full()
        init = Connection.open(os.path.join(self.setup.run_dir, "init.sock"))
        self._selector.register(init, selectors.EVENT_READ)
        role = "launcher" if self.stage == "lean" else "launcher-full"
        if self.setup.blanks:
            self._blank = Blank(self.setup.init_pid, self._become, warmer_of(self.stage))
        init.send({"op": "hello", "role": role, "containment": self.cells.machine.words()})
        while True:
            for key, _ in self._selector.select(self._patience()):
                if key.fd == wakeup:
                    os.read(wakeup, 4096)
                    self._reap()
                elif not self._serve(init):
                    return 0
            self._keep_full()
            self._keep_blank()

    def _patience(self) -> float | None:
        dues = (self._full_due, None if self._blank is None else self._blank.due)
        due = min((each for each in dues if each is not None), default=None)
        return None if due is None else max(0.0, due - time.monotonic())

    def _keep_blank(self) -> None:
        """Make a blank when it is due: nobody waits for a fork now."""
        if self._blank is None or (due := self._blank.due) is None or due > time.monotonic():
            return
        try:
            self._blank.make()
        except OSError as error:
            print(f"cannot fork ahead: {error}", file=sys.stderr, flush=True)

    def _become(self, order: Message) -> int:
        """In a blank: carry out the order that it was given."""
        runner, cell = runner_of(self.stage), self.cells.cell(order)
        run_dir, init_pid = self.setup.run_dir, self.setup.init_pid
        return be_module(order, run_dir, init_pid, init_pid, runner, cell)

    def _serve(self, init: Connection) -> bool:
        received = init.receive()
        if received is None:
            return False
        message, fds = received
        for fd in fds:
            os.close(fd)
        match message.get("op"):
            case "ping":
                init.send({"op": "pong", "number": message["number"]})
            case "fork":
                self._fork(message)
            case "fault":
                carry_out(str(message["kind"]))
            case "refused":
                print(f"init refused: {message.get('why')}", file=sys.stderr, flush=True)
                return False
            case _:
                pass
        return True

    def _fork(self, message: Message) -> None:
        order = as_order(message["order"])
        stamp(order, "told")
        if self._blank is not None and not is_spare(order) and self._blank.give(order):
            return
        try:
            cell = self.cells.cell(order)
            fork_module(order, self.setup.run_dir, self.setup.init_pid, runner_of(self.stage), cell)
        except (OSError, LookupError) as error:
            # The reservation expires, and jlaunchd counts a failed start.
            print(f"cannot fork {order.get('name')}: {error}", file=sys.stderr, flush=True)

    def _reap(self) -> None:
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.full_pid:
                self.full_pid = 0
                now = time.monotonic()
                if now - self._full_forked > SETTLED:
                    self._full_delay = 0.0
                self._full_due = now + self._full_delay
                self._full_delay = min(MAX_DELAY, max(FIRST_DELAY, self._full_delay * 2))

    def _keep_full(self) -> None:
        """Fork the full stage when it is due."""
        if self._full_due is None or time.monotonic() < self._full_due:
            return
        self._full_due = None
        parent, self._full_forked = os.getpid(), time.monotonic()
        self.full_pid = os.fork()
        if self.full_pid:
            return
        code = 1
        try:
            linux.die_with_parent()
            if os.getppid() == parent:
                signal.set_wakeup_fd(-1)
                close_inherited()
                linux.set_process_name("jlauncher-full")
                code = Stage(self.setup, "full", self.cells).run()
        except BaseException:  # noqa: BLE001 - it must not reach the lean stage's loop
            traceback.print_exc()
        finally:
            leave(code)
