"""The shell of mgd: texts in, the core, the disk, the feed `config` out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import grpc
import trio

from jdaemons.mgd.check import check
from jdaemons.mgd.core import Core
from jdaemons.mgd.events import Damaged, Event, LoadRequested, Publish, Refuse, Write, Written
from jdaemons.mgd.services import ConfigurationServicer, write_problem
from jdaemons.mgd.show import Uptime, software_information, system_uptime_information
from jdaemons.mgd.store import Store, StoreError
from jdaemons.mgd.syntax import Problem
from jprotos.alarmd.v1 import alarmd_pb2, alarmd_pb2_grpc
from jprotos.mgd.v1 import mgd_pb2 as pb
from jprotos.mgd.v1 import mgd_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.runtime.clock import rfc3339
from jsupervisor.runtime.daemon import Daemon, Query
from jsupervisor.runtime.feed import Publisher
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import RpcError, Seam

RETRY: Final = 1.0


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
        self._damage = ""
        self._damaged = trio.Event()

    def publishers(self) -> Sequence[Publisher]:
        """`config`."""
        return (self.config,)

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """Check, load and show."""
        servicer = ConfigurationServicer(seam, self)
        mgd_pb2_grpc.add_ConfigurationServicer_to_server(servicer, server)

    def operational(self) -> Mapping[str, Query]:
        """`software-information`, `system-uptime-information`, `configuration`."""
        return {
            "software-information": lambda _: software_information(
                self.core.host_name or self.order.instance, self.order.chassis
            ),
            "system-uptime-information": lambda _: self._uptime(),
            "configuration": lambda _: {
                "configuration": {
                    "text": self.core.commit.text,
                    "revision": str(self.core.commit.revision),
                }
            },
        }

    async def run(self, nursery: trio.Nursery) -> None:
        """Take what the disk holds; complain if it is damaged."""
        nursery.start_soon(self._keep_alarm)
        await self._handle(await trio.to_thread.run_sync(self.store.read))

    async def reload(self) -> None:
        """Read the disk again: somebody may have edited the file."""
        async with self._loading:
            await self._handle(await trio.to_thread.run_sync(self.store.read))

    # -- calls --------------------------------------------------------------------------------

    async def check(self, request: pb.CheckRequest) -> pb.CheckReply:
        """Say what is wrong with a text."""
        _, problems = check(request.text)
        return pb.CheckReply(problems=[write_problem(problem) for problem in problems])

    async def load(self, request: pb.LoadRequest) -> pb.LoadReply:
        """Make a text the configuration, whole or not at all."""
        async with self._loading:
            event = LoadRequested(request.text, request.user or "root")
            problems = await self._handle(event)
        if problems:
            count = len(problems)
            self.log.notice(MgdTag.UI_LOAD_EVENT, f"load refused: {count} problems in the text")
        return pb.LoadReply(
            problems=[write_problem(problem) for problem in problems],
            revision=self.core.commit.revision,
        )

    async def show(self, request: pb.ShowRequest) -> pb.ShowReply:
        """The configuration in force."""
        commit = self.core.commit
        return pb.ShowReply(
            text=commit.text, revision=commit.revision, user=commit.user, time=commit.time
        )

    # -- the core's commands ------------------------------------------------------------------

    async def _handle(self, event: Event) -> Sequence[Problem]:
        """Apply an event and carry out what follows; the problems, if it is refused."""
        for command in self.core.handle(event, rfc3339(self.clock.utcnow())):
            match command:
                case Refuse(problems):
                    return problems
                case Write(commit):
                    try:
                        await trio.to_thread.run_sync(self.store.write, commit)
                    except StoreError as error:
                        self.log.error(MgdTag.MGD_CONFIG_WRITE_FAILED, str(error))
                        raise RpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, str(error)) from error
                    await self._handle(Written(commit))
                    text = f"commit complete, revision {commit.revision} by {commit.user}"
                    self.log.notice(MgdTag.UI_COMMIT_COMPLETED, text)
                case Publish(items, removed):
                    for key, value in items.items():
                        self.config.set(key, value)
                    for key in removed:
                        self.config.remove(key)
                case Damaged():
                    self._complain(command)
        return ()

    def _complain(self, damaged: Damaged) -> None:
        first = damaged.problems[0]
        place = f", line {first.place.line}" if first.place else ""
        instead = "the previous one" if damaged.used_previous else "an empty one"
        self._damage = f"{self.store.path} is damaged{place}: {first.message}; using {instead}"
        self.log.error(MgdTag.MGD_CONFIG_DAMAGED, self._damage)
        self._damaged.set()

    async def _keep_alarm(self) -> None:
        """Tell alarmd of a damaged configuration, until it has heard."""
        await self._damaged.wait()
        client = self.client("alarmd")
        stub = alarmd_pb2_grpc.AlarmsStub(client.channel)
        alarm = alarmd_pb2.Alarm(
            source=self.order.name,
            alarm_class=alarmd_pb2.ALARM_CLASS_MINOR,
            description=self._damage,
            short_description="configuration damaged",
            type="Configuration",
        )
        while True:
            try:
                request = alarmd_pb2.RaiseRequest(alarm=alarm)
                await client.unary(stub.Raise, request, timeout=RETRY)
            except RpcError:
                await trio.sleep(RETRY)
            else:
                return

    def _uptime(self) -> Json:
        now, commit = self.clock.utcnow(), self.core.commit
        started_ns = self.order.options.get("started_ns")
        age_ns = self.clock.monotonic_ns() - started_ns if isinstance(started_ns, int) else 0
        return system_uptime_information(
            Uptime(
                now=now,
                booted=now - timedelta(microseconds=age_ns / 1000),
                configured=datetime.fromisoformat(commit.time) if commit.time else None,
                user=commit.user,
                load=os.getloadavg(),
            )
        )
