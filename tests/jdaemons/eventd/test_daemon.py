"""eventd over real gRPC, with real files."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from pathlib import Path

import pytest
import trio

from jdaemons.eventd import daemon as eventd_daemon
from jdaemons.eventd.daemon import Eventd
from jdaemons.eventd.spool import TAIL_RECORDS
from jprotos.eventd.v1 import eventd_pb2, eventd_pb2_grpc
from jsupervisor.runtime.daemon import Daemon
from jsupervisor.runtime.fakes import RunningDaemon, make_order, run_daemon, short_run_dir
from jsupervisor.runtime.feed import Publisher
from jsupervisor.runtime.record import Record
from jsupervisor.runtime.shipping import as_message

NewRecord = Callable[..., Record]


@pytest.fixture
def run_dir() -> Generator[Path, None, None]:
    with short_run_dir() as folder:
        yield folder


class Mgd(Daemon):
    """Publishes a host name."""

    def __init__(self, run_dir: Path, value: bytes) -> None:
        super().__init__(make_order(run_dir, "mgd"))
        self.config = Publisher("config")
        self.config.set("system", value)

    def publishers(self) -> Sequence[Publisher]:
        return (self.config,)


def eventd(run_dir: Path, home: Path) -> Eventd:
    return Eventd(make_order(run_dir, "eventd", home=str(home)))


def records_in(home: Path) -> list[dict[str, object]]:
    text = (home / "log" / "messages.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await trio.sleep(0.001)


async def write(running: RunningDaemon[Eventd], records: Sequence[Record]) -> int:
    async def messages() -> AsyncIterator[eventd_pb2.LogRecord]:
        for record in records:
            yield as_message(record)

    client = running.client("rpd")
    stub = eventd_pb2_grpc.LogStub(client.channel)
    reply = await client.collect(stub.Write, messages(), timeout=5)
    return reply.accepted


async def test_what_modules_write_is_in_both_files_when_eventd_has_stopped(
    run_dir: Path, tmp_path: Path, a_record: NewRecord
) -> None:
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        accepted = await write(running, [a_record(number=number) for number in range(100)])

    lines = (tmp_path / "log" / "messages").read_text().splitlines()
    records = records_in(tmp_path)
    assert 100 == accepted
    assert 100 == sum("test rpd[4711]: RPD_TASK_BEGIN" in line for line in lines)
    assert list(range(100)) == [r["number"] for r in records if r["module"] == "rpd"]


async def test_a_module_that_writes_as_it_goes_is_heard_as_it_goes(
    run_dir: Path, tmp_path: Path
) -> None:
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        client = running.client()
        stub = eventd_pb2_grpc.LogStub(client.channel)
        request = eventd_pb2.TailRequest(module="rpd")
        async with client.stream(stub.Tail, request) as replies:
            await until(lambda: bool(running.daemon.core.tails))
            async with run_daemon(Daemon(make_order(run_dir, "rpd")), ship_log=True):
                heard = [(await anext(aiter(replies))).record.tag for _ in range(2)]

    assert ["MODULE_START", "MODULE_READY"] == heard


async def test_own_records_are_collected_like_any_other(run_dir: Path, tmp_path: Path) -> None:
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        await running.ready.wait()

    records = records_in(tmp_path)
    assert {"MODULE_START", "MODULE_READY", "MODULE_STOP"} <= {r["tag"] for r in records}
    assert {"eventd"} == {r["module"] for r in records}


async def test_the_host_name_comes_from_the_configuration(
    run_dir: Path, tmp_path: Path, a_record: NewRecord
) -> None:
    mgd = Mgd(run_dir, b'{"host-name": "r1"}')
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        await running.ready.wait()
        async with run_daemon(mgd):
            await until(lambda: running.daemon.core._host_name == "r1")
        await write(running, [a_record()])

    assert " r1 rpd[4711]: " in (tmp_path / "log" / "messages").read_text()


async def test_a_configuration_that_cannot_be_read_is_logged(run_dir: Path, tmp_path: Path) -> None:
    async with run_daemon(eventd(run_dir, tmp_path)) as running, run_daemon(Mgd(run_dir, b"?")):
        await until(lambda: running.host.sessions() != [])
        await until(lambda: running.host.session("mgd", "config").synced)

    text = (tmp_path / "log" / "messages").read_text()
    assert "EVENTD_CONFIG_READ_FAILED: cannot read the configuration of system" in text


async def test_a_reader_hears_what_is_written_from_now_on(
    run_dir: Path, tmp_path: Path, a_record: NewRecord
) -> None:
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        await write(running, [a_record(number=1)])
        client = running.client()
        stub = eventd_pb2_grpc.LogStub(client.channel)
        async with client.stream(stub.Tail, eventd_pb2.TailRequest(module="rpd")) as replies:
            await until(lambda: bool(running.daemon.core.tails))
            await write(running, [a_record(number=2), a_record(module="dcd"), a_record(number=3)])
            heard = [(await anext(aiter(replies))).record.number for _ in range(2)]
        await until(lambda: not running.daemon.core.tails)

    assert [2, 3] == heard


async def test_a_reader_that_falls_behind_stops_nobody_and_learns_what_it_lost(
    run_dir: Path, tmp_path: Path, a_record: NewRecord
) -> None:
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        client = running.client()
        stub = eventd_pb2_grpc.LogStub(client.channel)
        request = eventd_pb2.TailRequest(module="rpd")
        async with client.stream(stub.Tail, request) as replies:
            await until(lambda: bool(running.daemon.core.tails))
            # In one turn of the loop, so that nothing can leave in between.
            for number in range(TAIL_RECORDS + 500):
                running.daemon.log.sink(a_record(number=number))
            first = await anext(aiter(replies))
            second = await anext(aiter(replies))
        accepted = await write(running, [a_record()])

    assert (500, 500) == (first.record.number, first.dropped)
    assert (501, 0) == (second.record.number, second.dropped)
    assert 1 == accepted


async def test_a_disk_that_cannot_be_written_stops_nothing(
    run_dir: Path, tmp_path: Path, a_record: NewRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(eventd_daemon, "RETRY_SECONDS", 0.01)
    (tmp_path / "log").write_bytes(b"in the way")
    async with run_daemon(eventd(run_dir, tmp_path)) as running:
        await until(lambda: len(running.daemon.core.failures) == 2)
        accepted = await write(running, [a_record(number=number) for number in range(10)])
        (tmp_path / "log").unlink()
        await until(lambda: not running.daemon.core.failures)

    text = (tmp_path / "log" / "messages").read_text()
    assert 10 == accepted
    assert 10 == text.count("RPD_TASK_BEGIN")
    assert 1 == text.count("cannot write messages: ")
    assert 1 == text.count("messages is written again; 0 records were lost")
