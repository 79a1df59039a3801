"""Wishes for spares become messages to init, at their time."""

from __future__ import annotations

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.child import State
from jsupervisor.jlaunchd.module import Module
from jsupervisor.jlaunchd.plan import Program
from jsupervisor.jlaunchd.spares import CALM
from jsupervisor.jlaunchd.sparing import Sparing


def request(name: str, incarnation: int) -> Message:
    return {"name": name, "incarnation": incarnation, "stage": "full", "order": {}}


async def test_a_spare_is_asked_for_in_calm_and_dismissed_with_its_module(
    autojump_clock: MockClock,
) -> None:
    rpd = Module(Program(name="rpd", executable="rpd", entry="x:Y", spare=True))
    rpd.state, rpd.incarnation = State.UP, 1
    sent: list[Message] = []
    sparing = Sparing(sent.append, request)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sparing.run, lambda: [rpd])
        await trio.sleep(CALM + 0.1)
        sparing.note({"name": "rpd", "incarnation": 2, "state": "waiting"})
        await wait_all_tasks_blocked()
        rpd.wanted = False
        sparing.look()
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()

    assert [{**request("rpd", 2), "op": "spare"}, {"op": "dismiss", "name": "rpd"}] == sent


async def test_after_a_reload_spares_are_dismissed_and_made_anew(
    autojump_clock: MockClock,
) -> None:
    rpd = Module(Program(name="rpd", executable="rpd", entry="x:Y", spare=True))
    rpd.state, rpd.incarnation = State.UP, 2
    sent: list[Message] = []
    sparing = Sparing(sent.append, request)
    sparing.note({"name": "rpd", "incarnation": 2, "state": "waiting"})
    sparing.claimed("rpd", 2)
    sparing.note({"name": "rpd", "incarnation": 3, "state": "waiting"})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(sparing.run, lambda: [rpd])
        await wait_all_tasks_blocked()
        sparing.renew()
        sparing.look()
        await trio.sleep(CALM + 0.1)
        nursery.cancel_scope.cancel()

    assert [{"op": "dismiss", "name": "rpd"}, {**request("rpd", 3), "op": "spare"}] == sent
