"""The fakes behave as what they stand for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import FakeInit, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.log import Tag


def test_a_run_dir_is_private_and_goes_away() -> None:
    with short_run_dir() as folder:
        mode = folder.stat().st_mode & 0o777

    assert 0o700 == mode
    assert not folder.exists()


def test_an_order_is_made_from_a_unique_name() -> None:
    order = make_order(Path("/run/x"), "pfectl0", incarnation=3)

    assert ("pfectl0", "pfectl", 3) == (order.name, order.executable, order.incarnation)


async def test_a_successor_with_the_same_init_finds_its_predecessors_descriptors(
    run_dir: Path,
) -> None:
    init = FakeInit()
    first = Daemon(make_order(run_dir, "rpd"))
    async with run_daemon(first, init):
        reader, writer = os.pipe()
        await first.descriptors.put("rpd/pipe", reader)
        os.close(reader)
        os.close(writer)
    second = Daemon(make_order(run_dir, "rpd", incarnation=2))
    async with run_daemon(second, init) as running:
        fd = await second.descriptors.get("rpd/pipe")
        await running.ready.wait()
    init.close()
    assert fd is not None
    os.close(fd)


async def test_the_log_is_kept_for_the_test(run_dir: Path) -> None:
    async with run_daemon(Daemon(make_order(run_dir, "rpd"))) as running:
        await running.ready.wait()

    tags = [record.tag for record in running.records]
    assert [Tag.MODULE_START, Tag.MODULE_READY, Tag.MODULE_STOP] == tags


async def test_init_can_stop_it(run_dir: Path) -> None:
    async with run_daemon(Daemon(make_order(run_dir, "rpd"))) as running:
        await running.ready.wait()
        running.init.push({"op": "stop"})
        await running.ended.wait()


async def test_a_fault_that_would_end_the_test_is_refused(run_dir: Path) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with run_daemon(Daemon(make_order(run_dir, "rpd"))) as running:
            running.init.push({"op": "fault", "kind": "exit:1"})
            await running.ended.wait()

    assert caught.group_contains(AssertionError, match="cannot inject exit:1")
