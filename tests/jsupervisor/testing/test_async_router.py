"""The same harness under trio."""

from __future__ import annotations

import pytest
import trio

from jsupervisor.observer import processes
from jsupervisor.testing import AsyncRouter

pytestmark = pytest.mark.system


async def test_a_trio_test_can_boot_break_and_await(toy: str) -> None:
    with trio.fail_after(60):
        async with AsyncRouter.boot(profile=toy) as router:
            before = await router.processes()
            mark = router.mark()
            report = await router.inject("kill", "rpd")
            record = await router.wait_for(mark, "rpd", "ready")
            after = await router.processes()

    assert report.recovered
    assert report.new_incarnation == record.incarnation
    assert {"rpd"} == {name for name in before if before[name] != after[name]}


async def test_a_cancelled_wait_leaves_nothing(toy: str) -> None:
    with trio.fail_after(60):
        async with AsyncRouter.boot(profile=toy) as router:
            everything = router.blocking.everything()
            with trio.move_on_after(0.02) as scope:
                await router.wait_for(router.mark(), "rpd", "thrash")

    assert scope.cancelled_caught
    assert not any(processes.alive(process) for process in everything)


async def test_the_end_of_init_ends_a_wait(toy: str) -> None:
    with trio.fail_after(60):
        async with AsyncRouter.boot(profile=toy) as router:
            mark = router.mark()
            router.blocking._booted.let_go()
            with pytest.raises(TimeoutError, match="init closed the connection"):
                await router.wait_for(mark, "rpd", "thrash")
