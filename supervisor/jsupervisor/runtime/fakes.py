"""For tests of daemons: run one over real sockets and real gRPC, without a supervisor.

    async with run_daemon(Rpd(make_order(run_dir, "rpd"))) as rpd:
        await rpd.ready.wait()
        reply = await rpd.client("operator").unary(...)

Several daemons with the same `run_dir` find each other as they do in an instance. `short_run_dir` gives
a folder whose path is short enough for sockets, which pytest's is not.
"""

from __future__ import annotations

import os
import socket
import tempfile
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, Generic, TypeVar

import trio

from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.paths import RPC, make_module_folder, socket_path
from jsupervisor.runtime.authority import Authority
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.host import Host
from jsupervisor.runtime.identity import Identity, identity_key, seal
from jsupervisor.runtime.initlink import Descriptors, InitLink
from jsupervisor.runtime.names import executable_of
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Record
from jsupervisor.runtime.rpc import Client

INSTANCE: Final = "test"
D = TypeVar("D", bound=Daemon)


@contextmanager
def short_run_dir() -> Generator[Path, None, None]:
    """A private folder with a short path, removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="jsup-", dir="/tmp") as folder:
        yield Path(folder)


def make_order(run_dir: Path, name: str, **changes: object) -> Order:
    """An order for a module called `name`, with its folder; `changes` are fields of Order."""
    if run_dir.is_dir():
        make_module_folder(run_dir, name)
    order = Order(
        instance=INSTANCE,
        name=name,
        executable=executable_of(name),
        incarnation=1,
        entry="",
        run_dir=str(run_dir),
        home=str(run_dir),
    )
    return replace(order, **changes)  # type: ignore[arg-type]


def make_identity(run_dir: Path, name: str) -> Identity:
    """Who `name` is among all that use this folder: its authority is made with the first of them."""
    kept = run_dir / "authority"
    if not kept.exists():
        made = run_dir / f"authority.{os.getpid()}.{threading.get_ident()}"
        made.write_bytes(Authority.make(INSTANCE).to_bytes())
        with suppress(FileExistsError):
            os.link(made, kept)
        made.unlink()
    return Authority.from_bytes(kept.read_bytes()).sign(name)


def client_to(run_dir: Path, module: str, caller: str = "operator") -> Client:
    """A channel of `caller` to the RPC socket of a module that uses the same folder."""
    path = socket_path(run_dir, module, RPC)
    return Client.to(path, make_identity(run_dir, caller), module)


class FakeInit:
    """init's end of one module's connection: notes reports, keeps descriptors, pushes what it is told."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.connection = Connection(theirs)
        """The module's end."""
        self.reports: list[Message] = []
        self.descriptors: dict[str, int] = {}
        self._ours = Connection(ours)

    @property
    def stages(self) -> list[str]:
        """The stages reported, in order."""
        return [str(report["stage"]) for report in self.reports]

    def know(self, identity: Identity) -> None:
        """Keep an identity, as jlaunchd has init do before the module is started."""
        key = identity_key(identity.name)
        self.descriptors[key] = seal(key, identity.to_bytes())

    def push(self, message: dict[str, Json]) -> None:
        """Send what nobody asked for: {"op": "stop"}, {"op": "fault", "kind": ...}."""
        self._ours.send(message)

    async def serve(self) -> None:
        """Answer until the module is gone."""
        while True:
            await trio.lowlevel.wait_readable(self._ours.fileno())
            if not self.answer_one():
                return

    def answer_one(self) -> bool:
        """Take one message, waiting for it, and answer; False when the module is gone."""
        received = self._ours.receive()
        if received is None:
            return False
        message, fds = received
        key = str(message.get("key"))
        match message.get("op"):
            case "report":
                self.reports.append(message)
            case "put" if key not in self.descriptors:
                self.descriptors[key] = fds[0]
                self._ours.send({"op": "done"})
            case "get" if key in self.descriptors:
                self._ours.send({"op": "done", "key": key}, [self.descriptors[key]])
            case "drop" if key in self.descriptors:
                os.close(self.descriptors.pop(key))
                self._ours.send({"op": "done"})
            case op:
                for fd in fds:
                    os.close(fd)
                why = f"{key} exists" if op == "put" else f"there is no {key}"
                self._ours.send({"op": "refused", "why": why})
        return True

    def close(self) -> None:
        """Close both ends and every descriptor kept."""
        self._ours.close()
        self.connection.close()
        while self.descriptors:
            os.close(self.descriptors.popitem()[1])


class RunningDaemon(Generic[D]):
    """A daemon that runs, and what a test wants of it."""

    def __init__(self, daemon: D, init: FakeInit, host: Host, records: list[Record]) -> None:
        self.daemon = daemon
        self.init = init
        self.host = host
        self.records = records
        """What it logged."""
        self.ready = host.ready
        """Set when it has reported ready."""
        self.ended = trio.Event()
        """Set when its run has returned."""
        self._clients: list[Client] = []

    def client(self, caller: str = "operator") -> Client:
        """A channel to its RPC socket; closed at the end."""
        order = self.daemon.order
        client = client_to(Path(order.run_dir), order.name, caller)
        self._clients.append(client)
        return client

    async def run(self) -> None:
        """To its end."""
        await self.host.run()
        self.ended.set()

    def stop(self) -> None:
        """Ask for an orderly end."""
        self.host.stop()

    async def aclose(self) -> None:
        """Close the test's channels."""
        for client in self._clients:
            await client.aclose()


@asynccontextmanager
async def run_daemon(
    daemon: D, init: FakeInit | None = None, *, ship_log: bool = False
) -> AsyncGenerator[RunningDaemon[D], None]:
    """Run the daemon while the block runs, then stop it in an orderly way.

    What the daemon raises comes out of the block. Give the same `init` to a successor to let it find
    the descriptors of its predecessor. The log is kept in `records`, or with `ship_log` sent to eventd.
    """
    kept = init or FakeInit()
    link = InitLink(kept.connection, on_fault=_no_fault, on_stop=lambda: host.stop())
    records: list[Record] = []
    sink = None if ship_log else records.append
    identity = make_identity(Path(daemon.order.run_dir), daemon.order.name)
    host = Host(daemon, Descriptors(link), link.report, identity, sink)
    running = RunningDaemon(daemon, kept, host, records)
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(kept.serve)
            nursery.start_soon(link.serve)
            async with trio.open_nursery() as life:
                life.start_soon(running.run)
                try:
                    yield running
                finally:
                    await running.aclose()
                host.stop()
            nursery.cancel_scope.cancel()
    finally:
        if init is None:
            kept.close()


def _no_fault(kind: str) -> None:
    raise AssertionError(f"cannot inject {kind} into a test")
