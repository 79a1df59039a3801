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
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import grpc
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2_grpc
from jsupervisor import phases
from jsupervisor.initproto import Json, Message
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.alarms import Alarms
from jsupervisor.jlaunchd.api import SupervisorServicer
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.coroner import Coroner
from jsupervisor.jlaunchd.hearts import Hearts, Kept
from jsupervisor.jlaunchd.identity import Issuer, speakers
from jsupervisor.jlaunchd.initlink import InitLink
from jsupervisor.jlaunchd.journal import Journal
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.operations import Operations
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.planfile import (
    PLAN,
    OrderPlace,
    plan_mark,
    start_order,
    write_plan,
)
from jsupervisor.jlaunchd.postmortem import Death, Postmortem
from jsupervisor.jlaunchd.publisher import Publisher, speaker
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.jlaunchd.sparing import Sparing
from jsupervisor.jlaunchd.telemetry import Telemetry
from jsupervisor.jlaunchd.watchers import Watchers
from jsupervisor.runtime import injected
from jsupervisor.runtime.clock import rfc3339
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.order import Order
from jsupervisor.runtime.record import Sink
from jsupervisor.runtime.rpc import Client, Seam

HOOK_TIMEOUT: Final = 30.0


@dataclass(slots=True)
class Entry:
    """What goes to disk together: records, and the notice that may be acknowledged after."""

    records: list[Message]
    notice: int = 0
    deaths: tuple[Death, ...] = ()


class StartRefused(Exception):
    """init knows better than we do what runs; ends this supervisor, and the next one adopts."""


class Jlaunchd(Daemon):
    """The supervisor's process."""

    dozes = True

    def __init__(self, order: Order, plan: Plan, link: InitLink, issuer: Issuer) -> None:
        super().__init__(order)
        self.plan = plan
        self.link = link
        self._issuer = issuer
        self.core = Supervisor(plan, random.random)
        self.journal = Journal(Path(order.home) / "journal.jsonl", files=plan.log.files)
        self.alarms = Alarms()
        self.adopted = trio.Event()
        self._place = OrderPlace(order.instance, order.home, order.run_dir, 0)
        self.watchers = Watchers()
        self._publisher = Publisher(self.core, order.run_dir, link.send)
        self.published = self._publisher.published
        self._hearts = Hearts(self._connect, self.log, self._lost)
        self.telemetry = Telemetry(self, self._hearts.stats)
        postmortem = Postmortem(Path(order.home), self.clock)
        self._coroner = Coroner(postmortem, self.log, self._acknowledge)
        self._sparing = Sparing(link.send, self._request)
        self._entries, self._to_write = trio.open_memory_channel[Entry](math.inf)
        self._timer = trio.CancelScope()
        self._changing = trio.Lock()
        self._mark = plan_mark(Path(order.home) / PLAN)
        self._nursery: trio.Nursery

    def services(self, seam: Seam, server: grpc.Server) -> None:
        """The operator's service."""
        operations = Operations(self, Path(self.order.home) / "journal.jsonl")
        servicer = SupervisorServicer(seam, operations)
        jlaunchd_pb2_grpc.add_SupervisorServicer_to_server(servicer, server)

    def log_sink(self) -> Sink | None:
        """Where there is no eventd, the log is jlaunchd's stderr."""
        programs = (*self.plan.programs, *self.plan.parts)
        if any(program.executable == "eventd" for program in programs):
            return None
        return lambda record: print(record.to_line(), file=sys.stderr, flush=True)

    async def run(self, nursery: trio.Nursery) -> None:
        """Say hello, adopt what is there, then start what is missing."""
        self._nursery = nursery
        self._hearts.start(nursery, self.descriptors)
        nursery.start_soon(self.link.run)
        nursery.start_soon(self._hear)
        nursery.start_soon(self._keep_journal)
        nursery.start_soon(self._coroner.run)
        nursery.start_soon(self._keep_time)
        nursery.start_soon(self.telemetry.run)
        for program in self.plan.programs:
            if program.executable == "alarmd":
                nursery.start_soon(self.alarms.run, self.client(program.name))
        self.link.send({"op": "hello", "role": "jlaunchd"})
        await self.adopted.wait()
        nursery.start_soon(self._sparing.run, self.core.modules.values)

    # -- init ---------------------------------------------------------------------------------

    async def _hear(self) -> None:
        async for message in self.link.messages():
            match message["op"]:
                case "ping":
                    self.link.send({"op": "pong", "number": message["number"]})
                case "process":
                    self._adopt(message)
                case "boot":
                    self._place = replace(self._place, started_ns=_int(message["started_ns"]))
                case "welcome":
                    self._welcome()
                case "claimed" | "report":
                    self._progress(message)
                case "exit" | "expired" | "event":
                    self._notice(message)
                case "spare":
                    self._sparing.note(message)
                case "stop":
                    self.handle(m.StopAll())
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
        if name in self.core.modules:
            for speaker in speakers(self.plan, self.plan.program(name)):
                self._issuer.note(speaker)
        reached = _object(process["reached"])
        self.handle(
            m.Adopt(
                name=name,
                incarnation=_int(process["incarnation"]),
                phase=str(process["phase"]),
                pid=_int(process["pid"]),
                ready="ready" in reached,
                record=record if isinstance(record, dict) else None,
                aside=bool(message["aside"]),
                ready_at=_int(reached["ready"]) / 1e9 if "ready" in reached else None,
                standing=self._standing(message, name, _int(process["incarnation"])),
            )
        )
        if process["phase"] == "running" and _watched_from(self.core.modules[name]) in reached:
            self._watch_heartbeat(self.core.modules[name])

    def _standing(self, message: Message, name: str, incarnation: int) -> int:
        """The incarnation that a standing order is for; one that another plan made is taken back."""
        standing = message.get("standing")
        if not isinstance(standing, dict):
            return 0
        if standing["mark"] == self._mark:
            return _int(standing["incarnation"])
        known = message["record"]
        self.link.send({"op": "record", "name": name, "incarnation": incarnation, "record": known})
        return 0

    def _welcome(self) -> None:
        self.handle(m.StartAll())
        self._publisher.everything(self.plan, self.clock.monotonic())
        self.link.send({"op": "adopted"})
        self.adopted.set()

    def _progress(self, message: Message) -> None:
        process = _object(message["process"])
        name, incarnation = str(process["name"]), _int(process["incarnation"])
        module = self.core.modules.get(name)
        if module is None:
            return
        if message["op"] == "claimed":
            self._sparing.claimed(name, incarnation)
            self.handle(m.Claimed(name, incarnation, _int(process["pid"])))
            return
        stage = str(message["stage"])
        at = _int(_object(process["reached"])[stage]) / 1e9
        self.handle(m.Reported(name, incarnation, stage, at))
        if stage == _watched_from(module) and incarnation == module.incarnation:
            self._watch_heartbeat(module)

    def _notice(self, message: Message) -> None:
        number = _int(message["id"])
        if message["op"] == "event":
            record = _object(message["record"])
            new = self.telemetry.ledger.enter(record)
            self.watchers.tell(record)
            deaths = (Death.of_record(record),) if record["event"] == "exit" else ()
            self._entries.send_nowait(Entry([record] if new else [], number, deaths))
            return
        name, incarnation = str(message["name"]), _int(message["incarnation"])
        if message["op"] == "exit":
            self.handle(
                m.Exited(
                    name=name,
                    incarnation=incarnation,
                    pid=_int(message["pid"]),
                    cause=str(message["cause"]),
                    at=_int(message["monotonic_ns"]) / 1e9,
                    notice=number,
                    successor=_int(message.get("successor")),
                ),
                number,
                self._deaths(message),
            )
        else:
            self.handle(m.Expired(name, incarnation, number), number)

    def _deaths(self, message: Message) -> tuple[Death, ...]:
        module = self.core.modules.get(str(message["name"]))
        if module is None:
            return ()
        program = module.program
        return (Death.of_notice(message, program.executable, program.saved_core_files),)

    def _lost(self, name: str, incarnation: int) -> None:
        self.handle(m.HeartbeatLost(name, incarnation))

    # -- commands -----------------------------------------------------------------------------

    def handle(self, event: m.Event, notice: int = 0, deaths: tuple[Death, ...] = ()) -> None:
        """Apply an event to the core and carry out what follows."""
        now = m.Instant(self.clock.monotonic(), rfc3339(self.clock.utcnow()))
        entry = Entry([], notice, deaths)
        commands = self.core.handle(event, now)
        for command in commands:
            if isinstance(command, m.Launch):
                self._launch(command, now.monotonic)  # before all else: somebody waits for it
        # Now: who hears of an event may ask for the status at once.
        self._publisher.after(event, commands, self.plan, now.monotonic)
        for command in commands:
            self._carry_out(command, entry)
        if entry.records or notice:
            self._entries.send_nowait(entry)
        self._timer.cancel()
        self._sparing.look()

    def _carry_out(self, command: m.Command, entry: Entry) -> None:
        match command:
            case m.Launch():
                pass  # done
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
                self._save(command)
            case m.Emit():
                record = self._record(command)
                if self.telemetry.ledger.enter(record):
                    entry.records.append(record)
                self.link.send({"op": "event", "record": record})
                self.watchers.tell(record)
                self._follow(command)
            case m.LogLine():
                getattr(self.log, command.severity)(command.tag, command.text)
            case m.RaiseAlarm():
                self.alarms.raise_alarm(command.name, command.text)
            case m.ClearAlarm():
                self.alarms.clear(command.name)
            case m.Forget():
                self._publisher.forget(command.name)
                self.link.send({"op": "forget", "name": command.name})
            case m.FailOver():
                self._nursery.start_soon(self._fail_over, command)
            case m.AllStopped():
                self._nursery.start_soon(self._finish)

    def _launch(self, command: m.Launch, noticed: float) -> None:
        program = self.plan.program(command.name)
        self._issuer.ensure(speakers(self.plan, program), self.link.send)
        request = self._request(command.name, command.incarnation)
        stamps = {"noticed": int(noticed * 1e9), "decided": self.clock.monotonic_ns()}
        order = {**_object(request["order"]), phases.KEY: stamps}
        self.link.send({"op": "start", **request, "order": order, "record": command.record})

    def _save(self, command: m.SaveRecord) -> None:
        message: Message = {
            "op": "record",
            "name": command.name,
            "incarnation": command.incarnation,
            "record": command.record,
        }
        if command.standing:
            self._issuer.ensure(
                speakers(self.plan, self.plan.program(command.name)), self.link.send
            )
            request = self._request(command.name, command.standing)
            message["standing"] = {**request, "mark": self._mark}
        self.link.send(message)

    def _request(self, name: str, incarnation: int) -> Message:
        """To have a program started, or made ready to start."""
        program = self.plan.program(name)
        return {
            "name": name,
            "incarnation": incarnation,
            "stage": program.stage,
            "order": start_order(self.plan, program, incarnation, self._place),
        }

    def _follow(self, event: m.Emit) -> None:
        """What an event means for the shell itself."""
        if event.event in ("exit", "hang"):
            self._hearts.forget(event.name)
        elif event.event == "ready":
            self._hearts.ready(event.name)
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

    def _watch_heartbeat(self, module: Module) -> None:
        beat = module.program.heartbeat
        kept = Kept.WORD if module.program.foreign is None else Kept.NOTICES
        source = speaker(self.plan, module) or kept
        self._hearts.watch(module.name, module.incarnation, beat, source, module.pid)

    def speaker_of(self, name: str) -> str | None:
        """Whose gRPC sockets speak for the module called `name`; None when there are none."""
        module = self.core.modules.get(name)
        return None if module is None else speaker(self.plan, module)

    def _connect(self, name: str, incarnation: int) -> Client:
        """The channel to one incarnation of a module."""
        return self.client_at(name, incarnation)

    # -- operators ----------------------------------------------------------------------------

    async def change_plan(self, change: Callable[[Plan], Plan]) -> tuple[Plan, Plan]:
        """Put what `change` makes of the plan in force, on disk first; the old one and the new one.

        Raises PlanError and then nothing has changed.
        """
        async with self._changing:
            old = self.plan
            new = await trio.to_thread.run_sync(change, old)
            path = Path(self.order.home) / PLAN
            try:
                await trio.to_thread.run_sync(write_plan, new, path)
            except OSError as error:
                raise PlanError(f"cannot write {path}: {error.strerror}") from error
            self.plan, self._mark = new, plan_mark(path)
            self.handle(m.PlanChanged(new))
            self._sparing.renew()
        return old, new

    async def ask_init(self, message: Message) -> Message:
        """Init's answer to a request."""
        answer, fds = await self.link.request(message)
        for fd in fds:
            os.close(fd)
        return answer

    async def _fail_over(self, command: m.FailOver) -> None:
        """Run the hook; what it does is its own affair, and nobody waits for it."""
        hook = self.plan.hooks.get(command.kind)
        if not hook:
            text = f"{command.name}: no hook for {command.kind} in the profile: it is held"
            self.log.error("JLAUNCHD_FAILOVER", text)
            return
        try:
            with trio.fail_after(HOOK_TIMEOUT):
                await trio.run_process([*hook, command.name])
        except (OSError, subprocess.CalledProcessError, trio.TooSlowError) as error:
            self.log.error("JLAUNCHD_FAILOVER", f"cannot run {hook[0]}: {error}")
        else:
            self.log.notice("JLAUNCHD_FAILOVER", f"{command.name}: {hook[0]} has run")

    def _acknowledge(self, notice: int) -> None:
        self.link.send({"op": "ack", "id": notice})

    async def _finish(self) -> None:
        await trio.lowlevel.checkpoint()
        self.link.send({"op": "finished"})

    # -- time and disk ------------------------------------------------------------------------

    async def _keep_time(self) -> None:
        while True:
            deadline = self.core.deadline
            with trio.CancelScope() as self._timer:
                if deadline is None:
                    await trio.sleep_forever()
                await trio.sleep(max(0.0, deadline - self.clock.monotonic()))
            if deadline is not None and self.clock.monotonic() >= deadline:
                self.handle(m.DeadlineReached())

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
            await self.telemetry.keep()
            if not written and self.journal.error != before:
                self.log.error("JLAUNCHD_JOURNAL", self.journal.error)
            deaths = [death for entry in entries for death in entry.deaths]
            self._coroner.take(deaths, max(entry.notice for entry in entries))


def _watched_from(module: Module) -> str:
    """The stage from which on it gives signs of life; init reads what a program says before that."""
    return "serving" if module.program.foreign is None else "ready"


def _object(value: Json) -> Message:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value


def _int(value: Json) -> int:
    return value if isinstance(value, int) else 0
