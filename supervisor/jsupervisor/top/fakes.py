"""For tests of the screen: looks and events as values, and a screen without an instance behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Final

from textual.notifications import SeverityLevel
from textual.pilot import Pilot

from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.status import InstanceStatus, ModuleStatus
from jsupervisor.paths import Instance
from jsupervisor.top.app import TopApp
from jsupervisor.top.feed import Feed
from jsupervisor.top.samples import Calls, Counts, Snapshot, Use

Tell = Callable[[], None]

SECOND: Final = 1_000_000_000
BOOT: Final = 100 * SECOND
"""When the instance of these tests was started."""


def module(name: str, pid: int | None, **changes: object) -> ModuleStatus:
    """What init says of a module."""
    bare = ModuleStatus(
        name=name,
        executable=name,
        pid=pid,
        incarnation=1,
        state="up" if pid else "down",
        socket=None,
        restarts=0,
        last_cause="",
        policy="junos",
    )
    return replace(bare, **changes)  # type: ignore[arg-type]


def status(*modules: ModuleStatus, jlaunchd: int | None = 11) -> InstanceStatus:
    """What init says of the instance."""
    return InstanceStatus(
        instance="r1",
        profile="vmx",
        architecture="modular",
        init_pid=10,
        jlaunchd=module("jlaunchd", jlaunchd, state="", policy=""),
        launcher=module("launcher", 12, state="", policy=""),
        modules=modules or (module("rpd", 13), module("dcd", 14)),
    )


def use(pid: int, cpu: float = 0.0, started: int = BOOT) -> Use:
    """What /proc says of a process."""
    return Use(pid=pid, cpu_seconds=cpu, resident_bytes=50 << 20, started_ns=started)


def uses(*, rpd: int | None = 13, cpu: float = 0.0) -> dict[str, Use]:
    """Of all processes of `status`."""
    found = {"init": 10, "jlaunchd": 11, "launcher": 12, "dcd": 14} | ({"rpd": rpd} if rpd else {})
    return {name: use(pid, cpu if name == "rpd" else 0.0) for name, pid in found.items()}


def counts(pid: int = 13, handled: int = 0, **changes: object) -> Counts:
    """What jlaunchd has counted of one."""
    calls = (Calls("/jprotos.rpd.v1.Routes/Load", "OK", handled, handled / 1e3),)
    return replace(Counts(pid=pid, incarnation=1, calls=calls), **changes)  # type: ignore[arg-type]


def snapshot(at: float = 10.0, **changes: object) -> Snapshot:
    """A look so many seconds after the boot, at which everybody answered."""
    at_ns = BOOT + int(at * SECOND)
    whole = Snapshot(
        at_ns=at_ns,
        status=status(),
        uses=uses(),
        counts={"rpd": counts(), "dcd": counts(14)},
        counts_ns=at_ns,
        policy="junos",
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def record(name: str, event: str, at: float = 5.0, **changes: object) -> EventRecord:
    """An event so many seconds after the boot."""
    bare = EventRecord(
        name=name,
        event=event,
        incarnation=1,
        cause="",
        monotonic_ns=BOOT + int(at * SECOND),
        time=f"2026-11-23T10:00:{at:09.6f}Z",
        downtime_ms=None,
        attempt=0,
        next="",
    )
    return replace(bare, **changes)  # type: ignore[arg-type]


class StillFeed(Feed):
    """Finds what the test puts into its inbox, and nothing by itself."""

    def start(self) -> None:
        """No thread."""

    def close(self, timeout: float = 0.0) -> None:
        """None to end."""
        self.link.close()


class NotingApp(TopApp):
    """Keeps its notices."""

    said: list[str]

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """As of App."""
        self.said.append(message)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)


class Stage:
    """A screen that a test plays on."""

    def __init__(self, app: NotingApp, pilot: Pilot[None], feed: StillFeed) -> None:
        self.app, self.pilot, self.feed = app, pilot, feed

    async def give(self, *items: Snapshot | EventRecord) -> None:
        """The feed has found these."""
        for item in items:
            self.feed.inbox.put(item)
        await self.pilot.pause()
        await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Keys, and what follows from them."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    @property
    def said(self) -> list[str]:
        """The notices so far."""
        return self.app.said

    def text(self) -> str:
        """What stands on the screen, line by line."""
        console = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip) for strip in console)


Script = Callable[[Stage], Awaitable[None]]


def play(
    script: Script, folder: Path, size: tuple[int, int] = (80, 24), assume_yes: bool = False
) -> None:
    """Run a script on a screen. Textual is asyncio's: the test itself is no coroutine."""

    async def whole() -> None:
        feeds: list[StillFeed] = []

        class Noted(StillFeed):
            def __init__(self, instance: Instance, interval: float, tell: Tell) -> None:
                super().__init__(instance, interval, tell)
                feeds.append(self)

        instance = Instance("r1", folder / "r1", folder / "run")
        app = NotingApp(instance, assume_yes=assume_yes, feed=Noted)
        app.said = []
        async with app.run_test(size=size) as pilot:
            await script(Stage(app, pilot, feeds[0]))

    asyncio.run(whole())
