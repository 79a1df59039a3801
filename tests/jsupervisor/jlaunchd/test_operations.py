"""What an operator may ask, and the answers, against the real core with a shell that only notes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import grpc
import pytest
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd import messages as m
from jsupervisor.jlaunchd.core import Supervisor
from jsupervisor.jlaunchd.journal import Journal
from jsupervisor.jlaunchd.operations import Operations
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.policy import POLICIES
from jsupervisor.jlaunchd.replan import resolve
from jsupervisor.jlaunchd.telemetry import Telemetry
from jsupervisor.jlaunchd.watchers import Watchers
from jsupervisor.runtime.rpc import RpcError

TEXT = """
[profile]
name = "p"
[program.a]
entry = "m:C"
[program.b]
entry = "m:C"
[group.g]
members = ["b"]
"""


class Desk:
    """The shell: applies events to the core, and notes what would be done."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.core = Supervisor(plan)
        self.watchers = Watchers()
        self.published: dict[str, Message] = {}
        self.done: list[m.Command] = []
        self.asked: list[Message] = []
        self.answer: Message = {"op": "done", "pid": 7, "monotonic_ns": 9}
        self.now = 0.0

    @property
    def telemetry(self) -> Telemetry:
        """Not for these questions."""
        return cast("Telemetry", None)

    def handle(self, event: m.Event) -> None:
        """Into the core."""
        self.now += 1.0
        self.done += self.core.handle(event, m.Instant(self.now, ""))

    async def change_plan(self, change: Callable[[Plan], Plan]) -> tuple[Plan, Plan]:
        """Without a disk."""
        await trio.lowlevel.checkpoint()
        old, self.plan = self.plan, change(self.plan)
        self.handle(m.PlanChanged(self.plan))
        return old, self.plan

    async def ask_init(self, message: Message) -> Message:
        """A canned answer."""
        await trio.lowlevel.checkpoint()
        self.asked.append(message)
        return self.answer

    def signals(self) -> list[tuple[str, int, str]]:
        """Who would have been signalled."""
        return [(c.name, c.signal, c.ordered) for c in self.done if isinstance(c, m.SendSignal)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The profile."""
    path = tmp_path / "p.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


@pytest.fixture
def desk(file: Path) -> Desk:
    """Both modules up, as pids 100 and 200."""
    desk = Desk(resolve(file))
    desk.handle(m.StartAll())
    for name, pid in (("a", 100), ("b", 200)):
        desk.handle(m.Claimed(name, 1, pid))
        desk.handle(m.Reported(name, 1, "ready", 1.0))
    desk.done.clear()
    return desk


@pytest.fixture
def ask(desk: Desk, tmp_path: Path) -> Operations:
    """The service."""
    return Operations(desk, tmp_path / "journal.jsonl")


async def test_a_policy_is_set_for_one_for_a_group_and_for_all(ask: Operations, desk: Desk) -> None:
    one = await ask.set_policy(pb.SetPolicyRequest(target="a", name="erlang"))
    group = await ask.set_policy(pb.SetPolicyRequest(target="g", name="systemd"))

    assert [["a"], ["b"]] == [list(one.modules), list(group.modules)]
    assert POLICIES["erlang"] == desk.core.modules["a"].program.policy
    assert POLICIES["systemd"] == desk.plan.groups[0].policy
    everything = await ask.set_policy(pb.SetPolicyRequest(name="never-give-up"))
    assert ["a", "b"] == everything.modules
    assert [] == desk.signals()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (pb.SetPolicyRequest(name="x"), "cannot use policy 'x': there are junos, "),
        (pb.SetPolicyRequest(target="x", name="junos"), "cannot find module or group 'x': there"),
        (pb.SetPolicyRequest(rule=pb.Policy(period=-1)), "cannot set the policy: period: -1 is"),
        (pb.SetPolicyRequest(), "cannot use policy ''"),
    ],
)
async def test_a_bad_policy_changes_nothing(
    ask: Operations, desk: Desk, request_: pb.SetPolicyRequest, why: str
) -> None:
    before = desk.plan
    with pytest.raises(RpcError, match=f"^{why}") as raised:
        await ask.set_policy(request_)

    assert grpc.StatusCode.INVALID_ARGUMENT == raised.value.code
    assert before is desk.plan


async def test_a_reload_says_what_is_different(ask: Operations, desk: Desk, file: Path) -> None:
    text = TEXT.replace('members = ["b"]', "members = []").replace("program.b", "program.c")
    file.write_text(text, encoding="utf-8")
    reply = await ask.reload(pb.ReloadRequest())

    assert pb.ReloadReply(added=["c"], removed=["b"]) == reply
    assert [("b", 15, "requested:stop")] == desk.signals()


async def test_a_file_with_an_error_changes_nothing(
    ask: Operations, desk: Desk, file: Path
) -> None:
    file.write_text(TEXT + "nonsense", encoding="utf-8")
    with pytest.raises(RpcError, match=f"^cannot read profile {file}"):
        await ask.reload(pb.ReloadRequest())

    assert ["a", "b"] == list(desk.core.modules)


async def test_history_is_of_one_or_of_all_and_the_newest_only(
    ask: Operations, tmp_path: Path
) -> None:
    records: list[Message] = [
        {
            "name": name,
            "event": "ready",
            "incarnation": number,
            "cause": "",
            "monotonic_ns": number,
            "time": "",
            "downtime_ms": None,
            "attempt": 0,
            "next": "",
        }
        for number, name in enumerate(("a", "b", "jlaunchd", "a"))
    ]
    Journal(tmp_path / "journal.jsonl").append(records)

    async def numbers(**request: object) -> list[int]:
        reply = await ask.history(pb.HistoryRequest(**request))  # type: ignore[arg-type]
        return [event.incarnation for event in reply.events]

    assert [0, 1, 2, 3] == await numbers()
    assert [0, 3] == await numbers(name="a")
    assert [3] == await numbers(name="a", limit=1)
    assert [2] == await numbers(name="jlaunchd")
    with pytest.raises(RpcError, match="cannot find module 'x': there are a, b"):
        await numbers(name="x")


async def test_a_fault_goes_through_init(ask: Operations, desk: Desk) -> None:
    reply = await ask.inject(pb.InjectRequest(name="a", kind="segv"))

    assert (7, 9) == (reply.pid, reply.monotonic_ns)
    assert [{"op": "inject", "name": "a", "kind": "segv"}] == desk.asked
    desk.answer = {"op": "refused", "why": "there is no fault 'x'", "of": "inject"}
    with pytest.raises(RpcError, match="cannot inject 'x' into 'a': there is no fault 'x'"):
        await ask.inject(pb.InjectRequest(name="a", kind="x"))


@pytest.mark.parametrize(
    ("word", "restart", "number", "state"),
    [
        (pb.SIGNAL_TERM, True, 15, "requested:gracefully"),
        (pb.SIGNAL_KILL, True, 9, "requested:immediately"),
        (pb.SIGNAL_ABRT, True, 6, "requested:abort"),
        (pb.SIGNAL_TERM, False, 15, "requested:stop"),
        (pb.SIGNAL_KILL, False, 9, "requested:stop"),
        (pb.SIGNAL_ABRT, False, 6, "requested:stop"),
        (pb.SIGNAL_HUP, False, 1, ""),
    ],
)
async def test_kill_process_is_gnois(
    ask: Operations,
    desk: Desk,
    word: pb.Signal.ValueType,
    restart: bool,
    number: int,
    state: str,
) -> None:
    await ask.kill_process(pb.KillProcessRequest(pid=100, signal=word, restart=restart))

    assert [("a", number, state)] == desk.signals()


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        (pb.KillProcessRequest(pid=1, signal=pb.SIGNAL_KILL), "cannot find process 1"),
        (
            pb.KillProcessRequest(pid=100, name="b", signal=pb.SIGNAL_KILL),
            "cannot find process 100 b",
        ),
        (pb.KillProcessRequest(name="x", signal=pb.SIGNAL_KILL), "cannot find module 'x'"),
        (pb.KillProcessRequest(name="a"), "cannot kill a process without a signal"),
    ],
)
async def test_a_process_that_is_not_meant_clearly_is_left_alone(
    ask: Operations, desk: Desk, request_: pb.KillProcessRequest, why: str
) -> None:
    with pytest.raises(RpcError, match=f"^{why}"):
        await ask.kill_process(request_)

    assert [] == desk.signals()


async def test_one_that_does_not_run_cannot_be_killed(ask: Operations, desk: Desk) -> None:
    desk.core.modules["a"].pid = 0
    with pytest.raises(RpcError, match=r"^cannot kill a: it is not running"):
        await ask.kill_process(pb.KillProcessRequest(name="a", signal=pb.SIGNAL_TERM))


async def test_clearing_lets_a_stopped_module_go_on(ask: Operations, desk: Desk) -> None:
    await ask.clear(pb.ClearRequest(name="a"))

    assert [("a", 18, "")] == desk.signals()
