"""mgd over real gRPC and a real disk."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import grpc
import pytest
import trio

from jdaemons.mgd.daemon import Mgd
from jdaemons.mgd.events import Stored
from jdaemons.mgd.store import Store
from jprotos.mgd.v1 import mgd_pb2 as pb
from jprotos.mgd.v1 import mgd_pb2_grpc
from jprotos.runtime.v1 import runtime_pb2, runtime_pb2_grpc
from jsupervisor.initproto import Json
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.feed import Change, FeedSource
from jsupervisor.runtime.rpc import RpcError

ONE = "system { host-name one; } interfaces { lo0 unit 0 family inet address 192.0.2.1/32; }"
TWO = "system { host-name two; } routing-options { static { route 10.0.0.0/8 discard; } }"


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


class Listener(Daemon):
    """Stands for dcd: hears the configuration."""

    def __init__(self, run_dir: Path) -> None:
        super().__init__(make_order(run_dir, "dcd"))
        self.send, self.changes = trio.open_memory_channel[Change](100)

    def feeds_in(self) -> Sequence[FeedSource]:
        return (FeedSource("mgd", "config"),)

    async def on_change(self, change: Change) -> None:
        await self.send.send(change)


def mgd(run_dir: Path, incarnation: int = 1, **options: Json) -> Mgd:
    order = make_order(
        run_dir, "mgd", incarnation=incarnation, chassis={"model": "vmx"}, options=options
    )
    return Mgd(order)


def conf(run_dir: Path, name: str = "juniper.conf") -> Path:
    return run_dir / "config" / name


def store(run_dir: Path, text: str, name: str = "juniper.conf") -> None:
    conf(run_dir).parent.mkdir(exist_ok=True)
    conf(run_dir, name).write_text(text)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.001)


async def load(running: RunningDaemon[Mgd], text: str, user: str = "lab") -> pb.LoadReply:
    client = running.client()
    stub = mgd_pb2_grpc.ConfigurationStub(client.channel)
    return await client.unary(stub.Load, pb.LoadRequest(text=text, user=user), timeout=5)


async def show(running: RunningDaemon[Mgd]) -> pb.ShowReply:
    client = running.client()
    stub = mgd_pb2_grpc.ConfigurationStub(client.channel)
    return await client.unary(stub.Show, pb.ShowRequest(), timeout=5)


async def get(running: RunningDaemon[Mgd], name: str) -> dict[str, Json]:
    client = running.client()
    stub = runtime_pb2_grpc.RuntimeStub(client.channel)
    reply = await client.unary(stub.Get, runtime_pb2.GetRequest(name=name), timeout=5)
    answer: dict[str, Json] = json.loads(reply.json)[name]
    return answer


async def test_a_new_instance_has_an_empty_configuration(run_dir: Path) -> None:
    async with run_daemon(mgd(run_dir)) as running:
        await running.ready.wait()
        shown = await show(running)
        software = await get(running, "software-information")

    assert pb.ShowReply() == shown
    assert "test" == software["host-name"]
    assert not conf(run_dir).exists()


async def test_a_load_is_checked_written_published_and_shown(run_dir: Path) -> None:
    dcd = Listener(run_dir)
    async with run_daemon(mgd(run_dir)) as running, run_daemon(dcd):
        first = await load(running, ONE)
        change = await dcd.changes.receive()
        second = await load(running, TWO, "admin")
        difference = await dcd.changes.receive()
        shown = await show(running)
        software = await get(running, "software-information")
        configuration = await get(running, "configuration")

    assert (1, 2) == (first.revision, second.revision)
    assert {"system", "interfaces/lo0"} == set(change.upserts)
    assert {"system", "routing-options/static/inet/10.0.0.0/8"} == set(difference.upserts)
    assert frozenset(("interfaces/lo0",)) == difference.removed
    assert conf(run_dir).read_text() == shown.text
    assert shown.text.startswith("## Last commit: 2")
    assert " UTC by admin\n## Revision: 2\nsystem {\n    host-name two;\n" in shown.text
    assert (2, "admin") == (shown.revision, shown.user)
    assert "two" == software["host-name"]
    assert {"text": shown.text, "revision": "2"} == configuration


async def test_a_load_with_problems_changes_nothing_and_tells_them_all(run_dir: Path) -> None:
    async with run_daemon(mgd(run_dir)) as running:
        await load(running, ONE)
        reply = await load(running, "nonsense;\nsystem { host-name -; }")
        shown = await show(running)
        items = dict(running.daemon.config.items)

    assert [(1, 1), (2, 20)] == [(each.line, each.column) for each in reply.problems]
    assert 1 == reply.revision == shown.revision
    assert b'{"host-name":"one"}' == items["system"]
    assert shown.text == conf(run_dir).read_text()
    assert "load by lab refused: 2 problems" in [record.text for record in running.records]


async def test_check_says_what_is_wrong_and_changes_nothing(run_dir: Path) -> None:
    async with run_daemon(mgd(run_dir)) as running:
        client = running.client()
        stub = mgd_pb2_grpc.ConfigurationStub(client.channel)
        bad = await client.unary(stub.Check, pb.CheckRequest(text="x;"), timeout=5)
        good = await client.unary(stub.Check, pb.CheckRequest(text=ONE), timeout=5)

    assert (1, 0) == (len(bad.problems), len(good.problems))
    assert not conf(run_dir).exists()


async def test_a_successor_publishes_the_same_and_remembers_who_and_when(run_dir: Path) -> None:
    dcd = Listener(run_dir)
    async with run_daemon(dcd) as consumer:
        async with run_daemon(mgd(run_dir)) as running:
            await load(running, ONE)
            await dcd.changes.receive()
            before = await show(running)
        async with run_daemon(mgd(run_dir, 2)) as running:
            await until(lambda: consumer.host.sessions()[0].incarnation == 2)
            resynced = consumer.host.sessions()[0].resync_changes
            after = await show(running)
            third = await load(running, TWO)

    assert before == after
    assert 0 == resynced
    assert 2 == third.revision


async def test_a_damaged_file_is_answered_by_the_last_good_one(run_dir: Path) -> None:
    store(run_dir, "system { host-name")
    store(run_dir, ONE, "juniper.conf.1")
    async with run_daemon(mgd(run_dir)) as running:
        await running.ready.wait()
        items = dict(running.daemon.config.items)
        complaints = [each.text for each in running.records if each.tag == "MGD_CONFIG_DAMAGED"]
        await load(running, TWO)

    assert b'{"host-name":"one"}' == items["system"]
    why = "syntax error, expecting ';' or '{'; the last good one is used"
    assert [f"cannot use {conf(run_dir)}, line 1: {why}"] == complaints
    assert "system { host-name" == conf(run_dir, "juniper.conf.damaged").read_text()
    assert "host-name one;" in conf(run_dir, "juniper.conf.1").read_text()


async def test_a_damaged_file_and_the_death_of_mgd_change_nothing_for_anybody(
    run_dir: Path,
) -> None:
    dcd = Listener(run_dir)
    store(run_dir, ONE)
    async with run_daemon(dcd) as consumer:
        async with run_daemon(mgd(run_dir)):
            await dcd.changes.receive()
        store(run_dir, "{ damaged by hand")
        async with run_daemon(mgd(run_dir, 2)) as running:
            await until(lambda: consumer.host.sessions()[0].incarnation == 2)
            resynced = consumer.host.sessions()[0].resync_changes
            damaged = [each.tag for each in running.records if "DAMAGED" in each.tag]

    assert 0 == resynced
    assert ["MGD_CONFIG_DAMAGED"] == damaged


async def test_the_soft_restart_reads_an_edited_file_and_keeps_what_it_has_if_that_is_damaged(
    run_dir: Path,
) -> None:
    store(run_dir, ONE)
    async with run_daemon(mgd(run_dir)) as running:
        await running.ready.wait()
        store(run_dir, TWO)
        await running.host.reload()
        edited = dict(running.daemon.config.items)
        store(run_dir, "nonsense")
        await running.host.reload()
        kept = dict(running.daemon.config.items)

    assert b'{"host-name":"two"}' == edited["system"]
    assert edited == kept
    assert [True] == [
        each.text.endswith("the one in force stays")
        for each in running.records
        if each.tag == "MGD_CONFIG_DAMAGED"
    ]


async def test_a_full_disk_fails_the_load_with_one_line_and_mgd_goes_on(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int) -> None:
        raise OSError(28, "No space left on device")

    async with run_daemon(mgd(run_dir)) as running:
        await load(running, ONE)
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", full)
            with pytest.raises(RpcError) as caught:
                await load(running, TWO)
        items = dict(running.daemon.config.items)
        again = await load(running, TWO)

    assert grpc.StatusCode.RESOURCE_EXHAUSTED is caught.value.code
    assert "No space left on device; the old configuration stays in force" in str(caught.value)
    assert b'{"host-name":"one"}' == items["system"]
    assert 2 == again.revision


@pytest.mark.parametrize(
    ("user", "kept"), [("", "root"), ("uid 1000", "uid-1000"), ("a\n}", "a-}"), ("lab", "lab")]
)
async def test_a_user_is_one_word_of_the_header(run_dir: Path, user: str, kept: str) -> None:
    async with run_daemon(mgd(run_dir)) as running:
        await load(running, ONE, user)
        shown = await show(running)

    assert kept == shown.user
    assert f" UTC by {kept}\n" in conf(run_dir).read_text()


async def test_the_uptime_counts_from_the_start_of_init(run_dir: Path) -> None:
    daemon = mgd(run_dir, started_ns=0)
    daemon.order.options["started_ns"] = daemon.clock.monotonic_ns() - 90 * 10**9  # type: ignore[index]
    async with run_daemon(daemon) as running:
        await load(running, ONE)
        uptime = await get(running, "system-uptime-information")
    booted, configured = uptime["system-booted-time"], uptime["last-configured-time"]
    assert isinstance(booted, dict)
    assert isinstance(configured, dict)

    assert str(booted["time-length"]).startswith("00:01:3")
    assert "lab" == configured["user"]


async def test_while_the_disk_is_read_mgd_answers_but_is_not_ready(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(run_dir, ONE)
    goes_on = threading.Event()

    def slow(folder: Store, read: Callable[[Store], Stored] = Store.read) -> Stored:
        goes_on.wait(5)
        return read(folder)

    monkeypatch.setattr(Store, "read", slow)
    async with run_daemon(mgd(run_dir)) as running, trio.open_nursery() as nursery:
        software = await get(running, "software-information")
        early = running.ready.is_set()
        shown: list[pb.ShowReply] = []

        async def ask() -> None:
            shown.append(await show(running))

        nursery.start_soon(ask)
        goes_on.set()
        await running.ready.wait()

    assert "test" == software["host-name"]
    assert not early
    assert [1] == [reply.revision for reply in shown]


async def test_core_files_are_listed_as_junos_does(run_dir: Path) -> None:
    (run_dir / "crash").mkdir()
    (run_dir / "crash" / "rpd.core.0").write_text("{}")
    (run_dir / "crash" / ".dcd.1.trace").touch()
    async with run_daemon(mgd(run_dir)) as running:
        listed = await get(running, "directory-list")
    directory = listed["directory"]
    assert isinstance(directory, dict)

    assert "1" == directory["total-files"]
    assert [f"{run_dir}/crash/rpd.core.0"] == [
        str(file["file-name"]) for file in directory["file-information"]
    ]
