"""What operators ask of the supervisor: each method answers one RPC, or raises RpcError."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Final, Protocol

import grpc
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.api import event_message, module_message
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.journal import read_history
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.watchers import Records, Watchers
from jsupervisor.runtime.rpc import RpcError

RESTART_TIMEOUT: Final = 60.0

HOWS: Final = {
    pb.HOW_UNSPECIFIED: m.How.GRACEFULLY,
    pb.HOW_GRACEFULLY: m.How.GRACEFULLY,
    pb.HOW_IMMEDIATELY: m.How.IMMEDIATELY,
    pb.HOW_SOFT: m.How.SOFT,
}


class Shell(Protocol):
    """The supervisor's shell, as far as an operator reaches it."""

    @property
    def core(self) -> Supervisor:
        """What is known of every module."""

    @property
    def watchers(self) -> Watchers:
        """Who hears of events."""

    @property
    def published(self) -> Mapping[str, Message]:
        """What `status` says of each module."""

    def handle(self, event: m.Event) -> None:
        """Apply an event, and carry out what follows."""


class Operations:
    """The operator's service, without gRPC's threads."""

    def __init__(self, shell: Shell, journal: Path) -> None:
        self._shell = shell
        self._journal = journal

    async def list_modules(self, request: pb.ListRequest) -> pb.ListReply:
        """All modules, in the profile's order."""
        return pb.ListReply(modules=[module_message(p) for p in self._shell.published.values()])

    async def watch(self, request: pb.WatchRequest) -> AsyncIterator[pb.Event]:
        """Event records; a watcher that is too slow is cut."""
        with self._shell.watchers.watching() as records:
            if request.history:
                for record in read_history(self._journal):
                    yield event_message(record)
            async for record in records:
                yield event_message(record)

    async def restart(self, request: pb.RestartRequest) -> pb.RestartReply:
        """Replace a module and wait until its successor is ready, or say why it is not."""
        module, how = self._module(request.name), HOWS[request.how]
        if how is m.How.SOFT and not module.pid:
            raise RpcError(
                grpc.StatusCode.FAILED_PRECONDITION, f"cannot restart {module.name}: not running"
            )
        with self._shell.watchers.watching() as records:
            before = module.incarnation
            self._shell.handle(m.RestartRequested(module.name, how))
            if how is not m.How.SOFT:
                await _await_successor(module.name, before, records)
        return pb.RestartReply(pid=module.pid, incarnation=module.incarnation)

    async def start_module(self, request: pb.StartRequest) -> pb.StartReply:
        """Want a module up."""
        self._shell.handle(m.StartRequested(self._module(request.name).name))
        return pb.StartReply()

    async def stop_module(self, request: pb.StopRequest) -> pb.StopReply:
        """Want a module down."""
        self._shell.handle(m.StopRequested(self._module(request.name).name))
        return pb.StopReply()

    def _module(self, name: str) -> Module:
        modules = self._shell.core.modules
        if name not in modules:
            raise RpcError(
                grpc.StatusCode.NOT_FOUND,
                f"cannot find module {name!r}: there are {', '.join(modules)}",
            )
        return modules[name]


async def _await_successor(name: str, before: int, records: Records) -> None:
    with trio.move_on_after(RESTART_TIMEOUT):
        async for record in records:
            incarnation = record["incarnation"]
            if record["name"] != name or not isinstance(incarnation, int) or incarnation <= before:
                continue
            if record["event"] == "ready":
                return
            if record["event"] == "thrash":
                break
    raise RpcError(
        grpc.StatusCode.UNAVAILABLE, f"cannot restart {name}: its successor did not become ready"
    )
