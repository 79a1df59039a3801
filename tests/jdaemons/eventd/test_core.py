"""Where records go, and that nobody waits for a file or a reader."""

from __future__ import annotations

import json
from collections.abc import Callable

from jdaemons.eventd.core import MESSAGES, MESSAGES_JSONL, Core, EventdTag
from jdaemons.eventd.events import (
    HostNamed,
    ReaderCame,
    ReaderLeft,
    RecordCame,
    Say,
    WakeReader,
    WakeWriters,
    WriteFailed,
    Written,
)
from jsupervisor.runtime.record import Record, Severity

NewRecord = Callable[..., Record]


def line_of(core: Core) -> str:
    return core.spools[MESSAGES].begin().decode()


def test_a_record_goes_into_both_files(a_record: NewRecord) -> None:
    core = Core("default")
    commands = core.handle(RecordCame(a_record()))

    assert [WakeWriters()] == commands
    assert line_of(core).endswith("rpd[4711]: RPD_TASK_BEGIN: Commencing routing updates\n")
    written = json.loads(core.spools[MESSAGES_JSONL].begin())
    assert ("rpd", "notice", {"a": "b"}) == (
        written["module"],
        written["severity"],
        written["fields"],
    )


def test_the_router_is_called_by_its_instance_until_the_configuration_names_it(
    a_record: NewRecord,
) -> None:
    core = Core("default")
    names = []
    for event in (None, HostNamed("r1"), HostNamed(None)):
        if event is not None:
            core.handle(event)
        core.handle(RecordCame(a_record()))
        names.append(line_of(core).split()[3])
        core.handle(Written(MESSAGES))

    assert ["default", "r1", "default"] == names


def test_every_reader_is_woken_but_those_of_other_modules(a_record: NewRecord) -> None:
    core = Core("default")
    for reader, module in enumerate(("", "dcd", "rpd", "")):
        core.handle(ReaderCame(reader, module))
    core.handle(ReaderLeft(3))

    assert [WakeWriters(), WakeReader(0), WakeReader(2)] == core.handle(RecordCame(a_record()))


def test_a_text_that_no_encoding_has_is_written_all_the_same(a_record: NewRecord) -> None:
    core = Core("default")
    core.handle(RecordCame(a_record(text="\ud800")))

    assert line_of(core).endswith("\\ud800\n")


def test_a_full_disk_is_told_once_and_so_is_its_end(a_record: NewRecord) -> None:
    core = Core("default")
    core.handle(RecordCame(a_record()))
    core.spools[MESSAGES].begin()
    failure = WriteFailed(MESSAGES, "No space left on device")
    first, second = core.handle(failure), core.handle(failure)
    again = core.spools[MESSAGES].begin()
    core.spools[MESSAGES].lost = 7
    written, afterwards = core.handle(Written(MESSAGES)), core.handle(Written(MESSAGES))

    assert [
        Say(
            Severity.ERROR,
            EventdTag.EVENTD_WRITE_FAILED,
            "cannot write messages: No space left on device; trying again until it can be written",
        )
    ] == first
    assert [] == second
    assert again
    assert [
        Say(
            Severity.NOTICE,
            EventdTag.EVENTD_WRITE_RESUMED,
            "messages is written again; 7 records were lost",
        )
    ] == written
    assert [] == afterwards
    assert 0 == core.spools[MESSAGES].lost
