"""The shell of mgd: texts in, the core, the disk, the feed `config` out.

Reading a text takes long when it is long, so that is done in a thread; the loop goes on answering.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import grpc
import trio

from jdaemons.mgd.alarms import DamageAlarm
from jdaemons.mgd.candidate import Problems, examine
from jdaemons.mgd.core import Core
from jdaemons.mgd.events import (
    Commit,
    Damaged,
    Event,
    Keep,
    LoadRequested,
    Publish,
    Refuse,
    Sound,
    Write,
    Written,
)
from jdaemons.mgd.services import ConfigurationServicer, write_problem
from jdaemons.mgd.show import Uptime, software_information, system_uptime_information
from jdaemons.mgd.store import Store, StoreError, show
from jprotos.mgd.v1 import mgd_pb2 as pb
from jprotos.mgd.v1 import mgd_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.runtime.clock import rfc3339
from jsupervisor.runtime.cores import directory_list
from jsupervisor.runtime.daemon import Daemon, Query
from jsupervisor.runtime.feed import Publisher
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import RpcError, Seam

_NOT_OF_A_NAME: Final = re.compile(r"[^\x21-\x7e]+")
"""A user's name is one word of the file's header."""


class MgdTag(StrEnum):
    """What mgd has to say, in Junos' tags where it has one."""

    UI_COMMIT_COMPLETED = "UI_COMMIT_COMPLETED"
    UI_LOAD_EVENT = "UI_LOAD_EVENT"
    MGD_CONFIG_DAMAGED = "MGD_CONFIG_DAMAGED"
    MGD_CONFIG_WRITE_FAILED = "MGD_CONFIG_WRITE_FAILED"


class Mgd(Daemon):
    """The management process."""

    def __init__(self, order: Order) -> None:
        super().__init__(order)
        self.core = Core()
        self.store = Store(Path(order.home) / "config")
        self.config = Publisher("config")
        self._loading = trio.Lock()
        self._started = trio.Event()
        self._alarm = DamageAlarm(order.name)
        self._started_ns = self.clock.monotonic_ns()

    def publishers(self) -> Sequence[Publisher]:
        """`config`."""
        return (self.config,)

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """Check, load and show."""
        servicer = ConfigurationServicer(seam, self)
        mgd_pb2_grpc.add_ConfigurationServicer_to_server(servicer, server)

    def operational(self) -> Mapping[str, Query]:
        """`software-information`, `system-uptime-information`, `configuration`, `directory-list`."""
        return {
            "software-information": lambda _: software_information(
                self.core.commit.candidate.host_name or self.order.instance, self.order.chassis
            ),
            "system-uptime-information": lambda _: self._uptime(),
            "directory-list": lambda _: directory_list(
                Path(self.order.home) / "crash", self.clock.time_ns() / 1e9
            ),
            "configuration": lambda _: {
                "configuration": {
                    "text": show(self.core.commit),
                    "revision": str(self.core.commit.revision),
                }
            },
        }

    async def run(self, nursery: trio.Nursery) -> None:
        """Begin to read what the disk holds: a big file takes seconds, and heartbeats do not wait."""
        nursery.start_soon(self._read)
        nursery.start_soon(self._alarm.run, self.client("alarmd"))

    async def settled(self) -> None:
        """The disk has been read."""
        await self._started.wait()

    async def reload(self) -> None:
        """Read the disk again: somebody may have edited the file."""
        await self._started.wait()
        await self._read()

    async def _read(self) -> None:
        async with self._loading:
            await self._handle(await trio.to_thread.run_sync(self.store.read))
        self._started.set()

    # -- calls --------------------------------------------------------------------------------

    async def check(self, request: pb.CheckRequest) -> pb.CheckReply:
        """Say what is wrong with a text."""
        examined = await trio.to_thread.run_sync(examine, request.text)
        problems = examined if isinstance(examined, tuple) else ()
        return pb.CheckReply(problems=[write_problem(problem) for problem in problems])

    async def load(self, request: pb.LoadRequest) -> pb.LoadReply:
        """Make a text the configuration, whole or not at all."""
        user = _NOT_OF_A_NAME.sub("-", request.user)[:64] or "root"
        await self._started.wait()
        async with self._loading:
            examined = await trio.to_thread.run_sync(examine, request.text)
            problems = await self._handle(LoadRequested(examined, user))
        if problems:
            count = len(problems)
            text = f"load by {user} refused: {count} {'problem' if count == 1 else 'problems'}"
            self.log.notice(MgdTag.UI_LOAD_EVENT, text)
        return pb.LoadReply(
            problems=[write_problem(problem) for problem in problems],
            revision=self.core.commit.revision,
        )

    async def show(self, request: pb.ShowRequest) -> pb.ShowReply:
        """The configuration in force."""
        await self._started.wait()
        commit = self.core.commit
        return pb.ShowReply(
            text=show(commit),
            revision=commit.revision,
            user=commit.user,
            time=rfc3339(commit.time) if commit.time else "",
        )

    # -- the core's commands ------------------------------------------------------------------

    async def _handle(self, event: Event) -> Problems:
        """Apply an event and carry out what follows; the problems, if it is refused."""
        refused: Problems = ()
        for command in self.core.handle(event, self.clock.utcnow()):
            match command:
                case Refuse(problems):
                    refused = problems
                case Write(commit, previous):
                    await self._write(commit, previous)
                case Keep(commit):
                    await trio.to_thread.run_sync(self.store.keep, commit)
                case Publish(items, removed):
                    for key, value in items.items():
                        self.config.set(key, value)
                    for key in removed:
                        self.config.remove(key)
                case Damaged():
                    await self._complain(command)
                case Sound():
                    self._alarm.set("")
        return refused

    async def _write(self, commit: Commit, previous: Commit) -> None:
        try:
            await trio.to_thread.run_sync(self.store.write, commit, previous)
        except StoreError as error:
            self.log.error(MgdTag.MGD_CONFIG_WRITE_FAILED, str(error))
            raise RpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error)) from error
        await self._handle(Written(commit))
        text = f"commit complete, revision {commit.revision} by {commit.user}"
        self.log.notice(MgdTag.UI_COMMIT_COMPLETED, text)

    async def _complain(self, damaged: Damaged) -> None:
        first = damaged.problems[0]
        place = f", line {first.place.line}" if first.place else ""
        text = f"cannot use {self.store.path}{place}: {first.message}; {damaged.instead}"
        self.log.error(MgdTag.MGD_CONFIG_DAMAGED, text)
        self._alarm.set(text)
        await trio.to_thread.run_sync(self.store.set_aside)

    def _uptime(self) -> Json:
        now, commit = self.clock.utcnow(), self.core.commit
        started_ns = self.order.options.get("started_ns")
        booted_ns = started_ns if isinstance(started_ns, int) else self._started_ns
        age_ns = self.clock.monotonic_ns() - booted_ns
        return system_uptime_information(
            Uptime(
                now=now,
                booted=now - timedelta(microseconds=age_ns / 1000),
                configured=commit.time,
                user=commit.user,
                load=os.getloadavg(),
            )
        )
