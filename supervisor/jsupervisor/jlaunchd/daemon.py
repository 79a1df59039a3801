"""The trio shell of the supervisor: carries out what the core commands.

                 ┌── init        (1)  notices in; reservations, signals, records out
core (pure) ── shell ── modules     (n)  heartbeats
                 ├── disk        (1)  journal, written through before init may forget
                 ├── alarmd      (1)  alarms
                 └── operators   (n)  gRPC
"""

from __future__ import annotations

import math
import os
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import grpc
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jprotos.jlaunchd.v1 import jlaunchd_pb2_grpc
from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd import heartbeat
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.alarms import Alarms
from jsupervisor.jlaunchd.api import SupervisorServicer, event_message, module_message
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.initlink import InitLink
from jsupervisor.jlaunchd.journal import Journal, read_history
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.planfile import OrderPlace, make_order
from jsupervisor.runtime import injected
from jsupervisor.runtime.clock import rfc3339
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.names import daemon_name
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.rpc import Client, RpcError, Seam

RESTART_TIMEOUT: Final = 60.0
WATCH_BUFFER: Final = 10_000

HOWS: Final = {
    pb.HOW_UNSPECIFIED: m.How.GRACEFULLY,
    pb.HOW_GRACEFULLY: m.How.GRACEFULLY,
    pb.HOW_IMMEDIATELY: m.How.IMMEDIATELY,
    pb.HOW_SOFT: m.How.SOFT,
}


@dataclass(slots=True)
class Entry:
    """What goes to disk together: records, and the notice that may be acknowledged after."""

    records: list[Message]
    notice: int = 0


class StartRefused(Exception):
    """init knows better than we do what runs; ends this supervisor, and the next one adopts."""


class Jlaunchd(Daemon):
    """The supervisor's process."""

    def __init__(self, order: Order, plan: Plan, link: InitLink) -> None:
        super().__init__(order)
        self.plan = plan
        self.link = link
        self.core = Supervisor(plan, random.random)
        self.journal = Journal(Path(order.home) / "journal.jsonl")
        self.alarms = Alarms()
        self.adopted = trio.Event()
        self._place = OrderPlace(order.instance, order.home, order.run_dir, 0)
        self._heartbeats: dict[str, trio.CancelScope] = {}
        self._watchers: set[trio.MemorySendChannel[Message]] = set()
        self._entries, self._to_write = trio.open_memory_channel[Entry](math.inf)
        self._published: dict[str, Message] = {}
        self._timer = trio.CancelScope()
        self._nursery: trio.Nursery

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """The operator's service."""
        servicer = SupervisorServicer(seam, self)
        jlaunchd_pb2_grpc.add_SupervisorServicer_to_server(servicer, server)

    async def run(self, nursery: trio.Nursery) -> None:
        """Say hello, adopt what is there, then start what is missing."""
        self._nursery = nursery
        nursery.start_soon(self.link.run)
        nursery.start_soon(self._hear)
        nursery.start_soon(self._keep_journal)
        nursery.start_soon(self._keep_time)
        for program in self.plan.programs:
            if program.executable == "alarmd":
                nursery.start_soon(self.alarms.run, self.client(program.name))
        self.link.send({"op": "hello", "role": "jlaunchd"})
        await self.adopted.wait()

    # -- init ---------------------------------------------------------------------------------

    async def _hear(self) -> None:
        async for message in self.link.messages():
            match message["op"]:
                case "ping":
                    self.link.send({"op": "pong", "number": message["number"]})
                case "process":
                    self._adopt(message)
                case "welcome":
                    self._welcome(message)
                case "claimed" | "report":
                    self._progress(message)
                case "exit" | "expired" | "event":
                    self._notice(message)
                case "stop":
                    self._handle(m.StopAll())
                case "refused":
                    self._refused(message)
                case "fault":
                    injected.carry_out(str(message["kind"]))
                case _:
                    pass
        raise SystemExit(1)  # init is gone, and so is everything

    def _refused(self, message: Message) -> None:
        """A start that init refuses shows that the two disagree: a new supervisor learns the truth."""
        self.log.error("JLAUNCHD_REFUSED", f"init refused: {message['why']}")
        if message.get("of") == "start" and not self.core.stopping:
            raise StartRefused(str(message["why"]))

    def _adopt(self, message: Message) -> None:
        process, record = _object(message["process"]), message["record"]
        name = str(process["name"])
        self.link.send({"op": "adopting", "name": name})
        if name not in self.core.modules:
            self.log.warning("JLAUNCHD_UNKNOWN", f"{name} is not in the plan: left alone")
            return
        reached = _object(process["reached"])
        self._handle(
            m.Adopt(
                name=name,
                incarnation=_int(process["incarnation"]),
                phase=str(process["phase"]),
                pid=_int(process["pid"]),
                ready="ready" in reached,
                record=record if isinstance(record, dict) else None,
                aside=bool(message["aside"]),
                ready_at=_int(reached["ready"]) / 1e9 if "ready" in reached else None,
            )
        )
        if process["phase"] == "running" and "serving" in reached:
            self._watch_heartbeat(self.core.modules[name])

    def _welcome(self, message: Message) -> None:
        started_ns = _int(message["started_ns"])
        self._place = OrderPlace(
            self.order.instance, self.order.home, self.order.run_dir, started_ns
        )
        self._handle(m.StartAll())
        for module in self.core.modules.values():
            self._publish(module)
        self.link.send({"op": "adopted"})
        self.adopted.set()

    def _progress(self, message: Message) -> None:
        process = _object(message["process"])
        name, incarnation = str(process["name"]), _int(process["incarnation"])
        module = self.core.modules.get(name)
        if module is None:
            return
        if message["op"] == "claimed":
            self._handle(m.Claimed(name, incarnation, _int(process["pid"])))
            return
        stage = str(message["stage"])
        at = _int(_object(process["reached"])[stage]) / 1e9
        self._handle(m.Reported(name, incarnation, stage, at))
        if stage == "serving" and incarnation == module.incarnation:
            self._watch_heartbeat(module)

    def _notice(self, message: Message) -> None:
        number = _int(message["id"])
        if message["op"] == "event":
            record = _object(message["record"])
            self._tell_watchers(record)
            self._entries.send_nowait(Entry([record], number))
            return
        name, incarnation = str(message["name"]), _int(message["incarnation"])
        if message["op"] == "exit":
            self._handle(
                m.Exited(
                    name=name,
                    incarnation=incarnation,
                    pid=_int(message["pid"]),
                    cause=str(message["cause"]),
                    at=_int(message["monotonic_ns"]) / 1e9,
                    notice=number,
                ),
                number,
            )
        else:
            self._handle(m.Expired(name, incarnation, number), number)

    # -- commands -----------------------------------------------------------------------------

    def _handle(self, event: m.Event, notice: int = 0) -> None:
        """Apply an event to the core and carry out what follows."""
        now = m.Instant(self.clock.monotonic(), rfc3339(self.clock.utcnow()))
        entry = Entry([], notice)
        commands = self.core.handle(event, now)
        for module in self.core.modules.values():
            self._publish(module)  # first: who hears of an event may ask for the status at once
        for command in commands:
            self._carry_out(command, entry)
        if entry.records or notice:
            self._entries.send_nowait(entry)
        self._timer.cancel()

    def _carry_out(self, command: m.Command, entry: Entry) -> None:
        match command:
            case m.Launch():
                self._launch(command)
            case m.SendSignal():
                self.link.send(
                    {
                        "op": "signal",
                        "name": command.name,
                        "incarnation": command.incarnation,
                        "signal": command.signal,
                        "ordered": command.ordered,
                    }
                )
            case m.SaveRecord():
                self.link.send({"op": "record", "name": command.name, "record": command.record})
            case m.Emit():
                record = self._record(command)
                entry.records.append(record)
                self.link.send({"op": "event", "record": record})
                self._tell_watchers(record)
                self._follow(command)
            case m.LogLine():
                getattr(self.log, command.severity)(command.tag, command.text)
            case m.RaiseAlarm():
                self.alarms.raise_alarm(command.name, command.text)
            case m.ClearAlarm():
                self.alarms.clear(command.name)
            case m.AllStopped():
                self._nursery.start_soon(self._finish)

    def _launch(self, command: m.Launch) -> None:
        program = self.plan.program(command.name)
        order = make_order(self.plan, program, command.incarnation, self._place)
        self.link.send(
            {
                "op": "start",
                "name": command.name,
                "incarnation": command.incarnation,
                "stage": program.stage,
                "order": {**order.to_json(), "stage": program.stage, "launch": program.launch},
                "record": command.record,
            }
        )

    def _follow(self, event: m.Emit) -> None:
        """What an event means for the shell itself."""
        if event.event in ("exit", "hang"):
            scope = self._heartbeats.pop(event.name, None)
            if scope is not None:
                scope.cancel()
        if event.event == "ready" and self.plan.program(event.name).executable == "alarmd":
            self.alarms.forget_told()

    def _record(self, command: m.Emit) -> Message:
        return {
            "name": command.name,
            "event": command.event,
            "incarnation": command.incarnation,
            "cause": command.cause,
            "monotonic_ns": int(command.at * 1e9),
            "time": rfc3339(self.clock.utcnow()),
            "downtime_ms": None if command.downtime_ms is None else round(command.downtime_ms, 3),
            "attempt": command.attempt,
            "next": command.next,
        }

    def _publish(self, module: Module) -> None:
        """Tell init what `status` says of a module, when it changed."""
        names = daemon_name(module.program.executable)
        program = module.program
        published: Message = {
            "name": program.name,
            "executable": program.executable,
            "cli_name": names.cli_name,
            "display_name": names.display_name,
            "pid": module.pid or None,
            "incarnation": module.incarnation,
            "state": module.state.shown,
            "socket": self._plain_socket(module),
            "ready_at": module.ready_at or None,
            "restarts": module.restarts,
            "last_cause": module.last_cause or None,
        }
        if self._published.get(program.name) != published:
            self._published[program.name] = published
            self.link.send({"op": "publish", "modules": [published]})

    def _plain_socket(self, module: Module) -> str | None:
        name = self._speaker(module)
        return None if name is None else f"{self.order.run_dir}/{name}.sock"

    def _speaker(self, module: Module) -> str | None:
        """Whose gRPC sockets speak for the module: its own, a part's, or nobody's (an engine)."""
        if module.program.entry == "monolith":
            return next(part.name for part in self.plan.parts if part.stage == "full")
        return module.name if module.program.stage == "full" else None

    async def _finish(self) -> None:
        await trio.lowlevel.checkpoint()
        self.link.send({"op": "finished"})

    # -- heartbeats ---------------------------------------------------------------------------

    def _watch_heartbeat(self, module: Module) -> None:
        if module.program.heartbeat is None:
            return
        scope = trio.CancelScope()
        older = self._heartbeats.get(module.name)
        if older is not None:
            older.cancel()
        self._heartbeats[module.name] = scope
        self._nursery.start_soon(self._heartbeat, module, module.incarnation, scope)

    async def _heartbeat(self, module: Module, incarnation: int, scope: trio.CancelScope) -> None:
        beat = module.program.heartbeat
        assert beat is not None
        speaker = self._speaker(module)
        with scope:
            if speaker is None:
                fd = await self.descriptors.get(f"{module.name}/heartbeat")
                if fd is None:
                    self.log.error(
                        "JLAUNCHD_NO_HEARTBEAT", f"{module.name} keeps no heartbeat word"
                    )
                    return
                try:
                    ask = heartbeat.ask_by_word(fd, beat.interval, self.clock.monotonic_ns)
                    await heartbeat.watch(beat, ask)
                finally:
                    os.close(fd)
            else:
                path = f"{self.order.run_dir}/{speaker}.{incarnation}.rpc.sock"
                client = Client(path, caller="jlaunchd")
                try:
                    await heartbeat.watch(beat, heartbeat.ask_by_rpc(client, beat.interval))
                finally:
                    with trio.CancelScope(shield=True):
                        await client.aclose()
            self._handle(m.HeartbeatLost(module.name, incarnation))

    # -- time and disk ------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            deadline = self.core.deadline
            with trio.CancelScope() as self._timer:
                if deadline is None:
                    await trio.sleep_forever()
                await trio.sleep(max(0.0, deadline - self.clock.monotonic()))
            if deadline is not None and self.clock.monotonic() >= deadline:
                self._handle(m.DeadlineReached())

    async def _keep_journal(self) -> None:
        while True:
            entries = [await self._to_write.receive()]
            try:
                while True:
                    entries.append(self._to_write.receive_nowait())
            except trio.WouldBlock:
                pass
            records = [record for entry in entries for record in entry.records]
            before = self.journal.error
            written = await trio.to_thread.run_sync(self.journal.append, records)
            if not written and self.journal.error != before:
                self.log.error("JLAUNCHD_JOURNAL", self.journal.error)
            notice = max(entry.notice for entry in entries)
            if notice:
                self.link.send({"op": "ack", "id": notice})

    # -- operators ----------------------------------------------------------------------------

    def _tell_watchers(self, record: Message) -> None:
        for watcher in list(self._watchers):
            try:
                watcher.send_nowait(record)
            except (trio.WouldBlock, trio.BrokenResourceError):
                self._watchers.discard(watcher)
                watcher.close()

    async def list_modules(self, request: pb.ListRequest) -> pb.ListReply:
        """All modules, in the profile's order."""
        return pb.ListReply(modules=[module_message(p) for p in self._published.values()])

    async def watch(self, request: pb.WatchRequest) -> AsyncIterator[pb.Event]:
        """Event records; a watcher that is too slow is cut."""
        send, receive = trio.open_memory_channel[Message](WATCH_BUFFER)
        self._watchers.add(send)
        try:
            if request.history:
                for record in read_history(Path(self.order.home) / "journal.jsonl"):
                    yield event_message(record)
            async for record in receive:
                yield event_message(record)
        finally:
            self._watchers.discard(send)
            send.close()

    async def restart(self, request: pb.RestartRequest) -> pb.RestartReply:
        """Replace a module and wait until its successor is ready, or say why it is not."""
        module, how = self._module(request.name), HOWS[request.how]
        if how is m.How.SOFT and not module.pid:
            raise RpcError(
                grpc.StatusCode.FAILED_PRECONDITION, f"cannot restart {module.name}: not running"
            )
        send, receive = trio.open_memory_channel[Message](WATCH_BUFFER)
        self._watchers.add(send)
        try:
            before = module.incarnation
            self._handle(m.RestartRequested(module.name, how))
            if how is not m.How.SOFT:
                await self._await_successor(module.name, before, receive)
        finally:
            self._watchers.discard(send)
            send.close()
        return pb.RestartReply(pid=module.pid, incarnation=module.incarnation)

    async def _await_successor(
        self, name: str, before: int, events: trio.MemoryReceiveChannel[Message]
    ) -> None:
        with trio.move_on_after(RESTART_TIMEOUT):
            async for record in events:
                if record["name"] != name or _int(record["incarnation"]) <= before:
                    continue
                if record["event"] == "ready":
                    return
                if record["event"] == "thrash":
                    break
        raise RpcError(
            grpc.StatusCode.UNAVAILABLE,
            f"cannot restart {name}: its successor did not become ready",
        )

    async def start_module(self, request: pb.StartRequest) -> pb.StartReply:
        """Want a module up."""
        self._handle(m.StartRequested(self._module(request.name).name))
        return pb.StartReply()

    async def stop_module(self, request: pb.StopRequest) -> pb.StopReply:
        """Want a module down."""
        self._handle(m.StopRequested(self._module(request.name).name))
        return pb.StopReply()

    def _module(self, name: str) -> Module:
        module = self.core.modules.get(name)
        if module is None:
            known = ", ".join(self.core.modules)
            raise RpcError(
                grpc.StatusCode.NOT_FOUND, f"cannot find module {name!r}: there are {known}"
            )
        return module


def _object(value: Json) -> Message:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0
