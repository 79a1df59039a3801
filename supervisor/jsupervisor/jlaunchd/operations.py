"""What operators ask of the supervisor: each method answers one RPC, or raises RpcError."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
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
from jsupervisor.jlaunchd.plan import Plan, with_policy, with_rule
from jsupervisor.jlaunchd.reader import PlanError
from jsupervisor.jlaunchd.replan import difference, reread
from jsupervisor.jlaunchd.rules import policy_of
from jsupervisor.jlaunchd.telemetry import Telemetry
from jsupervisor.jlaunchd.watchers import Records, Watchers
from jsupervisor.jlaunchd.watching import watched
from jsupervisor.runtime.rpc import RpcError

RESTART_TIMEOUT: Final = 60.0

HOWS: Final = {
    pb.HOW_UNSPECIFIED: m.How.GRACEFULLY,
    pb.HOW_GRACEFULLY: m.How.GRACEFULLY,
    pb.HOW_IMMEDIATELY: m.How.IMMEDIATELY,
    pb.HOW_SOFT: m.How.SOFT,
    pb.HOW_ABORT: m.How.ABORT,
}

SIGNALS: Final = {
    pb.SIGNAL_TERM: m.How.GRACEFULLY,
    pb.SIGNAL_KILL: m.How.IMMEDIATELY,
    pb.SIGNAL_HUP: m.How.SOFT,
    pb.SIGNAL_ABRT: m.How.ABORT,
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
    def telemetry(self) -> Telemetry:
        """What is counted."""

    @property
    def published(self) -> Mapping[str, Message]:
        """What `status` says of each module."""

    @property
    def plan(self) -> Plan:
        """The plan in force."""

    def handle(self, event: m.Event) -> None:
        """Apply an event, and carry out what follows."""

    async def change_plan(self, change: Callable[[Plan], Plan]) -> tuple[Plan, Plan]:
        """Put what `change` makes of the plan in force, on disk first; the old one and the new one.

        Raises PlanError and then nothing has changed.
        """

    async def ask_init(self, message: Message) -> Message:
        """Init's answer to a request."""


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
        shell = self._shell
        ledger = shell.telemetry.ledger
        async for record in watched(request, shell.watchers, ledger, self._journal):
            yield event_message(record)

    async def metrics(self, request: pb.MetricsRequest) -> pb.MetricsReply:
        """What every process uses and has been through."""
        return await self._shell.telemetry.metrics(request)

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

    async def set_policy(self, request: pb.SetPolicyRequest) -> pb.SetPolicyReply:
        """Put a module, a group or everything under another policy, for this and all later lives."""
        target = request.target
        if request.WhichOneof("policy") == "rule":
            try:
                rule = policy_of(request.rule)
            except ValueError as error:
                raise RpcError(
                    grpc.StatusCode.INVALID_ARGUMENT, f"cannot set the policy: {error}"
                ) from error
            _, plan = await self._change(lambda plan: with_rule(plan, rule, target))
        else:
            _, plan = await self._change(lambda plan: with_policy(plan, request.name, target))
        tree = plan.tree()
        names = tree.programs(target) if target else [program.name for program in plan.programs]
        return pb.SetPolicyReply(modules=names)

    async def reload(self, request: pb.ReloadRequest) -> pb.ReloadReply:
        """Read the plan's file again."""
        old, new = await self._change(reread)
        found = difference(old, new)
        return pb.ReloadReply(added=found.added, removed=found.removed, changed=found.changed)

    async def history(self, request: pb.HistoryRequest) -> pb.HistoryReply:
        """Event records kept so far."""
        if request.name:
            self._known(request.name)
        records = await trio.to_thread.run_sync(read_history, self._journal)
        kept = [record for record in records if request.name in ("", record["name"])]
        kept = kept[-request.limit :] if request.limit else kept
        return pb.HistoryReply(events=[event_message(record) for record in kept])

    async def inject(self, request: pb.InjectRequest) -> pb.InjectReply:
        """Have init carry out a fault."""
        message: Message = {"op": "inject", "name": request.name, "kind": request.kind}
        answer = await self._shell.ask_init(message)
        if answer.get("op") != "done":
            why = f"cannot inject {request.kind!r} into {request.name!r}: {answer.get('why')}"
            raise RpcError(grpc.StatusCode.FAILED_PRECONDITION, why)
        pid, at = answer["pid"], answer["monotonic_ns"]
        assert isinstance(pid, int) and isinstance(at, int)
        return pb.InjectReply(pid=pid, monotonic_ns=at)

    async def clear(self, request: pb.ClearRequest) -> pb.ClearReply:
        """Let a stopped module go on, and forget its failures."""
        self._shell.handle(m.ClearRequested(self._module(request.name).name))
        return pb.ClearReply()

    async def kill_process(self, request: pb.KillProcessRequest) -> pb.KillProcessReply:
        """Signal a process by pid or name; unlike Restart, it does not wait for a successor."""
        module = self._by_pid(request.pid, request.name)
        if request.signal not in SIGNALS:
            raise RpcError(
                grpc.StatusCode.INVALID_ARGUMENT,
                "cannot kill a process without a signal: TERM, KILL, HUP or ABRT",
            )
        how = SIGNALS[request.signal]
        if request.restart or how is m.How.SOFT:
            self._shell.handle(m.RestartRequested(module.name, how))
        else:
            self._shell.handle(m.StopRequested(module.name, how))
        return pb.KillProcessReply()

    def _by_pid(self, pid: int, name: str) -> Module:
        modules = self._shell.core.modules.values()
        found = [x for x in modules if x.pid and x.pid == pid] if pid else [self._module(name)]
        if not found or (name and found[0].name != name):
            raise RpcError(grpc.StatusCode.NOT_FOUND, f"cannot find process {pid} {name}".rstrip())
        if not found[0].pid:
            raise RpcError(
                grpc.StatusCode.FAILED_PRECONDITION, f"cannot kill {name}: it is not running"
            )
        return found[0]

    async def _change(self, change: Callable[[Plan], Plan]) -> tuple[Plan, Plan]:
        try:
            return await self._shell.change_plan(change)
        except PlanError as error:
            raise RpcError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error

    def _known(self, name: str) -> None:
        """Raise RpcError for what is neither a module nor one of the processes below."""
        if name not in ("init", "jlaunchd", "launcher"):
            self._module(name)

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
