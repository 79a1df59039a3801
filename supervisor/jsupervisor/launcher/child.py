"""The start protocol, as it runs in the newborn process, step by step.

Every step may be the last one (SIGKILL): until init has granted the claim no module code has run,
so at worst a reservation expires. A child whose claim is refused is one too many and exits.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Final

from jsupervisor import linux
from jsupervisor.containment.cell import Cell
from jsupervisor.initproto import Connection, Json, Message, MessageError
from jsupervisor.launcher.spare import PROCESS_NAME, announce, is_spare
from jsupervisor.paths import make_module_folder
from jsupervisor.phases import stamp
from jsupervisor.runtime import crash

ADOPTION_TIMEOUT: Final = 2.0
GRANT_TIMEOUT: Final = 5.0
NOT_GRANTED: Final = 125
"""Exit code of a process that was not allowed to become the module: nobody counts it."""

Order = Message
Runner = Callable[[Order, Connection], int]


def fork_module(
    order: Order, run_dir: str, init_pid: int, runner: Runner, cell: Cell | None = None
) -> int:
    """Fork twice; the grandchild becomes the module. The pid of the child in between, to be reaped.

    `runner` gets the order and the granted connection and returns the exit code; `cell` is what holds
    the module to its role. Returns only in the launcher.
    """
    pid = os.fork()
    if pid:
        return pid
    stamp(order, "forked")
    code, between = 1, os.getpid()
    try:
        born = os.fork() == 0
        code = be_module(order, run_dir, init_pid, between, runner, cell) if born else 0
    except BaseException:  # noqa: BLE001 - whatever it was, it must not reach the launcher's loop
        traceback.print_exc()
    finally:
        leave(code)
    raise AssertionError("a child never returns to the launcher's loop")


def be_module(
    order: Order,
    run_dir: str,
    init_pid: int,
    between: int,
    runner: Runner,
    cell: Cell | None = None,
) -> int:
    """All steps from the fork by `between` to the end of the module; its exit code."""
    stamp(order, "born")
    forget_launcher(order)
    start_trace(order)
    make_folders(order, run_dir)
    connection = reach_init(os.path.join(run_dir, "init.sock"))
    if connection is None:
        return NOT_GRANTED
    stamp(order, "connected")
    confined = confine(cell, Cell.enter)
    stamp(order, "entered")
    if not await_parent(init_pid, between):
        return NOT_GRANTED
    confined = confined and confine(cell, Cell.bind)
    stamp(order, "bound")
    if not (announce if is_spare(order) else claim)(order, connection):
        return NOT_GRANTED
    # Not before: init ends strays, and knows who has not claimed yet by the launcher's name.
    linux.set_process_name(PROCESS_NAME if is_spare(order) else str(order["name"]))
    stamp(order, "granted")
    if confined and order.get("launch") == "exec":
        exec_resume(order, connection)
    if not confined or not confine(cell, Cell.seal):
        return 1
    return runner(order, connection)


def confine(cell: Cell | None, step: Callable[[Cell], None]) -> bool:
    """Take one step of containment; False, and the reason on stderr, when it cannot be taken.

    Who cannot be held to its role still claims its place, so that its end is known at once.
    """
    if cell is None:
        return True
    try:
        step(cell)
    except Exception as error:  # noqa: BLE001 - whatever it was, the module must not run
        print(f"cannot confine {cell.name}: {step.__name__}: {error}", file=sys.stderr, flush=True)
        return False
    return True


def forget_launcher(order: Order) -> None:
    """Nothing of the launcher's stays but its name: descriptors, signal handlers, session."""
    name = str(order["name"])
    stderr = linux.open_log(os.path.join(str(order["home"]), "log", f"{name}.stderr"))
    os.dup2(stderr, 1)
    os.dup2(stderr, 2)
    signal.set_wakeup_fd(-1)
    close_inherited()
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    os.setsid()
    os.umask(0o077)


def make_folders(order: Order, run_dir: str) -> None:
    """The folder of the module's sockets, and of each module inside it; raises OSError or PathError."""
    parts = order.get("parts")
    for part in [order, *(parts if isinstance(parts, list) else [])]:
        make_module_folder(run_dir, str(as_order(part)["name"]))


def start_trace(order: Order) -> None:
    """Open the crash trace while any file may be opened, and let the order say where it is."""
    incarnation = order["incarnation"]
    assert isinstance(incarnation, int)
    fd = crash.open_trace(str(order["home"]), str(order["name"]), incarnation)
    order["trace"] = fd
    crash.CrashTrace(fd).enable()


def close_inherited(first: int = 3) -> None:
    """Close every descriptor from `first` on: close-on-exec does nothing without an exec."""
    os.closerange(first, max(int(fd) for fd in os.listdir("/proc/self/fd")) + 1)


def await_parent(init_pid: int, between: int) -> bool:
    """Wait until init is the parent, then die with it; False when that does not come about.

    The parent-death signal may be set only now: set before, it would fire at the death of the
    process in between. Init may die while it is being set, so the parent is checked once more.
    Whoever else adopts this process does so because init is dead.
    """
    deadline = time.monotonic() + ADOPTION_TIMEOUT
    while (parent := os.getppid()) != init_pid:
        if parent != between or time.monotonic() > deadline:
            return False
        time.sleep(0.0002)
    linux.die_with_parent()
    return os.getppid() == init_pid


def reach_init(path: str) -> Connection | None:
    """A connection to init, made while this process may still reach it; None when there is none."""
    try:
        return Connection.open(path, timeout=GRANT_TIMEOUT)
    except OSError as error:
        print(f"cannot reach init: {error}", file=sys.stderr, flush=True)
        return None


def claim(order: Order, connection: Connection) -> bool:
    """Ask init to become the module; False when refused."""
    message: Message = {
        "op": "claim",
        "name": order["name"],
        "incarnation": order["incarnation"],
    }
    try:
        connection.send(message)
        answer = connection.receive()
    except (OSError, MessageError) as error:
        print(f"cannot reach init: {error}", file=sys.stderr, flush=True)
        return False
    if answer is None or answer[0].get("op") != "granted":
        connection.close()
        return False
    connection.settimeout(None)
    return True


def exec_resume(order: Order, connection: Connection) -> None:
    """Go on in a fresh interpreter, as the same process with the same connection."""
    os.set_inheritable(connection.fileno(), True)
    trace = order["trace"]
    assert isinstance(trace, int)
    os.set_inheritable(trace, True)
    argv = [sys.executable, "-P", "-m", "jsupervisor.launcher.resume"]
    os.execv(sys.executable, [*argv, str(connection.fileno()), json.dumps(order)])


def leave(code: int) -> None:
    """Exit now, without the launcher's own exit handlers."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass
    os._exit(code)


def as_order(value: Json) -> Order:
    """An order from a message of init's; raises TypeError."""
    if not isinstance(value, dict):
        raise TypeError("an order is a JSON object")
    return dict(value)
