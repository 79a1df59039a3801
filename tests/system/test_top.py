"""The screen at a whole router: what is killed is seen, and killing the screen harms nobody."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from textual.pilot import Pilot

from jsupervisor.observer import processes
from jsupervisor.testing import Router
from jsupervisor.top.app import TopApp
from jsupervisor.top.model import Row, View
from jsupervisor.top.panels import ModuleTable

pytestmark = pytest.mark.system

SECONDS = 30.0


def view(app: TopApp) -> View:
    return app.model.view(time.monotonic_ns())


def row(app: TopApp, name: str) -> Row:
    found = view(app).find(name)
    assert found is not None
    return found


async def until(pilot: Pilot[None], app: TopApp, done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not done():
        assert time.monotonic() < deadline, view(app)
        await pilot.pause(0.02)


async def watch_and_command(router: Router, pilot: Pilot[None], app: TopApp) -> None:
    await until(pilot, app, lambda: view(app).header.up == 8 and view(app).header.supervised)
    before = {name: process.pid for name, process in router.processes().items()}
    assert before == {
        each.name: each.pid for each in view(app).rows if each.pid and each.name != "init"
    }

    os.kill(before["rpd"], signal.SIGKILL)
    await until(
        pilot, app, lambda: row(app, "rpd").incarnation == 2 and row(app, "rpd").state == "up"
    )
    await until(pilot, app, lambda: row(app, "rpd").down_seconds is not None)
    assert ("signal:SIGKILL", 1) == (row(app, "rpd").cause, row(app, "rpd").restarts)

    app.board.query_one(ModuleTable).put_cursor("dcd")
    await pilot.press("i", "y")
    await until(
        pilot, app, lambda: row(app, "dcd").incarnation == 2 and row(app, "dcd").state == "up"
    )
    assert "requested:immediately" == row(app, "dcd").cause

    # A successor may be there before anybody looks: first it stands still.
    os.kill(before["jlaunchd"], signal.SIGSTOP)
    await until(pilot, app, lambda: not view(app).header.supervised)
    assert ("away", 8) == (row(app, "jlaunchd").state, view(app).header.up)
    with suppress(ProcessLookupError):  # init may have found out by itself
        os.kill(before["jlaunchd"], signal.SIGKILL)
    await until(
        pilot,
        app,
        lambda: view(app).header.supervised and (row(app, "jlaunchd").restarts or 0) >= 1,
    )
    await until(pilot, app, lambda: row(app, "jlaunchd").down_seconds is not None)
    assert {"jlaunchd", "rpd", "dcd"} == {
        each.name for each in app.model.events if each.event == "exit"
    }


def test_a_router_is_watched_and_commanded() -> None:
    with Router.boot() as router:

        async def run() -> None:
            app = TopApp(router.instance, interval=0.3)
            async with app.run_test(size=(100, 30)) as pilot:
                await watch_and_command(router, pilot, app)

        asyncio.run(run())


def read_until(fd: int, text: bytes) -> bytes:
    """What a terminal gets until `text` has come."""
    got, deadline = b"", time.monotonic() + SECONDS
    while text not in got:
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        assert ready, got[-500:]
        got += os.read(fd, 65536)
    return got


@pytest.mark.parametrize("signum", [signal.SIGKILL, signal.SIGTERM, None])
def test_the_end_of_the_screen_is_nobodys_loss(signum: signal.Signals | None) -> None:
    with Router.boot() as router:
        before = router.processes()
        screen, fd = show(router)
        try:
            read_until(fd, b"pfectl0")
            if signum is None:
                os.write(fd, b"q")
            else:
                screen.send_signal(signum)
            await_end(screen, fd)
        finally:
            screen.kill()
            screen.wait()
            os.close(fd)
        mark = router.mark()
        router.restart("rpd")
        router.wait_for(mark, "rpd", "ready")

        assert screen.returncode == (-signal.SIGKILL if signum is signal.SIGKILL else 0)
        after = router.processes()
        assert {"rpd"} == {name for name in before if before[name] != after.get(name)}
        assert all(processes.alive(process) for process in after.values())


def show(router: Router) -> tuple[subprocess.Popen[bytes], int]:
    """The screen as a process on a terminal of its own, and our end of that."""
    fd, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    home = str(router.instance.home.parent)
    screen = subprocess.Popen(
        [sys.executable, "-m", "jsupervisor.cli.main", "top", "--name", router.instance.name],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env={**os.environ, "JSUPERVISOR_HOME": home, "TERM": "xterm-256color"},
    )
    os.close(terminal)
    return screen, fd


def await_end(screen: subprocess.Popen[bytes], fd: int) -> None:
    """Whoever writes to a terminal waits until it is read."""
    deadline = time.monotonic() + SECONDS
    while screen.poll() is None:
        assert time.monotonic() < deadline
        if select.select([fd], [], [], 0.02)[0]:
            try:
                os.read(fd, 65536)
            except OSError:
                screen.wait(SECONDS)
