"""Numbers and counters that survive jlaunchd."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from jsupervisor.initproto import Message
from jsupervisor.jlaunchd.journal import IN_MEMORY, Journal
from jsupervisor.jlaunchd.ledger import KEEP_EVERY, Ledger, after


class Life:
    """jlaunchds one after another: each enters records, and writes them to the journal."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder / "journal.jsonl")
        self.path = folder / "journal.jsonl"
        self.state = folder / "run" / "tally.json"
        self.time = 0
        self.begin()

    def begin(self) -> None:
        self.ledger = Ledger(self.path, self.state)

    def happens(self, event: str, count: int = 1) -> list[Message]:
        records: list[Message] = []
        for _ in range(count):
            self.time += 1
            records.append(
                {
                    "name": "rpd",
                    "event": event,
                    "incarnation": 1,
                    "cause": "exit:1",
                    "monotonic_ns": self.time,
                }
            )
        for record in records:
            self.ledger.enter(record)
        self.journal.append(records)
        if (text := self.ledger.due()) is not None:
            self.ledger.keep(text)
        return records


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def test_records_are_numbered_without_gaps_in_one_life(life: Life) -> None:
    records = life.happens("exit", 3)

    assert [1, 2, 3] == [record["seq"] for record in records]


@pytest.mark.parametrize("count", [0, 1, KEEP_EVERY - 1, KEEP_EVERY, KEEP_EVERY + 1, 500])
def test_a_new_jlaunchd_goes_on_counting_exactly(life: Life, count: int) -> None:
    life.happens("exit", count)
    life.begin()
    life.happens("exit", 5)
    life.begin()

    assert count + 5 == life.ledger.tally.of("rpd").exits["exit:1"]


def test_numbers_ascend_through_all_lives(life: Life) -> None:
    life.happens("exit", 5)
    life.begin()
    (record,) = life.happens("exit")

    assert 5 + IN_MEMORY + 1 == record["seq"]


def test_what_init_tells_once_more_keeps_its_number_and_is_not_counted_twice(life: Life) -> None:
    (record,) = life.happens("exit")
    life.begin()
    again: Message = {**record, "time": "later"}
    del again["seq"]

    assert not life.ledger.enter(again)
    assert record["seq"] == again["seq"]
    assert 1 == life.ledger.tally.of("rpd").exits["exit:1"]


def test_a_new_instance_counts_from_nothing_and_numbers_from_the_journal(life: Life) -> None:
    life.happens("exit", 7)
    life.state.unlink()  # the run folder goes with the instance
    life.begin()
    (record,) = life.happens("exit")

    assert 1 == life.ledger.tally.of("rpd").exits["exit:1"]
    assert 8 == record["seq"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"seq": 1}', '{"seq": "x", "tally": {}}'])
def test_a_state_that_cannot_be_read_is_begun_anew(life: Life, text: str) -> None:
    life.happens("exit", 3)
    life.state.write_text(text)
    life.begin()

    assert 3 == life.ledger.newest
    assert {} == life.ledger.tally.processes


def test_a_journal_that_is_torn_or_edited_harms_nobody(life: Life) -> None:
    life.happens("exit", 3)
    with life.path.open("ab") as file:
        file.write(b'\xff\x00\n[]\n{"seq": "x"}\n{"seq": 9, "event": []}\n{"na')
    life.begin()

    assert 9 + IN_MEMORY == life.ledger.newest
    assert 3 == life.ledger.tally.of("rpd").exits["exit:1"]


def test_a_state_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("not a folder")
    life = Life(tmp_path)
    life.happens("exit", KEEP_EVERY)

    assert KEEP_EVERY == life.ledger.newest


def test_a_journal_that_was_moved_away_is_read_on_both_sides_of_the_move(tmp_path: Path) -> None:
    life = Life(tmp_path)
    life.happens("exit", 40)
    life.path.replace(tmp_path / "journal.jsonl.0")
    life.happens("exit", 20)
    life.begin()

    assert 60 == life.ledger.tally.of("rpd").exits["exit:1"]


@pytest.mark.parametrize("journaled", [0, 3, 6, 10])
@pytest.mark.parametrize("kept", [0, 4, 10])
@pytest.mark.parametrize("seq", [0, 5, 10, 99])
def test_who_goes_on_after_a_number_gets_every_later_record_once(
    journaled: int, kept: int, seq: int
) -> None:
    records: list[Message] = [{"seq": number} for number in range(1, 11)]
    on_disk, in_memory = records[:journaled], records[10 - kept :]
    if journaled + kept < 10:
        return  # what neither has cannot be found

    assert [r for r in records if r["seq"] in range(seq + 1, 11)] == list(
        after(on_disk, in_memory, seq)
    )


def test_records_without_numbers_are_older_than_all_others(tmp_path: Path) -> None:
    records: list[Message] = [{"name": "old"}, {"seq": 1}, {"seq": 2}]

    assert [{"seq": 1}, {"seq": 2}] == list(after(records, [], 0))
    assert "seq" not in json.loads(json.dumps(records[0]))
