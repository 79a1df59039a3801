"""A reader of the event stream: filters, resumption, and what becomes of a slow one."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from jprotos.jlaunchd.v1 import jlaunchd_pb2 as pb
from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.journal import Journal
from jsupervisor.jlaunchd.ledger import Ledger
from jsupervisor.jlaunchd.watchers import WATCH_BUFFER, Watchers
from jsupervisor.jlaunchd.watching import wanted, watched
from jsupervisor.runtime.rpc import RpcError


class Stream:
    """What jlaunchd does with records: some are in the journal already, all are in memory."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "journal.jsonl"
        self.journal = Journal(self.path)
        self.watchers = Watchers()
        self.ledger = Ledger(self.path, folder / "tally.json")
        self.time = 0

    def happens(self, name: str, event: str, *, journaled: bool = True) -> None:
        self.time += 1
        record: Message = {
            "name": name,
            "event": event,
            "incarnation": 1,
            "cause": "",
            "monotonic_ns": self.time,
        }
        self.ledger.enter(record)
        self.watchers.tell(record)
        if journaled:
            self.journal.append([record])

    async def read(self, request: pb.WatchRequest, count: int) -> list[str]:
        """The next records of a new reader, while nothing more happens after they began to read."""
        found: list[str] = []
        stream = watched(request, self.watchers, self.ledger, self.path)
        with trio.fail_after(5):
            async for record in stream:
                found.append(f"{record['seq']} {record['name']} {record['event']}")
                if len(found) == count:
                    break
        await stream.aclose()  # type: ignore[attr-defined]
        return found


@pytest.fixture
def stream(tmp_path: Path) -> Stream:
    return Stream(tmp_path)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (pb.WatchRequest(), ["rpd exit", "rpd ready", "dcd exit"]),
        (pb.WatchRequest(names=["rpd"]), ["rpd exit", "rpd ready"]),
        (pb.WatchRequest(events=["exit"]), ["rpd exit", "dcd exit"]),
        (pb.WatchRequest(names=["rpd", "x"], events=["exit"]), ["rpd exit"]),
        (pb.WatchRequest(names=["x"]), []),
    ],
)
def test_a_reader_hears_what_it_asked_for(request_: pb.WatchRequest, expected: list[str]) -> None:
    happened = [("rpd", "exit"), ("rpd", "ready"), ("dcd", "exit")]
    wants = wanted(request_)

    assert expected == [f"{n} {e}" for n, e in happened if wants({"name": n, "event": e})]


async def test_history_comes_first_and_nothing_twice(stream: Stream) -> None:
    stream.happens("rpd", "exit")
    stream.happens("rpd", "ready", journaled=False)  # the disk is slow
    found: list[str] = []
    reader = watched(pb.WatchRequest(history=True), stream.watchers, stream.ledger, stream.path)
    async for record in reader:
        found.append(f"{record['seq']} {record['event']}")
        if len(found) == 1:
            stream.happens("rpd", "hang")
        if len(found) == 3:
            break
    await reader.aclose()  # type: ignore[attr-defined]

    assert ["1 exit", "2 ready", "3 hang"] == found


async def test_a_reader_goes_on_after_the_last_number_it_saw(stream: Stream) -> None:
    for event in ("exit", "start", "serving", "ready"):
        stream.happens("rpd", event)

    assert ["3 rpd serving", "4 rpd ready"] == await stream.read(pb.WatchRequest(after_seq=2), 2)
    assert ["4 rpd ready"] == await stream.read(pb.WatchRequest(after_seq=1, events=["ready"]), 1)


async def test_records_of_an_old_journal_are_history(stream: Stream) -> None:
    old: Message = {"name": "rpd", "event": "exit", "incarnation": 1, "monotonic_ns": 0}
    stream.journal.append([old])
    reader = watched(pb.WatchRequest(history=True), stream.watchers, stream.ledger, stream.path)
    first = await anext(reader)
    await reader.aclose()  # type: ignore[attr-defined]

    assert old == first


async def test_a_reader_that_does_not_read_is_cut_and_told_how_to_go_on(stream: Stream) -> None:
    reader = watched(pb.WatchRequest(), stream.watchers, stream.ledger, stream.path)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(anext, reader)
        await trio.testing.wait_all_tasks_blocked()
        for _ in range(WATCH_BUFFER + 2):
            stream.happens("rpd", "exit", journaled=False)
    got = 1
    with pytest.raises(RpcError, match="go on with after_seq"):
        async for _ in reader:
            got += 1

    assert got <= WATCH_BUFFER + 1
    assert (0, 1) == (stream.watchers.count, stream.watchers.cut)
