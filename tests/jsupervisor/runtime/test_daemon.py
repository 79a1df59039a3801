"""What a daemon gets from its base."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import make_order, run_daemon
from jsupervisor.runtime.feed import Change, FeedSource, Publisher
from jsupervisor.runtime.order import Order


class Noting(Daemon):
    """Notes which hook was called when."""

    def __init__(self, order: Order, *feeds: str) -> None:
        super().__init__(order)
        self.calls: list[str] = []
        self.feeds = feeds
        self.early, self.late = Publisher("ports"), Publisher("links")

    def feeds_in(self) -> Sequence[FeedSource]:
        return [FeedSource(producer, "ports") for producer in self.feeds]

    def publishers(self) -> Sequence[Publisher]:
        return (self.early, self.late)

    async def run(self, nursery: trio.Nursery) -> None:
        self.calls.append("run")
        self.early.mark_synced()

    async def on_change(self, change: Change) -> None:
        self.calls.append("change begins")
        await trio.lowlevel.checkpoint()
        self.calls.append("change ends")

    async def on_synced(self) -> None:
        self.calls.append(f"synced, links {self.late.synced}")

    async def reload(self) -> None:
        self.calls.append("reload")

    async def stop(self) -> None:
        self.calls.append("stop")


async def test_the_hooks_come_in_order_and_changes_one_at_a_time(run_dir: Path) -> None:
    producers = [Noting(make_order(run_dir, name)) for name in ("chassisd", "rpd")]
    for producer in producers:
        producer.early.set("a", b"1")
    dcd = Noting(make_order(run_dir, "dcd"), "chassisd", "rpd")
    async with run_daemon(producers[0]), run_daemon(producers[1]), run_daemon(dcd) as running:
        await running.ready.wait()
        await running.host.reload()
        late = dcd.late.synced

    changes = ["change begins", "change ends"] * 2
    assert ["run", *changes, "synced, links False", "reload", "stop"] == dcd.calls
    assert late


async def test_a_publisher_carries_its_modules_incarnation(run_dir: Path) -> None:
    daemon = Noting(make_order(run_dir, "rpd", incarnation=7))
    async with run_daemon(daemon) as running:
        await running.ready.wait()

    assert 7 == daemon.early.incarnation


async def test_there_is_one_channel_for_each_module(run_dir: Path) -> None:
    daemon = Noting(make_order(run_dir, "rpd"))
    async with run_daemon(daemon):
        same = daemon.client("mgd") is daemon.client("mgd")
        other = daemon.client("mgd") is daemon.client("dcd")

    assert (True, False) == (same, other)


async def test_a_feed_that_is_not_consumed_has_no_session(run_dir: Path) -> None:
    daemon = Noting(make_order(run_dir, "rpd"))
    async with run_daemon(daemon):
        with pytest.raises(KeyError, match="rpd does not consume ports of chassisd"):
            daemon.session("chassisd", "ports")


async def test_two_of_a_kind_live_side_by_side(run_dir: Path) -> None:
    first, second = (Noting(make_order(run_dir, name)) for name in ("pfectl0", "pfectl1"))
    async with run_daemon(first) as one, run_daemon(second) as two:
        await one.ready.wait()
        await two.ready.wait()
        first.early.set("a", b"1")

    assert {} == dict(second.early.items)
    assert first.calls == second.calls


async def test_what_a_daemon_raises_is_its_end(run_dir: Path) -> None:
    class Broken(Noting):
        async def on_synced(self) -> None:
            raise RuntimeError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        async with run_daemon(Broken(make_order(run_dir, "rpd"))):
            await trio.sleep_forever()

    assert caught.group_contains(RuntimeError, match="a bug")
    assert [] == list((run_dir / "rpd").iterdir())
