"""The supervisor's shell against a scripted init: what it asks for, writes down and answers."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jprotos.jlaunchd.v1 import jlaunchd_pb2_grpc
from jsupervisor.initproto import Connection, Json, Message
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.daemon import Jlaunchd
from jsupervisor.jlaunchd.identity import Issuer
from jsupervisor.jlaunchd.initlink import InitLink
from jsupervisor.jlaunchd.journal import read_history
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.profile import parse_plan
from jsupervisor.runtime.authority import Authority
from jsupervisor.runtime.fakes import client_to, make_identity, make_order, short_run_dir
from jsupervisor.runtime.host import Host
from jsupervisor.runtime.identity import seal
from jsupervisor.runtime.initlink import Descriptors
from jsupervisor.runtime.rpc import RpcError

PLAN = """
[profile]
name = "two"
[program.one]
entry = "a.b:One"
[program.two]
entry = "a.b:Two"
requires = ["one"]
"""


@dataclass
class Script:
    """init's end: what jlaunchd said, and what we say."""

    connection: Connection
    run_dir: Path
    heard: list[Message] = field(default_factory=list)
    notice: int = 0

    async def expect(self, op: str, **fields: Json) -> Message:
        """The next message of this kind with these fields; others are kept in `heard`."""
        while True:
            received = await trio.to_thread.run_sync(self.connection.receive)
            assert received is not None
            message, fds = received
            for fd in fds:
                os.close(fd)
            self.heard.append(message)
            if message["op"] == op and all(message.get(k) == v for k, v in fields.items()):
                return message

    async def welcome(self) -> None:
        """Nothing is there yet."""
        await self.expect("hello", role="jlaunchd")
        self.connection.send({"op": "boot", "started_ns": 1})
        self.connection.send({"op": "welcome"})

    def claimed(self, name: str, incarnation: int, pid: int) -> None:
        """The module runs."""
        process: Json = {"name": name, "incarnation": incarnation, "pid": pid, "reached": {}}
        self.connection.send({"op": "claimed", "process": process})

    def ready(self, name: str, incarnation: int, pid: int) -> None:
        """The module is ready."""
        reached: Json = {"ready": time.monotonic_ns()}
        process: Json = {"name": name, "incarnation": incarnation, "pid": pid, "reached": reached}
        self.connection.send({"op": "report", "stage": "ready", "process": process})

    def exited(self, name: str, incarnation: int, cause: str) -> int:
        """The module is gone; the notice's number."""
        self.notice += 1
        self.connection.send(
            {
                "op": "exit",
                "id": self.notice,
                "name": name,
                "incarnation": incarnation,
                "pid": 1,
                "cause": cause,
                "monotonic_ns": time.monotonic_ns(),
                "ordered": "",
            }
        )
        return self.notice


@asynccontextmanager
async def supervisor() -> AsyncIterator[Script]:
    """A supervisor of the plan above, in a folder of its own."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    script = Connection(theirs)
    script.settimeout(10)
    with short_run_dir() as folder:
        link = InitLink(Connection(ours))
        order = make_order(folder, "jlaunchd")
        authority = Authority.make(order.instance)
        kept = seal("ca", authority.to_bytes())
        daemon = Jlaunchd(order, parse_plan(PLAN, "two.toml"), link, Issuer(kept))
        identity = make_identity(folder, "jlaunchd")
        host = Host(daemon, Descriptors(link), lambda stage: None, identity)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(host.run)
            yield Script(script, folder)
            nursery.cancel_scope.cancel()
    os.close(kept)
    script.close()
    ours.close()


async def test_a_module_is_started_only_when_what_it_requires_is_ready() -> None:
    async with supervisor() as init:
        await init.welcome()
        first = await init.expect("start")
        init.claimed("one", 1, 100)
        await init.expect("event")
        started_before_ready = [m["name"] for m in init.heard if m["op"] == "start"]
        init.ready("one", 1, 100)
        second = await init.expect("start")

    assert "one" == first["name"]
    assert ["one"] == started_before_ready
    assert "two" == second["name"]


async def test_an_exit_is_acknowledged_only_after_it_is_in_the_journal() -> None:
    async with supervisor() as init:
        await init.welcome()
        await init.expect("start", name="one")
        init.claimed("one", 1, 100)
        init.ready("one", 1, 100)
        notice = init.exited("one", 1, "signal:SIGKILL")
        successor = await init.expect("start", name="one")
        await init.expect("ack", id=notice)
        written = read_history(init.run_dir / "journal.jsonl")

    assert 2 == successor["incarnation"]
    assert ["signal:SIGKILL"] == [r["cause"] for r in written if r["event"] == "exit"]


async def test_the_record_that_init_keeps_counts_the_failure() -> None:
    async with supervisor() as init:
        await init.welcome()
        await init.expect("start", name="one")
        init.claimed("one", 1, 100)
        notice = init.exited("one", 1, "exit:17")
        record = (await init.expect("start", name="one"))["record"]

    assert isinstance(record, dict)
    assert notice == record["counted"]
    failures = record["failures"]
    assert isinstance(failures, list)
    assert 1 == len(failures)


async def test_what_is_up_has_a_standing_order_that_says_all_that_a_start_does() -> None:
    async with supervisor() as init:
        await init.welcome()
        start = await init.expect("start", name="one")
        init.claimed("one", 1, 100)
        init.connection.send(
            {
                "op": "report",
                "stage": "ready",
                "process": {"name": "one", "incarnation": 1, "reached": {"ready": 5}},
            }
        )
        record = await init.expect("record", name="one")

    standing, order = record["standing"], start["order"]
    assert isinstance(standing, dict)
    assert isinstance(order, dict)
    assert (1, 2, start["stage"]) == (
        record["incarnation"],
        standing["incarnation"],
        standing["stage"],
    )
    told = standing["order"]
    assert isinstance(told, dict)
    assert {**order, "incarnation": 2} == {**told, "phases": order["phases"]}


@pytest.mark.parametrize("mark", ["", "of another plan"])
async def test_a_standing_order_of_the_same_plan_is_kept_and_any_other_taken_back(
    mark: str,
) -> None:
    process: Json = {
        "name": "one",
        "incarnation": 7,
        "phase": "running",
        "pid": 100,
        "reached": {"ready": 5},
    }
    record = Module(parse_plan(PLAN, "plan").program("one"), State.UP, incarnation=7).record()
    async with supervisor() as init:
        await init.expect("hello")
        init.connection.send(
            {
                "op": "process",
                "process": process,
                "record": record,
                "aside": False,
                "standing": {"incarnation": 8, "mark": mark},
            }
        )
        init.connection.send({"op": "boot", "started_ns": 1})
        init.connection.send({"op": "welcome"})
        await init.expect("adopted")
    records = [m for m in init.heard if m["op"] == "record"]

    assert (["one", "one"] if mark else []) == [m["name"] for m in records]
    assert ([False, True] if mark else []) == ["standing" in m for m in records]


async def test_a_running_module_is_adopted_and_not_started_again() -> None:
    async with supervisor() as init:
        await init.expect("hello")
        process: Json = {
            "name": "one",
            "incarnation": 7,
            "phase": "running",
            "pid": 100,
            "reached": {"ready": 5},
        }
        init.connection.send({"op": "process", "process": process, "record": None, "aside": False})
        init.connection.send({"op": "boot", "started_ns": 1})
        init.connection.send({"op": "welcome"})
        started = await init.expect("start")
        await init.expect("adopted")

    assert "two" == started["name"]


async def test_a_ping_is_answered() -> None:
    async with supervisor() as init:
        await init.welcome()
        init.connection.send({"op": "ping", "number": 3})
        pong = await init.expect("pong")

    assert 3 == pong["number"]


async def test_a_stop_ends_the_modules_and_then_says_finished() -> None:
    async with supervisor() as init:
        await init.welcome()
        await init.expect("start", name="one")
        init.claimed("one", 1, 100)
        init.connection.send({"op": "stop"})
        signalled = await init.expect("signal")
        init.exited("one", 1, "exit:0")
        await init.expect("finished")

    assert ("one", 15) == (signalled["name"], signalled["signal"])


async def test_an_operator_asking_for_an_unknown_module_is_told_the_known_ones() -> None:
    async with supervisor() as init:
        await init.welcome()
        await init.expect("adopted")
        client = client_to(init.run_dir, "jlaunchd")
        stub = jlaunchd_pb2_grpc.SupervisorStub(client.channel)
        with pytest.raises(RpcError) as raised:
            await client.unary(stub.Stop, pb.StopRequest(name="bogus"), timeout=5)
        await client.aclose()

    assert grpc.StatusCode.NOT_FOUND == raised.value.code
    assert "cannot find module 'bogus': there are one, two" == raised.value.text


async def test_an_operator_sees_the_modules_in_the_plans_order() -> None:
    async with supervisor() as init:
        await init.welcome()
        await init.expect("start", name="one")
        init.claimed("one", 1, 100)
        await init.expect("event")
        client = client_to(init.run_dir, "jlaunchd")
        stub = jlaunchd_pb2_grpc.SupervisorStub(client.channel)
        reply = await client.unary(stub.List, pb.ListRequest(), timeout=5)
        await client.aclose()

    assert [("one", "starting", 100), ("two", "down", 0)] == [
        (module.name, module.state, module.pid) for module in reply.modules
    ]
