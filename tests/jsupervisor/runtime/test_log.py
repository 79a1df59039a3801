"""Records, and what becomes of them while nobody takes them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

import pytest

from jsupervisor.runtime.clock import Clock
from jsupervisor.runtime.fakes import make_order
from jsupervisor.runtime.log import Backlog, Log, Record, Severity, Tag


class RpdTag(StrEnum):
    RPD_TASK_BEGIN = "RPD_TASK_BEGIN"


def a_log(records: list[Record]) -> Log:
    return Log(make_order(Path("/run"), "rpd", incarnation=3), Clock(), records.append)


@pytest.mark.parametrize("severity", Severity)
def test_a_record_says_who_wrote_what(severity: Severity) -> None:
    records: list[Record] = []
    write = getattr(a_log(records), severity.name.lower())
    write(RpdTag.RPD_TASK_BEGIN, "begins", task="bgp", count=7)
    record = records[0]

    assert ("rpd", "rpd", 3) == (record.module, record.executable, record.incarnation)
    assert (severity, "RPD_TASK_BEGIN", "begins") == (record.severity, record.tag, record.text)
    assert {"task": "bgp", "count": "7"} == record.fields


def test_records_are_numbered_from_1() -> None:
    records: list[Record] = []
    log = a_log(records)
    for _ in range(3):
        log.info(Tag.MODULE_READY, "ready")

    assert [1, 2, 3] == [record.number for record in records]


def test_a_backlog_keeps_the_newest_and_counts_the_rest() -> None:
    backlog = Backlog(size=2)
    log = Log(make_order(Path("/run"), "rpd"), Clock(), backlog)
    for number in range(5):
        log.info(Tag.MODULE_READY, str(number))
    kept = [record.text for record in iter(backlog.pop, None)]

    assert ["3", "4"] == kept
    assert 3 == backlog.dropped
    assert 0 == len(backlog)


def test_a_backlog_tells_of_records_and_of_its_end() -> None:
    told: list[int] = []
    backlog = Backlog()
    backlog.on_change = lambda: told.append(len(backlog))
    Log(make_order(Path("/run"), "rpd"), Clock(), backlog).info(Tag.MODULE_STOP, "")
    backlog.end()

    assert [1, 1] == told
    assert backlog.ended
