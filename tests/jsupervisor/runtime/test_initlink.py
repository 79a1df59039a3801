"""The connection to init: answers in order, pushes in between, and its end."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import pytest
import trio
import trio.testing

from jsupervisor.runtime.descriptors import DescriptorError, DescriptorExists, InitGone
from jsupervisor.runtime.fakes import FakeInit
from jsupervisor.runtime.initlink import Descriptors, InitLink


@asynccontextmanager
async def linked(init: FakeInit, pushed: list[str]) -> AsyncGenerator[InitLink, None]:
    link = InitLink(
        init.connection, on_fault=pushed.append, on_stop=partial(pushed.append, "stopped")
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.serve)
        yield link
        nursery.cancel_scope.cancel()
    init.close()


async def test_descriptors_are_kept_fetched_and_dropped() -> None:
    init = FakeInit()
    async with linked(init, []) as link, trio.open_nursery() as nursery:
        nursery.start_soon(init.serve)
        store = Descriptors(link)
        reader, writer = os.pipe()
        await store.put("pfe0/port", reader)
        with pytest.raises(DescriptorExists):
            await store.put("pfe0/port", reader)
        os.write(writer, b"x")
        kept = await store.get("pfe0/port")
        assert kept is not None
        seen = os.read(kept, 1)
        await store.drop("pfe0/port")
        await store.drop("pfe0/port")
        gone = await store.get("pfe0/port")
        for fd in (reader, writer, kept):
            os.close(fd)
        nursery.cancel_scope.cancel()

    assert (b"x", None) == (seen, gone)


async def test_pushes_and_answers_do_not_get_mixed_up() -> None:
    init, pushed = FakeInit(), list[str]()
    answers: dict[str, object] = {}

    async def ask(link: InitLink, key: str) -> None:
        answers[key] = (await link.request({"op": "get", "key": key}))[0]["why"]

    async with linked(init, pushed) as link, trio.open_nursery() as nursery:
        nursery.start_soon(ask, link, "a")
        await trio.testing.wait_all_tasks_blocked()
        nursery.start_soon(ask, link, "b")
        await trio.testing.wait_all_tasks_blocked()
        init.push({"op": "fault", "kind": "nothing"})
        init.answer_one()
        init.push({"op": "stop"})
        init.answer_one()

    assert {"a": "there is no a", "b": "there is no b"} == answers
    assert ["nothing", "stopped"] == pushed


async def test_the_answer_to_a_cancelled_request_goes_to_nobody_else() -> None:
    init = FakeInit()
    async with linked(init, []) as link:
        with trio.move_on_after(0):
            await link.request({"op": "get", "key": "a"})
        init.answer_one()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(init.serve)
            answer, _ = await link.request({"op": "get", "key": "b"})
            nursery.cancel_scope.cancel()

    assert "there is no b" == answer["why"]


async def test_a_refused_get_is_an_error() -> None:
    init = FakeInit()
    async with linked(init, []) as link:
        init.push({"op": "refused", "why": "rpd may not use pfe0/"})
        with pytest.raises(DescriptorError, match="cannot get pfe0/x: rpd may not use"):
            await Descriptors(link).get("pfe0/x")


async def test_reports_carry_their_time_and_part() -> None:
    init = FakeInit()
    async with linked(init, []) as link:
        link.report("serving")
        link.report("ready", part="rpd")
        init.answer_one()
        init.answer_one()

    assert ["serving", "ready"] == init.stages
    assert [None, "rpd"] == [report.get("part") for report in init.reports]
    assert all(isinstance(report["monotonic_ns"], int) for report in init.reports)


async def test_the_end_of_init_is_raised() -> None:
    init = FakeInit()
    link = InitLink(init.connection, on_fault=lambda _: None, on_stop=lambda: None)
    init._ours.close()
    with pytest.raises(InitGone):
        await link.serve()
    with pytest.raises(InitGone):
        link.report("ready")
    init.close()


def test_a_process_of_several_modules_is_ready_when_its_last_one_is() -> None:
    init = FakeInit()
    link = InitLink(
        init.connection,
        on_fault=lambda kind: None,
        on_stop=lambda: None,
        parts=frozenset({"rpd", "pfe0"}),
    )
    link.report("ready", "rpd")
    link.report("ready", "rpd")
    link.report("ready", "pfe0")
    link.report("forwarding", "pfe0")
    for _ in range(6):
        init.answer_one()
    init.close()

    assert [
        ("ready", "rpd"),
        ("ready", "rpd"),
        ("ready", "pfe0"),
        ("ready", None),
        ("forwarding", "pfe0"),
        ("forwarding", None),
    ] == [(report["stage"], report.get("part")) for report in init.reports]


def test_the_report_of_readiness_carries_the_stamps_of_the_start() -> None:
    init = FakeInit()
    link = InitLink(init.connection, on_fault=print, on_stop=lambda: None, stamps={"told": 1})
    link.mark("loop")
    link.report("serving")
    link.report("ready")
    init.answer_one()
    init.answer_one()
    init.close()
    serving, ready = init.reports

    assert "phases" not in serving
    assert isinstance(stamps := ready["phases"], dict)
    assert list(stamps) == ["told", "loop"]
