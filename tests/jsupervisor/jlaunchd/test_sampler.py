"""Samples: who is asked, how often, and what becomes of those who do not answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
import trio

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.heartstats import HeartStats
from jsupervisor.jlaunchd.plan import Plan
from jsupervisor.jlaunchd.sampler import Counts, Sampler
from jsupervisor.jlaunchd.tally import Tally
from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import client_to, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.rpc import Client


class Time(Clock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 10**12

    def monotonic_ns(self) -> int:
        return self.now


class Known:
    """What a supervisor would know of two modules: one that is up, one that is not."""

    def __init__(self, run_dir: Path) -> None:
        self.order = make_order(run_dir, "jlaunchd")
        self.plan = Plan(
            profile="vmx", description="", policy="junos", programs=(), chassis={}, ports={}
        )
        self.clock = Time()
        self.tally = Tally()
        self.heart_stats = HeartStats()
        self.published: Mapping[str, Message] = {
            "rpd": published("rpd", "up", os.getpid()),
            "dcd": published("dcd", "backoff", None),
        }
        self.clients: dict[str, Client] = {}
        self.asked: list[str] = []

    def speaker_of(self, name: str) -> str | None:
        return name if name in self.published else None

    def client(self, module: str) -> Client:
        self.asked.append(module)
        if module not in self.clients:
            self.clients[module] = client_to(Path(self.order.run_dir), module, "jlaunchd")
        return self.clients[module]

    def counts(self) -> Counts:
        return Counts(journal_errors=0, alarms=0, watchers=0, watchers_cut=0)


def published(name: str, state: str, pid: int | None) -> Message:
    return {
        "name": name,
        "executable": name,
        "state": state,
        "pid": pid,
        "incarnation": 3,
        "restarts": 2,
    }


@pytest.fixture
def known() -> Generator[Known, None, None]:
    with short_run_dir() as run_dir:
        yield Known(run_dir)


async def test_a_sample_has_the_three_processes_of_supervision_and_every_module(
    known: Known,
) -> None:
    sample = await Sampler(known).sample()

    assert ["init", "jlaunchd", "launcher", "rpd", "dcd"] == [p.name for p in sample.processes]
    assert [True, True, False, True, False] == [p.usage is not None for p in sample.processes]
    assert ("backoff", 0, 2) == (
        sample.processes[4].state,
        sample.processes[4].pid,
        sample.processes[4].restarts,
    )


async def test_a_module_that_answers_tells_its_calls(known: Known) -> None:
    run_dir = Path(known.order.run_dir)
    async with run_daemon(Daemon(make_order(run_dir, "rpd", incarnation=3))) as rpd:
        await rpd.ready.wait()
        sampler = Sampler(known)
        await sampler.sample()
        known.clock.now += 10**9
        sample = await sampler.sample()
    for client in known.clients.values():
        await client.aclose()
    stats = sample.processes[3].stats

    assert stats is not None
    assert {"/jprotos.runtime.v1.Runtime/Stats": 1} == {c.method: c.handled for c in stats.rpcs}


async def test_others_are_not_asked_again_for_whoever_asks_again_soon_or_at_once(
    known: Known,
) -> None:
    sampler = Sampler(known)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(sampler.sample)
    known.clock.now += 400_000_000
    await sampler.sample()
    once = known.asked.count("rpd")
    known.clock.now += 200_000_000
    await sampler.sample()

    assert (1, 2) == (once, known.asked.count("rpd"))


async def test_what_jlaunchd_knows_itself_is_never_old(known: Known) -> None:
    sampler = Sampler(known)
    await sampler.sample()
    known.tally.count({"name": "rpd", "event": "exit", "cause": "hang"})
    known.published = {"rpd": {**known.published["rpd"], "state": "backoff"}}
    sample = await sampler.sample()

    assert {"hang": 1} == sample.processes[3].tally.exits
    assert "backoff" == sample.processes[3].state


async def test_only_modules_that_are_up_are_asked(known: Known) -> None:
    await Sampler(known).sample()

    assert {"rpd", "jlaunchd"} == set(known.asked)


async def test_an_init_that_does_not_answer_costs_its_part_alone(known: Known) -> None:
    run_dir = Path(known.order.run_dir)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as silent:
        silent.bind(str(run_dir / "init.sock"))
        silent.listen()
        with trio.fail_after(10):
            sample = await Sampler(known).sample()

    assert "rpd" in [process.name for process in sample.processes]


async def test_what_happens_afterwards_does_not_change_a_sample(known: Known) -> None:
    sampler = Sampler(known)
    sample = await sampler.sample()
    known.tally.count({"name": "rpd", "event": "exit", "cause": "hang"})
    known.heart_stats.of("rpd").note(False, 0.0)

    assert {} == sample.processes[3].tally.exits
    assert {} == sample.events
    heart = sample.processes[3].heart
    assert heart is not None and heart.asked == 0
