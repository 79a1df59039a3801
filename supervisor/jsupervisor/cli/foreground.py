"""A started instance, followed from here: boot log, live view, and the end, orderly in every case.

One poll loop waits for init's events, init's end and our own signals; nothing is done in a handler.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

from jsupervisor.boot import Booted
from jsupervisor.cli.common import sweep_if_dead
from jsupervisor.cli.errors import CliError
from jsupervisor.cli.logs import Follower
from jsupervisor.cli.narration import Narrator, notable
from jsupervisor.cli.status import report, usage_of
from jsupervisor.initproto import Message
from jsupervisor.observer.operator import Operator, OperatorError, Watcher
from jsupervisor.observer.processes import descendants
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.observer.status import parse as parse_status
from jsupervisor.paths import Instance
from jsupervisor.runtime.rotate import tail

CONNECT_SECONDS: Final = 10.0
STOP_SECONDS: Final = 45.0
DEATH_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 0.005
LOG_SECONDS: Final = 0.05
"""How soon a line of a module's log is seen."""
VIEW_SECONDS: Final = 0.5
LAST_WORDS: Final = 4096
"""So many octets of a process's stderr have its last line."""
CUT_SECONDS: Final = 2.0
"""An init that closed our connection and still lives after this has only cut us off."""
ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """Counts the signals that ask for the end; `fileno` is readable when one has come."""

    def __init__(self) -> None:
        self.count = 0
        self._readable, self._writable = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def fileno(self) -> int:
        """For poll."""
        return self._readable

    def came(self, number: int, frame: object) -> None:
        """The handler."""
        self.count += 1
        try:
            os.write(self._writable, b"!")
        except BlockingIOError:
            pass  # it is readable already

    def clear(self) -> None:
        """Make `fileno` unreadable until the next one."""
        try:
            os.read(self._readable, 4096)
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Close the pipe."""
        os.close(self._readable)
        os.close(self._writable)


@contextmanager
def ending_signals() -> Iterator[Signals]:
    """SIGINT, SIGTERM and SIGHUP are counted, not obeyed, inside the block."""
    signals = Signals()
    before = {number: signal.signal(number, signals.came) for number in ENDING}
    try:
        yield signals
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signals.close()


class Foreground:
    """One started instance. Every method that waits ends at once when a signal has come."""

    def __init__(self, booted: Booted, signals: Signals, say: Callable[[str], None]) -> None:
        self._booted = booted
        self._signals = signals
        self._say = say
        self._narrator = Narrator()
        self._log = log_follower(booted.instance)
        self._pidfd = os.pidfd_open(booted.process.pid)
        self._mark = 0
        self.lines: list[str] = []
        """What was said, for the live view."""
        try:
            self._watcher, self._operator = self._connect()
        except BaseException:
            self._log.close()
            os.close(self._pidfd)
            raise

    def _connect(self) -> tuple[Watcher, Operator]:
        deadline = time.monotonic() + CONNECT_SECONDS
        while True:
            try:
                watcher = Watcher(self._booted.instance)
                operator = Operator(self._booted.instance)
                break
            except OperatorError as error:
                self._require_init()
                if time.monotonic() > deadline:
                    raise CliError(str(error)) from error
                time.sleep(LOOK_SECONDS)
        self._tell(self._narrator.catch_up(parse_status(_status(operator))))
        return watcher, operator

    def _require_init(self) -> None:
        code = self._booted.process.poll()
        if code is not None:
            log = self._booted.instance.log_dir / "init.stderr"
            raise CliError(
                f"cannot start {self._booted.instance.name}: init ended with {_code(code)}:"
                f" {last_words(self._booted.instance, 'init') or f'see {log}'}"
            )

    # -- waiting --------------------------------------------------------------------------------

    def boot(self, deadline: float | None) -> InstanceStatus | None:
        """Narrate until every module is up; the status then, None when a signal came first.

        With a deadline (of the monotonic clock), raises CliError when a module is given up or late.
        Programs that are not ours may fail or be done: they are waited for until nothing changes.
        """
        foreign = any(program.foreign for program in self._booted.plan.programs)
        while not self._signals.count:
            status = self.status()
            late = deadline is not None and time.monotonic() > deadline
            if status.all_up or (foreign and (late or settled(status))):
                self._log_lines()
                return status
            if deadline is not None and not foreign:
                self._require_progress(status, late=late)
            self._step(LOG_SECONDS)
        return None

    def watch(self) -> None:
        """Narrate until a signal comes."""
        while not self._signals.count:
            self._step(LOG_SECONDS)

    def live(self) -> None:
        """Keep a live view on the terminal until a signal comes."""
        from jsupervisor.cli.live import LiveView

        self._say = lambda _: None  # the view shows the lines
        with LiveView() as view:
            while not self._signals.count:
                view.show(report(_status(self._operator), usage_of), self.lines)
                self._step(VIEW_SECONDS)

    def status(self) -> InstanceStatus:
        """How the instance stands; raises CliError when init is dead."""
        status = parse_status(_status(self._operator))
        self._narrator.learn(status)
        return status

    def _step(self, timeout: float | None) -> None:
        """Wait for something to happen, and tell it; raises CliError when init died."""
        self._wait(timeout)
        self._hear()
        if not self._watcher.ended:
            return
        try:
            code = self._booted.process.wait(CUT_SECONDS)
        except subprocess.TimeoutExpired:
            # init cuts a watcher that does not read, as we do not while we are suspended.
            self._watcher.close()
            self._watcher, self._mark = Watcher(self._booted.instance), 0
        else:
            raise InitEnded(code, self._booted.instance)

    def _wait(self, timeout: float | None) -> None:
        waiting = [self._signals.fileno(), self._pidfd]
        if not self._watcher.ended:
            waiting.append(self._watcher.fileno())
        select.select(waiting, [], [], timeout)

    def _hear(self) -> None:
        self._watcher.pump()
        records = list(self._watcher.history.since(self._mark))
        self._mark += len(records)
        if any(record.event == "start" for record in records) and not self._watcher.ended:
            self._learn()
        for record in records:
            self._tell(self._narrator.tell(record))
        self._log_lines()

    def _learn(self) -> None:
        try:
            self.status()
        except CliError:
            pass  # init is on its way out: the lines go without PIDs

    def _log_lines(self) -> None:
        self._tell([text for line in self._log.lines() if (text := notable(line))])

    def _tell(self, lines: list[str]) -> None:
        self.lines.extend(lines)
        del self.lines[:-100]
        for line in lines:
            self._say(line)

    def _require_progress(self, status: InstanceStatus, *, late: bool) -> None:
        held = [module for module in status.modules if module.state == "failed"]
        if held:
            worst = held[0]
            # What nobody claimed never ran: then the launcher knows why.
            speaker = "launcher" if worst.last_cause == "unclaimed" else worst.name
            words = last_words(self._booted.instance, speaker)
            raise CliError(
                f"cannot bring up {worst.name}: {worst.last_cause}{f': {words}' if words else ''}"
                f" (log: {self._booted.instance.log_dir / speaker}.stderr)"
            )
        if late:
            missing = [module.name for module in status.modules if module.state != "up"]
            raise CliError(
                f"cannot bring up {', '.join(missing) or 'any module'}: it takes too long"
            )

    # -- the end --------------------------------------------------------------------------------

    def stop(self, say: Callable[[str], None]) -> int:
        """Stop everything in order and narrate it; init's exit code. A second signal uses force."""
        self._say = say
        self._tell(["init: stopping"])
        self._booted.let_go()
        asked, deadline = self._signals.count, time.monotonic() + STOP_SECONDS
        while self._booted.process.poll() is None:
            self._signals.clear()
            if self._signals.count > asked or time.monotonic() > deadline:
                kill_all(self._booted)
                self._tell(["init: killed"])
                break
            self._wait(VIEW_SECONDS)
            self._hear()
        code = self._booted.process.wait()
        self._hear()
        return code

    def close(self) -> None:
        """Let go of everything but the instance."""
        self._watcher.close()
        self._operator.close()
        self._log.close()
        os.close(self._pidfd)


def settled(status: InstanceStatus) -> bool:
    """Is everything up, done for good, or given up?"""
    return bool(status.modules) and all(
        module.state in ("up", "failed")
        or (module.state == "down" and module.incarnation and not module.waits_for)
        for module in status.modules
    )


class InitEnded(CliError):
    """init is gone while we watched: stopped by somebody else (status 0), or dead."""

    def __init__(self, status: int, instance: Instance) -> None:
        self.status = status
        super().__init__(
            f"cannot go on with {instance.name}: init ended with {_code(status)}, and every other"
            " process of the instance with it"
        )


def force_end(booted: Booted) -> None:
    """Whatever happened: nothing of the instance stays."""
    if booted.process.poll() is None:
        booted.process.terminate()
    booted.let_go()
    try:
        booted.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        kill_all(booted)
    sweep_if_dead(booted.instance)


def kill_all(booted: Booted) -> None:
    """SIGKILL init, with which every other process of the instance dies; wait for the last of them."""
    with ExitStack() as stack:
        watched = []
        for process in descendants(booted.process.pid):
            try:
                pidfd = os.pidfd_open(process.pid)
            except ProcessLookupError:
                continue
            stack.callback(os.close, pidfd)
            watched.append(pidfd)
        booted.process.kill()
        booted.process.wait()
        for pidfd in watched:
            select.select([pidfd], [], [], DEATH_SECONDS)


def log_follower(instance: Instance) -> Follower:
    """What modules log from now on."""
    return Follower(instance.log_dir / "messages.jsonl", from_end=True)


def last_words(instance: Instance, name: str) -> str:
    """The last line that a process wrote to its stderr; empty when there is none."""
    try:
        words = tail(instance.log_dir / f"{name}.stderr", LAST_WORDS)
    except OSError:
        return ""
    lines = words.decode(errors="replace").splitlines()
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _status(operator: Operator) -> Message:
    try:
        answer = operator.request({"op": "status"}).get("status")
    except OperatorError as error:
        raise CliError(str(error)) from error
    if not isinstance(answer, dict):
        raise CliError("cannot read the status: init answered something else")
    return answer


def _code(status: int) -> str:
    if status >= 0:
        return f"status {status}"
    return f"signal {signal.Signals(-status).name}"


def say(line: str) -> None:
    """One line of the boot log, at once."""
    print(line, file=sys.stdout, flush=True)
