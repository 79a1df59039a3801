"""The harness for trio: `Router`, with every wait a checkpoint.

async with AsyncRouter.boot(profile="vmx") as router:
    mark = router.mark()
    await router.restart("rpd")
    await router.wait_for(mark, "rpd", "ready")
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Self

import trio

from jsupervisor.faults.injection import FaultReport
from jsupervisor.initproto import Json
from jsupervisor.jlaunchd.plan import Architecture, Plan
from jsupervisor.observer.events import EventRecord
from jsupervisor.observer.processes import ProcessId
from jsupervisor.observer.status import InstanceStatus
from jsupervisor.paths import Instance
from jsupervisor.testing.router import BOOT_SECONDS, CALL_SECONDS, Router
from jsupervisor.testing.sessions import Session


class AsyncRouter:
    """One running instance, for a trio program; `blocking` is the `Router` underneath."""

    def __init__(self, router: Router) -> None:
        self.blocking = router

    @classmethod
    @asynccontextmanager
    async def boot(
        cls,
        profile: str = "vmx",
        *,
        ports: Mapping[str, str] | None = None,
        config: str | None = None,
        architecture: Architecture = "modular",
        policy: str | None = None,
        plan: Plan | None = None,
        name: str | None = None,
        home: Path | None = None,
        wait: bool = True,
        timeout: float = BOOT_SECONDS,
    ) -> AsyncIterator[Self]:
        """As `Router.boot`."""
        manager = Router.boot(
            profile,
            ports=ports,
            config=config,
            architecture=architecture,
            policy=policy,
            plan=plan,
            name=name,
            home=home,
            wait=wait,
            timeout=timeout,
        )
        router = await trio.to_thread.run_sync(manager.__enter__)
        try:
            yield cls(router)
        finally:
            # Whatever ends the block, the instance must be gone before this returns.
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(manager.__exit__, None, None, None)

    @property
    def instance(self) -> Instance:
        """Its folders and sockets."""
        return self.blocking.instance

    async def status(self) -> InstanceStatus:
        """As `Router.status`."""
        return await trio.to_thread.run_sync(self.blocking.status)

    async def processes(self) -> dict[str, ProcessId]:
        """As `Router.processes`."""
        return await trio.to_thread.run_sync(self.blocking.processes)

    async def sessions(self) -> list[Session]:
        """As `Router.sessions`."""
        return await trio.to_thread.run_sync(self.blocking.sessions)

    def mark(self) -> int:
        """As `Router.mark`."""
        return self.blocking.mark()

    def events(self, since: int = 0) -> list[EventRecord]:
        """As `Router.events`."""
        return self.blocking.events(since)

    async def wait_for(self, mark: int, name: str | None, *events: str) -> EventRecord:
        """The first of `events` about `name` since `mark`.

        Without a deadline of its own: put trio.fail_after around it. Raises HarnessError's kin only
        when init is gone: TimeoutError.
        """
        watcher = self.blocking.watcher
        while True:
            watcher.pump()
            record = watcher.history.first(mark, name, *events)
            if record is not None or watcher.ended:
                await trio.lowlevel.checkpoint()
                return record or watcher.wait_for(mark, name, *events, timeout=0)
            await trio.lowlevel.wait_readable(watcher)

    async def wait_ready(self, timeout: float = BOOT_SECONDS) -> None:
        """As `Router.wait_ready`."""
        await trio.to_thread.run_sync(self.blocking.wait_ready, timeout)

    async def inject(self, kind: str, module: str, *, timeout: float = 15.0) -> FaultReport:
        """As `Router.inject`."""
        call = partial(self.blocking.inject, kind, module, timeout=timeout)
        return await trio.to_thread.run_sync(call)

    async def restart(self, module: str, how: str = "gracefully", *, timeout: float = 20.0) -> int:
        """As `Router.restart`."""
        call = partial(self.blocking.restart, module, how, timeout=timeout)
        return await trio.to_thread.run_sync(call)

    async def load_config(self, text: str) -> int:
        """As `Router.load_config`."""
        return await trio.to_thread.run_sync(self.blocking.load_config, text)

    async def show(self, module: str, what: str, **arguments: str) -> Json:
        """As `Router.show`."""
        call = partial(self.blocking.show, module, what, timeout=CALL_SECONDS, **arguments)
        return await trio.to_thread.run_sync(call)

    async def stop(self) -> None:
        """As `Router.stop`."""
        await trio.to_thread.run_sync(self.blocking.stop)
