"""An engine in a thread of the monolithic process."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from jsupervisor.runtime.fakes import FakeInit, make_order
from jsupervisor.runtime.hosted import HostedEngine, PartFailed
from jsupervisor.runtime.initlink import InitLink
from jsupervisor.runtime.lean import DescriptorExists, LeanHost
from jsupervisor.runtime.order import Order


class Engine:
    """Uses everything a lean host offers, then waits to be stopped."""

    def __init__(self, order: Order, host: LeanHost) -> None:
        self.host = host
        self.code = int(str(order.options["code"]))

    def run(self) -> int:
        reader, writer = os.pipe()
        self.host.put("pfe0/port", reader)
        try:
            self.host.put("pfe0/port", reader)
        except DescriptorExists:
            self.host.report("serving")
        kept = self.host.get("pfe0/port")
        assert kept is not None
        for fd in (reader, writer, kept):
            os.close(fd)
        self.host.drop("pfe0/port")
        self.host.report("forwarding")
        while not self.host.stopping and not self.code:
            self.host.service()
        return self.code


class BrokenEngine(Engine):
    def run(self) -> int:
        raise RuntimeError("a bug in the engine")


@asynccontextmanager
async def hosted(init: FakeInit, engine: str, code: int) -> AsyncGenerator[HostedEngine, None]:
    link = InitLink(init.connection, on_fault=lambda _: None, on_stop=lambda: None)
    entry = f"{__name__}:{engine}"
    order = make_order(Path("/run"), "pfe0", entry=entry, options={"code": code})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(link.serve)
        nursery.start_soon(init.serve)
        yield HostedEngine(order, link)
        nursery.cancel_scope.cancel()
    init.close()


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    # An order names its class by module, and tests are no package.
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


async def test_an_engine_has_its_descriptors_and_reports_through_the_process() -> None:
    init = FakeInit()
    async with hosted(init, "Engine", 0) as engine, trio.open_nursery() as nursery:
        nursery.start_soon(engine.run)
        while init.stages != ["serving", "forwarding"]:
            await trio.sleep(0.001)
        kept = list(init.descriptors)
        engine.stop()

    assert ["pfe0/heartbeat"] == kept
    assert {"pfe0"} == {report["part"] for report in init.reports}
    engine.stop()


async def test_an_engine_that_fails_takes_the_process_with_it() -> None:
    async with hosted(FakeInit(), "Engine", 3) as engine:
        with pytest.raises(PartFailed, match="pfe0 ended with 3"):
            await engine.run()


async def test_a_bug_in_the_engine_is_raised() -> None:
    async with hosted(FakeInit(), "BrokenEngine", 0) as engine:
        with pytest.raises((RuntimeError, ExceptionGroup)) as caught:
            await engine.run()

    assert "a bug in the engine" in repr(caught.value.__dict__) + repr(caught.value)
